"""Scores of a segmentation: what is counted, and what follows from the counts."""
