"""Labels of an input, with readers made for the test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from lines_files import Options, lay, planned, reader, tree  # noqa: F401

from maskforge.classes import ClassTable
from maskforge.conversion import labels as collecting
from maskforge.conversion import sources as inputs
from maskforge.conversion.sources import Job
from maskforge.engines.serial import Team
from maskforge.errors import ClassError
from maskforge.raster.annotation import Annotation


class Elsewhere(Team):
    """A team that does its work as if it were another process."""

    HERE = False


def collected(jobs: list[Job], module: ModuleType, kind: type[Team] = Team) -> set[str]:
    with kind() as team:
        return set(collecting.collect(jobs, module, Options(), team))


def test_labels_of_files_with_many_images(tree: Path) -> None:
    module = reader(many=True)
    assert collected(planned(tree, module)[0], module) == {"cat", "dog"}


@pytest.fixture
def singles(tmp_path: Path) -> Path:
    lines = {"a": "a.png -cow", "b": "broken", "c": "c.png cat dog", "d": "d.png"}
    return lay(tmp_path, {f"{name}.lines": f"lines\n{line}\n" for name, line in lines.items()})


@pytest.mark.parametrize("kind", [Team, Elsewhere])
def test_labels_of_files_with_one_image(singles: Path, kind: type[Team]) -> None:
    """The broken one is left to the conversion; what was left out has a label all the same."""
    module = reader(many=False)
    jobs, *_ = planned(singles, module)
    assert collected(jobs, module, kind) == {"cow", "cat", "dog"}


def test_sound_files_that_were_read_for_their_labels_need_not_be_read_again(
    singles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = reader(many=False)
    jobs, *_ = planned(singles, module)
    collected(jobs, module, Elsewhere)
    assert [job.waiting for job in jobs] == [None] * 4
    collected(jobs, module)
    assert [job.stem for job in jobs if job.annotation()] == ["c", "d"]
    assert [job.labels for job in jobs][2:] == [{"cat", "dog"}, set()]

    monkeypatch.setattr(collecting, "KEEP", 1)
    jobs, *_ = planned(singles, module)
    assert collected(jobs, module) == {"cow", "cat", "dog"}
    assert [job.stem for job in jobs if job.annotation()] == ["c"]


def test_an_image_has_at_most_as_many_labels_as_there_are_ids(tree: Path) -> None:
    """One of more is left to the conversion, which says what is wrong with it."""
    labels = [str(number) for number in range(10_000, 10_000 + inputs.MOST_LABELS + 1)]
    assert len(ClassTable.from_names(labels[:-1])) == inputs.MOST_LABELS + 1
    with pytest.raises(ClassError, match="class ids must be 0 … 65534"):
        ClassTable.from_names(labels)
    module = reader(many=True)
    for count, found in ((inputs.MOST_LABELS, set(labels[:-1])), (inputs.MOST_LABELS + 1, set())):
        jobs = [replace(planned(tree, module)[0][0], labels=frozenset(labels[:count]))]
        assert collected(jobs, module) == found


def test_a_defect_of_a_reader_is_left_to_the_conversion(singles: Path) -> None:
    module = reader(many=False)
    jobs, *_ = planned(singles, module)

    def read(path: Path, options: object) -> Iterator[Annotation]:
        raise ZeroDivisionError

    module.read = read
    assert collected(jobs, module) == {"cow", "cat", "dog"}
    assert [job.waiting for job in jobs] == [None] * 4


def test_labels_are_counted_by_image(tree: Path) -> None:
    with Team() as team:
        module = reader(many=True)
        jobs, *_ = planned(tree, module)
        counts = collecting.collect(jobs, module, Options(), team)
    assert counts == {"cat": 3, "dog": 1}
