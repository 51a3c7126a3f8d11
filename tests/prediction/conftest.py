"""Torch on one thread, as where networks are trained."""

from training.conftest import one_thread as one_thread
