"""What is put behind, and lengths as people write them."""

import numpy as np
import pytest

from maskforge.errors import UsageError
from maskforge.prediction.background import Blur, Color, Length, Picture, Transparent, put

ALPHA = np.array([[0, 1, 1, 0], [0, 0, 1, 0], [1, 0, 0, 0]], np.float32)
IMAGE = np.arange(36, dtype=np.uint8).reshape(3, 4, 3) + 100


def test_a_color_is_everywhere_but_in_front():
    found = put(IMAGE, ALPHA, Color((1, 2, 3)))
    assert (found[ALPHA == 1] == IMAGE[ALPHA == 1]).all()
    assert (found[ALPHA == 0] == (1, 2, 3)).all()


def test_before_nothing_there_is_a_fourth_channel_and_nothing_of_the_rest():
    alpha = ALPHA.copy()
    alpha[1, 1] = 0.5
    found = put(IMAGE, alpha, Transparent())
    assert found.shape == (3, 4, 4)
    assert found[..., 3].tolist() == [[0, 255, 255, 0], [0, 128, 255, 0], [255, 0, 0, 0]]
    assert (found[ALPHA == 1, :3] == IMAGE[ALPHA == 1]).all()
    assert not found[alpha == 0].any()


def test_a_picture_covers_images_of_any_size():
    backdrop = Picture(np.full((2, 9, 3), 7, np.uint8))
    for image, alpha in ((IMAGE, ALPHA), (IMAGE[:, :2], ALPHA[:, :2]), (IMAGE, ALPHA)):
        found = put(image, alpha, backdrop)
        assert found.shape == image.shape
        assert (found[alpha == 0] == 7).all()
        assert (found[alpha == 1] == image[alpha == 1]).all()


def test_a_blur_keeps_the_foreground():
    image = np.random.default_rng(0).integers(0, 256, (30, 44, 3)).astype(np.uint8)
    alpha = np.zeros((30, 44), np.float32)
    alpha[5:20, 8:30] = 1
    found = put(image, alpha, Blur(Length(3)))
    assert (found[alpha == 1] == image[alpha == 1]).all()
    assert found[alpha == 0].std() < image[alpha == 0].std() / 3


@pytest.mark.parametrize(
    ("text", "pixels"), [("12", 12), ("2.5px", 2.5), ("1.5%", 3), (" 50 % ", 100)]
)
def test_lengths(text, pixels):
    assert Length.parse(text).pixels(100, 200) == pytest.approx(pixels)


@pytest.mark.parametrize("text", ["", "0", "-3", "0%", "101%", "1e9", "nan", "12 cm", "1,5%"])
def test_what_is_no_length(text):
    with pytest.raises(UsageError, match=r"a length must be pixels or percent, 12 or 1.5%"):
        Length.parse(text)
