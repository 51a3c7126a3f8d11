"""Which pixels a geometry covers: one file a rule."""
