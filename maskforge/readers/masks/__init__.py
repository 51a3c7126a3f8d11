"""Mask files: what their pixels mean, which image they belong to, what is wrong with them."""
