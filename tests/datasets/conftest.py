"""Small files to make data sets of: those of the tests of masks."""

from readers.masks.conftest import files as files
from readers.masks.conftest import ids as ids
