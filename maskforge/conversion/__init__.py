"""A conversion: what is read, what becomes of one image, and where it goes."""
