"""Which pixels a geometry covers: one file a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from maskforge import plugins

if TYPE_CHECKING:
    from maskforge.raster.raster import Cover


class Rule(Protocol):
    """What a file in this folder has; mypy holds it to that."""

    @property
    def TILES(self) -> bool:
        """Whether shapes with a common edge never overlap and leave no gap."""

    @property
    def cover(self) -> Cover:
        """``cover(regions, *, height, width) -> Runs``: the pixels of each region.

        A region is the union of its geometries, which are all five kinds, clipped to the image.
        """


def load(name: str) -> Rule:
    """Return the rule that ``name`` stands for. Raises UsageError with the choices."""
    return cast(Rule, plugins.load("rules", name))
