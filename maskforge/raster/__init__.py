"""The exact core: annotations and class tables in, rasters out; no path, no file."""
