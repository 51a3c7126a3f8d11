"""From label images to a trained network. The modules in here that need torch import it.

``augment`` and ``schedules`` do not.
"""
