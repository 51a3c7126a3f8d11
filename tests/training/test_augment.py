"""Image and label image move together, no class id is invented, and the same seed is the same."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from maskforge.training import augment as module
from maskforge.training.augment import CITYSCAPES, NONE, Augment, augment, generator, move

LABELS = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], dtype=np.uint8)


def image_of(label_image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) whose red channel shows the ids, so that both can be compared."""
    zero = np.zeros(label_image.shape, np.uint8)
    return np.stack([label_image.astype(np.uint8), zero, zero], axis=2)


def go(label_image: NDArray[Any] = LABELS, **options: Any) -> tuple[Any, Any]:
    options = {"settings": NONE, "rng": np.random.default_rng(1)} | options
    return augment(image_of(label_image), label_image, **options)


def test_no_change() -> None:
    image, labels = go()
    np.testing.assert_array_equal(labels, LABELS)
    np.testing.assert_array_equal(image[..., 0], LABELS)
    assert not np.shares_memory(labels, LABELS)


def test_flip_is_left_right_and_exact() -> None:
    image, labels = go(settings=Augment(flip=1, scale=(1, 1), rotate=0, color=0, blur=0))
    np.testing.assert_array_equal(labels, LABELS[:, ::-1])
    np.testing.assert_array_equal(image[..., 0], LABELS[:, ::-1])


def test_a_quarter_turn_is_exact() -> None:
    about_the_middle = np.array([[0.0, -1.0, 3.0], [1.0, 0.0, 0.0]])  # x' = 3 - y, y' = x
    image, labels = move(image_of(LABELS), LABELS, about_the_middle, height=4, width=3)
    np.testing.assert_array_equal(labels, np.rot90(LABELS, k=-1))
    np.testing.assert_array_equal(image[..., 0], np.rot90(LABELS, k=-1))


def test_twice_the_size_repeats_each_label() -> None:
    twice = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    _, labels = move(image_of(LABELS), LABELS, twice, height=6, width=8)
    np.testing.assert_array_equal(labels, LABELS.repeat(2, axis=0).repeat(2, axis=1))


def test_a_crop_is_a_window_and_every_window_comes() -> None:
    seen = set()
    for index in range(60):
        image, labels = go(rng=generator(seed=0, epoch=0, index=index), height=2, width=2)
        np.testing.assert_array_equal(image[..., 0], labels)
        seen.add(tuple(labels.ravel().tolist()))
    windows = {tuple(LABELS[r : r + 2, c : c + 2].ravel()) for r in range(2) for c in range(3)}
    assert seen == windows


def test_a_larger_size_is_filled_with_black_and_the_ignore_index() -> None:
    image, labels = go(height=5, width=9, ignore_index=77)
    assert sorted(labels[labels != 77].tolist()) == sorted(LABELS.ravel().tolist())
    np.testing.assert_array_equal(image[..., 0], np.where(labels == 77, 0, labels))


