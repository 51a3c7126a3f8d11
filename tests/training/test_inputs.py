"""What a network sees of an image, by hand."""

import numpy as np
import pytest
from training import synthetic

torch = pytest.importorskip("torch")
inputs = pytest.importorskip("maskforge.training.inputs")

ORANGE = torch.tensor([[[[255, 102, 0]]]], dtype=torch.uint8)  # (1, 1, 1, 3)
BRIGHT = 0.299 * 255 + 0.587 * 102


def seen(**changes):
    found = inputs.Inputs(synthetic.config(**changes))(ORANGE)
    assert found.dtype == torch.float32
    return found.flatten().tolist()


@pytest.mark.parametrize(
    ("normalize", "wanted"),
    [
        ("none", [255, 102, 0]),
        ("unit", [1, 0.4, 0]),
        ("symmetric", [1, -0.2, -1]),
        ("imagenet", [(1 - 0.485) / 0.229, (0.4 - 0.456) / 0.224, -0.406 / 0.225]),
    ],
)
def test_values_of_a_color(normalize, wanted):
    assert seen(normalize=normalize) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("normalize", "wanted"),
    [
        ("none", BRIGHT),
        ("unit", BRIGHT / 255),
        ("symmetric", BRIGHT / 127.5 - 1),
        ("imagenet", (BRIGHT / 255 - 0.458971) / 0.225609),
    ],
)
def test_gray_is_how_bright_a_color_is(normalize, wanted):
    assert seen(normalize=normalize, channels=1) == pytest.approx([wanted], rel=1e-5)


def test_axes_are_those_of_torch():
    images = torch.from_numpy(np.arange(2 * 3 * 5 * 3, dtype=np.uint8).reshape(2, 3, 5, 3))
    found = inputs.Inputs(synthetic.config(normalize="none"))(images)
    assert found.shape == (2, 3, 3, 5)
    assert found[1, 2, 0, 4] == images[1, 0, 4, 2]
