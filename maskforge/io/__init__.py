"""Between values and the disk: who owns a file, and how new takes the place of old."""
