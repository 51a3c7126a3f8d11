"""Digests: which they are, whole and in parts."""

from __future__ import annotations

import numpy as np
import pytest

from maskforge.io.digests import Digest, digest

# The values that the authors' own xxhsum (0.8.1, -H2) prints.
KNOWN = {
    b"": "99aa06d3014798d86001c324468d497f",
    b"a": "a96faf705af16834e6c632b61e964e1f",
    b"abc": "06b05ab6733a618578af5f94892f3950",
}


@pytest.mark.parametrize("data", KNOWN)
def test_they_are_those_of_xxh3_with_128_bits(data: bytes) -> None:
    assert digest(data) == KNOWN[data]


def test_parts_come_to_what_the_whole_has() -> None:
    whole = np.arange(1_000_000, dtype=np.int32).tobytes()
    seen = Digest(whole[:1])
    seen.update(memoryview(whole)[1:70_000])
    seen.update(whole[70_000:])
    assert seen.hexdigest() == digest(whole) == digest(memoryview(whole))
    assert digest(whole[:-1]) != digest(whole)
