"""Annotation files to annotations: one file a format."""
