"""Draws the sample scenes and writes them as the annotation tools would."""