def test_cityscapes_enlarges_256_to_280_and_cuts_256() -> None:
    rows, columns = np.mgrid[0:256, 0:256]
    label_image = (rows // 4 + columns // 4).astype(np.uint8)
    image, labels = go(label_image, settings=CITYSCAPES)
    assert labels.shape == (256, 256)
    assert image.shape == (256, 256, 3)
    assert 255 not in labels
    # 255 steps of 256/280 pixels are left to see, whichever window it was.
    seen = int(labels.max()) - int(labels.min())
    assert abs(seen - 2 * 255 * 256 / 280 / 4) <= 2


def test_the_image_keeps_to_its_labels_under_every_move() -> None:
    """Two halves in 0 and 200: away from the edge between them both say the same."""
    label_image = np.zeros((60, 80), np.uint8)
    label_image[:, 30:] = 200
    for index in range(20):
        image, labels = go(
            label_image,
            settings=Augment(flip=0.5, scale=(0.6, 1.6), rotate=30, color=0, blur=0),
            rng=generator(seed=2, epoch=0, index=index),
        )
        known = labels != 255
        sure = (image[..., 0] == 0) | (image[..., 0] == 200)
        np.testing.assert_array_equal(image[known & sure][:, 0], labels[known & sure])
        # Only pixels on the two kinds of edge are between: no longer than the image's outline.
        assert (known & ~sure).sum() < 2 * (60 + 80) + 120


def test_scale_reaches_both_ends_and_nothing_else() -> None:
    label_image = np.ones((100, 150), np.uint8)
    shares = []
    for index in range(200):
        _, labels = go(
            label_image,
            settings=Augment(flip=0, scale=(0.5, 0.8), rotate=0, color=0, blur=0),
            rng=generator(seed=3, epoch=0, index=index),
        )
        shares.append((labels == 1).mean())
    assert 0.24 < min(shares) < 0.27
    assert 0.61 < max(shares) < 0.65


settings = st.builds(
    Augment,
    flip=st.floats(0, 1),
    scale=st.tuples(st.floats(0.2, 1), st.floats(1, 3)),
    rotate=st.floats(0, 180),
    color=st.floats(0, 1),
    blur=st.floats(0, 1),
)


@given(
    label_image=hnp.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        elements=st.integers(0, 20),
    ),
    channels=st.sampled_from([1, 3, 4]),
    settings=settings,
    size=st.tuples(st.integers(1, 15), st.integers(1, 15)),
    seed=st.integers(0, 2**31),
)
def test_no_label_is_invented_and_the_seed_decides(
    label_image: NDArray[Any],
    channels: int,
    settings: Augment,
    size: tuple[int, int],
    seed: int,
) -> None:
    ignore = int(np.iinfo(label_image.dtype).max)
    image = np.random.default_rng(seed).integers(0, 256, (*label_image.shape, channels), np.uint8)
    before = image.copy(), label_image.copy()
    results = [
        augment(
            image,
            label_image,
            settings=settings,
            rng=generator(seed=seed, epoch=1, index=2),
            height=size[0],
            width=size[1],
            ignore_index=ignore,
        )
        for _ in range(2)
    ]
    (new_image, labels), again = results
    assert new_image.shape == (*size, channels)
    assert new_image.dtype == np.uint8
    assert labels.shape == size
    assert labels.dtype == label_image.dtype
    assert set(labels.ravel().tolist()) <= set(label_image.ravel().tolist()) | {ignore}
    np.testing.assert_array_equal(new_image, again[0])
    np.testing.assert_array_equal(labels, again[1])
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(label_image, before[1])


def test_other_epochs_and_images_are_other_draws() -> None:
    numbers = list(itertools.product((0, 1), repeat=3))
    draws = {generator(seed=s, epoch=e, index=i).random() for s, e, i in numbers}
    assert len(draws) == len(numbers)


def test_recolor_and_blur_leave_the_labels_alone() -> None:
    rng = np.random.default_rng(5)
    image = rng.integers(60, 200, (20, 30, 3), np.uint8)
    label_image = rng.integers(0, 5, (20, 30), np.uint8)
    only_color = Augment(flip=0, scale=(1, 1), rotate=0, color=0.5, blur=0)
    only_blur = Augment(flip=0, scale=(1, 1), rotate=0, color=0, blur=1)
    for changes in (only_color, only_blur):
        new, labels = augment(image, label_image, settings=changes, rng=rng)
        np.testing.assert_array_equal(labels, label_image)
        assert (new != image).mean() > 0.5
    assert module.blur(image, sigma=2.0).std() < 0.5 * image.std()


def test_recolor_without_strength_is_no_change() -> None:
    image = np.random.default_rng(5).integers(0, 256, (6, 7, 3), np.uint8)
    same = module.recolor(image, strength=0.0, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(same, image)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"scale": (1.2, 1.0)}, r"scale must be .* but got \(1.2, 1.0\)"),
        ({"scale": (0.0, 1.0)}, "0 < low"),
        ({"flip": 1.5}, "flip must be within 0 … 1, but got 1.5"),
        ({"color": -0.1}, "color must be within"),
        ({"rotate": 200.0}, "rotate must be within 0 … 180 degrees, but got 200.0"),
    ],
)
def test_settings_refuse(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Augment(**fields)


def test_arrays_refuse() -> None:
    with pytest.raises(ValueError, match=r"image must be \(H, W, C\) uint8, .* got \(3, 4\) uint8"):
        augment(LABELS, LABELS, settings=NONE, rng=np.random.default_rng())
    with pytest.raises(ValueError, match=r"label image must be \(3, 4\) .* but got \(4, 3\) uint8"):
        augment(image_of(LABELS), LABELS.T, settings=NONE, rng=np.random.default_rng())
    with pytest.raises(ValueError, match=r"but got \(3, 4\) int64"):
        augment(image_of(LABELS), LABELS.astype(int), settings=NONE, rng=np.random.default_rng())


def test_import_does_not_load_torch() -> None:
    code = "import sys, maskforge.training.augment as _; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
