"""What happens between two commands, and how often.

Each step changes the project and returns what a person would have typed, or None where there is
nothing that it could be done to.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from history_edits import (
    add_annotation,
    change_annotation,
    change_collection,
    damage_annotation,
    move_photo_to_an_output,
    remove_annotation,
    remove_photo,
    rename_photo,
    replace_photo,
    turn_photo,
)
from history_foreign import (
    foreign_hidden_folder,
    foreign_list,
    foreign_manifest,
    lines_added_to_a_list,
)
from history_law import Known
from history_outputs import (
    copy_output,
    damage_output,
    edit_output,
    edit_what_waits,
    hurt_the_hidden_folder,
    move_back,
    put_a_folder_or_link,
    put_a_stray,
    put_a_stray_in_the_way,
    remove_an_original,
    remove_list,
    remove_manifest,
    remove_output,
    remove_output_file,
    remove_the_hidden_folder,
    remove_what_waits,
    rename_output,
)
from history_project import Project

Step = Callable[[Project, Known], str | None]

FOREIGN: Sequence[Step] = (foreign_list, foreign_list, foreign_manifest, foreign_hidden_folder)

OF_THE_INPUT: Sequence[Step] = (
    remove_photo,
    replace_photo,
    remove_annotation,
    damage_annotation,
    change_annotation,
    change_collection,
)

MEANWHILE: Sequence[Step] = (
    edit_what_waits,
    remove_what_waits,
    remove_an_original,
    remove_an_original,
    put_a_stray_in_the_way,
)
"""What happens between an exchange that was cut off and its end."""

STEPS: Sequence[tuple[Step, int]] = (
    (remove_photo, 6),
    (replace_photo, 5),
    (turn_photo, 3),
    (rename_photo, 3),
    (move_photo_to_an_output, 2),
    (remove_annotation, 5),
    (damage_annotation, 4),
    (change_annotation, 6),
    (add_annotation, 4),
    (change_collection, 6),
    (edit_output, 5),
    (remove_output_file, 5),
    (damage_output, 5),
    (put_a_stray, 4),
    (put_a_stray_in_the_way, 2),
    (remove_manifest, 2),
    (remove_list, 1),
    (remove_output, 3),
    (put_a_folder_or_link, 2),
    (rename_output, 2),
    (copy_output, 2),
    (move_back, 2),
    (hurt_the_hidden_folder, 5),
    (remove_the_hidden_folder, 1),
    (foreign_manifest, 2),
    (foreign_list, 2),
    (lines_added_to_a_list, 3),
    (foreign_hidden_folder, 1),
)
"""What can be done between two commands, and how often it is."""


def choose(rng: random.Random, *, is_cut_off: bool) -> Step:
    """Return one of :data:`STEPS`, where an exchange was cut off mostly one that concerns it."""
    if is_cut_off and rng.random() < 0.7:
        return rng.choice(MEANWHILE)
    steps, weights = zip(*STEPS, strict=True)
    chosen: Step = rng.choices(steps, weights)[0]
    return chosen
