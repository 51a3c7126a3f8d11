"""What stands in the folder of an output, and whether a run may have its place."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from maskforge.errors import UsageError
from maskforge.io.ownership import Entry, Owned, State, digest_of


class Standing:
    """The output ``key`` in ``folder`` as it stands. Looks, and touches nothing.

    owned: the list of its files. sources: real paths that must stay as they are, whatever a list
    says. copied: as of :class:`Owned`.
    """

    def __init__(self, folder: Path, key: str, *, copied: Collection[str] = ()) -> None:
        self.folder = folder
        self.key = key
        self.sources: set[str] = set()
        self._inside: dict[str, str] = {}
        self._copied = copied
        self.look()

    def look(self) -> None:
        """Read the list again."""
        self.owned = Owned(self.folder, self.key, copied=self._copied)

    @property
    def stands(self) -> bool:
        """Whether an earlier output stands there, of the same command."""
        return self.owned.exists and any(
            os.path.lexists(self.folder / name) for name in self.owned.entries
        )

    def _example(self) -> str:
        names = [name for name in self.owned.entries if os.path.lexists(self.folder / name)]
        return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")

    def check(self, names: Iterable[str]) -> None:
        """Raise UsageError, naming them, where these paths are needed and not ours to take."""
        found = [(name, why) for name in names if (why := self.obstacle(name))]
        if found:
            raise self.in_the_way(found)

    def obstacle(self, name: str, entry: Entry | None = None) -> str:
        """Return why ``name`` cannot be taken, "" where it can.

        entry: what is to be there. A file that has these bytes already is in nobody's way.
        """
        return self.judge(name, entry)[1]

    def judge(self, name: str, entry: Entry | None = None) -> tuple[State, str]:
        """Return what stands at ``name``, and why it is in the way, "" where it is not.

        entry: as of :meth:`obstacle`.
        """
        blocker = self.owned.blocker(name)
        if blocker is not None:
            return "foreign", "is no folder"
        if not os.path.lexists(os.path.join(self.folder, name)):
            return "absent", ""
        state = self.owned.state(name)
        if state == "changed":
            return state, "was changed after maskforge made it"
        is_input = os.path.realpath(self.folder / name) in self.sources
        if state == "foreign" or is_input:
            holds = entry is not None and self.holds(name, entry)
            why = "is an input of this command" if is_input else "was not made by this command"
            if not self.owned.local and name in self.owned.names:
                why = "was not made here: the list that names it is a copy"
            return "foreign", "" if holds else why
        return state, ""

    def holds(self, name: str, entry: Entry) -> bool:
        """Tell whether a plain file at ``name`` has the bytes that are to be there anyway."""
        path = self.folder / name
        try:
            if path.is_symlink() or not path.is_file() or path.stat().st_size != entry.size:
                return False
            return digest_of(path)[:2] == entry[:2]
        except OSError:
            return False

    def in_the_way(self, found: list[tuple[str, str]]) -> UsageError:
        """Return the error that names what is in the way."""
        shown = [f"{self.owned.blocker(name) or name} {why}" for name, why in found[:5]]
        if len(found) > 5:
            shown.append(f"and {len(found) - 5:,} more")
        return UsageError(
            "; ".join(shown)
            + f"; the output needs {'its place' if len(found) == 1 else 'the place'}",
            code="in-the-way",
            file=str(self.folder / found[0][0]),
            cure="move it away, or choose another --out",
        )

    def protect(self, path: Path) -> None:
        """Keep a source of this run from being replaced or removed, should it lie in the folder."""
        where, name = os.path.split(path)
        inside = self._inside.get(where)
        if inside is None:  # most sources of a run lie in one folder
            own = os.path.realpath(self.folder)
            inside = os.path.join(os.path.realpath(where or "."), "")
            inside = inside if inside.startswith(os.path.join(own, "")) else ""
            self._inside[where] = inside
        if inside:
            self.sources |= {inside + name, os.path.realpath(path)}
