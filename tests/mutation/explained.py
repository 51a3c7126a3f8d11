"""Mutants that no test can kill, each with the reason: they change nothing that can be seen."""

from __future__ import annotations

from typing import NamedTuple

from operators import Mutant


class Explained(NamedTuple):
    """file: below maskforge/. line: a piece of the source line. after: what is there instead."""

    file: str
    line: str
    operator: str
    after: str
    reason: str


EQUIVALENT: tuple[Explained, ...] = (
    # raster
    Explained(
        "raster/raster.py",
        "enough=BATCH) <= BATCH:  # the usual case",
        "dropped statement",
        "pass",
        "In batches it comes to the same runs: to do all at once only costs less.",
    ),
    Explained(
        "raster/runs.py",
        "# wholly inside",
        "boundary",
        "<",
        "What touches the border takes the general way, to the same runs.",
    ),
    Explained(
        "raster/runs.py",
        "int(values.max(initial=0)).bit_length()",
        "constant",
        "1",
        "Of no values at all each digit is the same.",
    ),
    Explained(
        "raster/runs.py",
        "if most < len(values):  # so few that they are counted",
        "dropped statement",
        "pass",
        "Sorted they come to the same: to count them only costs less.",
    ),
    Explained(
        "raster/runs.py",
        "if most < len(values):  # so few that they are counted",
        "boundary",
        "<=",
        "Sorted or counted they come to the same.",
    ),
    Explained(
        "raster/runs.py",
        "occurs = np.zeros(most + 1",
        "constant",
        "2",
        "A table with a place more, for a value that does not occur.",
    ),
    Explained(
        "raster/runs.py",
        "number = np.empty(most + 1",
        "constant",
        "2",
        "A table with a place more, for a value that does not occur.",
    ),
    Explained(
        "raster/runs.py",
        "if below > MAX_TABLE:",
        "boundary",
        ">=",
        "A table of so many or a sort come to the same.",
    ),
    Explained(
        "raster/raster.py",
        "rank = np.zeros(kinds[-1] + 1",
        "constant",
        "2",
        "A table with a place more, for a class that no region has.",
    ),
    # rules
    Explained(
        "rules/_scratch.py",
        "self.stride = _PAD + -(-(width + 1) // 8) * 8",
        "constant",
        "2",
        "One column of 0 right of the image is enough, and two are as good.",
    ),
    Explained(
        "rules/_ties.py",
        "_GRID = 64.0",
        "constant",
        "128.0",
        "On a grid twice as fine, and half as far, doubles are as exact: it is a matter of cost.",
    ),
    Explained(
        "rules/_parity.py",
        "right = slope > 0",
        "boundary",
        ">=",
        "A slope of 0 is that of a vertical edge, which crosses no center line of a column.",
    ),
    Explained(
        "rules/_parity.py",
        "wide = size[0] >= size[1]",
        "boundary",
        ">",
        "At 45 degrees both walks take the same steps.",
    ),
    Explained(
        "rules/_parity.py",
        "back = np.where(wide,",
        "boundary",
        ">=",
        "The ends are equal along the longer axis only where an edge is a point, and crosses none.",
    ),
    Explained(
        "rules/pixel_center.py",
        "down = vertices[1] <= after[1]",
        "boundary",
        "<",
        "A level edge crosses no center line of a row, whichever of its ends counts as the upper.",
    ),
    # overlap
    Explained(
        "raster/overlap.py",
        "last = np.full(count, -1, dtype=np.int64)",
        "constant",
        "2",
        "Any number below 0, the first region, says that there is no eraser.",
    ),
    Explained(
        "raster/overlap.py",
        "if (self.rank[1:] < self.rank[:-1]).any():",
        "boundary",
        "<=",
        "Pairs that are in order already are sorted, to the same order.",
    ),
    Explained(
        "raster/overlap.py",
        "below=(int(kind.max(initial=0)) + 1) * count",
        "constant",
        "2",
        "A larger table than all pairs need tells them apart as well.",
    ),
    Explained(
        "raster/overlap.py",
        "if total > MAX_PAIRS and len(cuts) > 3:",
        "boundary",
        ">=",
        "Halves come to the same segments as the whole: only memory differs, by one pair.",
    ),
    Explained(
        "raster/overlap.py",
        "if second is index and not level.any():",
        "dropped statement",
        "pass",
        "What is in order already is sorted, to the same order.",
    ),
    Explained(
        "raster/overlap.py",
        "int(cuts[len(cuts) // 2])",
        "constant",
        "3",
        "Any cut but the first and the last one divides the image, and of four the second is none.",
    ),
    Explained(
        "raster/overlap.py",
        "np.clip(runs.start, begin, end)",
        "swapped arguments",
        "begin, runs.start",
        "The larger of two, and not more than the end, is the same whichever is named first.",
    ),
    # sinks
    Explained(
        "training/checkpoint.py",
        "abs(value) > MOST for value in options.values()",
        "boundary",
        ">=",
        "No weights of a file fit a network so wide or deep: it is refused one line later.",
    ),
    Explained(
        "conversion/image.py",
        "np.empty(33_500_000",
        "constant",
        "33500001",
        "How much freed memory is kept makes images faster or slower, and nothing else.",
    ),
    Explained(
        "io/files.py",
        'os.path.relpath(there, here).replace(os.sep, "/")',
        "swapped arguments",
        '"/", os.sep',
        "They are the same where paths have slashes.",
    ),
    Explained(
        "conversion/image.py",
        "if len(annotation.regions) > MOST_LABELS:",
        "boundary",
        ">=",
        "It spares the counting of labels where there are too few regions for too many.",
    ),
    # metrics
    Explained(
        "scores/metrics.py",
        "== np.uint8 and num_classes <= 256:",
        "boundary",
        "<",
        "All 256 classes counted the general way give the same matrix, a little later.",
    ),
    # losses
    Explained(
        "training/losses.py",
        "torch.where(total > 0, total, 1.0)",
        "constant",
        "2.0",
        "It divides a sum of nothing, which is 0 by whatever it is divided.",
    ),
    Explained(
        "training/losses.py",
        "truth = torch.where(known, target, 0)",
        "constant",
        "1",
        "Which class an ignored pixel is given does not matter: it is multiplied with 0.",
    ),
    # optimizer set-up
    Explained(
        "training/schedules.py",
        "if step <= top:",
        "boundary",
        "<",
        "At the top the rise has ended and the fall has not begun: both say 1.",
    ),
    Explained(
        "training/schedules.py",
        "step / top if top > 0 else 1.0",
        "boundary",
        ">=",
        "The top would be at step 0 for 3 1/3 steps.",
    ),
)


def reason_of(mutant: Mutant) -> str:
    """Return why ``mutant`` cannot be killed, "" where it should be."""
    for one in EQUIVALENT:
        if (
            mutant.file == f"maskforge/{one.file}"
            and one.line in mutant.text
            and (one.operator, one.after) == (mutant.operator, mutant.after)
        ):
            return one.reason
    return ""
