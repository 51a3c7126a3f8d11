"""The doors of Python: the commands as functions, and data as a notebook uses them."""
