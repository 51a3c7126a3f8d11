"""Sets of masks and their images: one file a kind, told by content.

A kind has

    sniff(path, options) -> str         why ``path`` is of this kind, "" when it is not
    read(path, options) -> Dataset      without decoding an image

and, where it should win over others that see themselves in the same folder, a RANK above 0.
"""
