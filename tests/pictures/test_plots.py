"""What plots must show whatever they are of."""

import numpy as np
import pytest

from maskforge.pictures import plots


@pytest.mark.parametrize("names", [("a", "b"), ("_background_", "person", "dog")])
def test_the_heading_of_a_small_confusion_matrix_is_whole(names):
    count = len(names)
    wide = plots.confusion(np.eye(40, dtype=np.int64), [f"class {n}" for n in range(40)])
    sheet = plots.confusion(np.eye(count, dtype=np.int64), list(names))

    def ink(image):
        return (np.asarray(image)[8:30] != plots.PANEL).any(axis=(0, 2)).nonzero()[0]

    assert ink(sheet).tolist() == ink(wide).tolist()
    assert sheet.width - ink(sheet).max() >= 12
