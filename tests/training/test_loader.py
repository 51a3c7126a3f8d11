"""Batches: the same for any number of threads and processes, and after any interruption."""

from itertools import islice

import numpy as np
import pytest
from training import synthetic

from maskforge.io.prefetch import prefetch
from maskforge.training import loader
from maskforge.training.samples import Arrays

CONFIG = synthetic.config(crop=(32, 20))


def taken(count, **changes):
    settings = {key: changes.pop(key) for key in ("accumulate", "augment") if key in changes}
    stream = loader.training_batches(
        Arrays(synthetic.pairs(6)),
        synthetic.config(crop=(32, 20), **settings),
        ignore_index=255,
        **changes,
    )
    found = list(islice(stream, count))
    stream.close()
    return found


def same(a, b):
    return all(
        x.numbers == y.numbers
        and np.array_equal(x.images, y.images)
        and np.array_equal(x.targets, y.targets)
        for x, y in zip(a, b, strict=True)
    )


def test_shapes_and_types():
    [batch] = taken(1)
    assert batch.images.shape == (4, 20, 32, 3)
    assert batch.targets.shape == (4, 20, 32)
    assert batch.images.dtype == batch.targets.dtype == np.uint8


def test_any_number_of_threads_gives_the_same_batches():
    assert same(taken(5, workers=1), taken(5, workers=3))


def test_a_later_start_gives_the_same_batches():
    assert same(taken(5)[2:], taken(3, start=2))


@pytest.mark.parametrize(("accumulate", "ranks"), [(2, 1), (1, 2), (2, 2)])
def test_parts_and_processes_share_the_images_of_a_step(accumulate, ranks):
    whole = [number for batch in taken(3) for number in batch.numbers]
    shares = [
        taken(3 * accumulate, accumulate=accumulate, rank=r, ranks=ranks) for r in range(ranks)
    ]
    together = [n for parts in zip(*shares, strict=True) for part in parts for n in part.numbers]
    assert together == whole


def test_every_image_is_seen_once_an_epoch_in_another_order_and_another_way():
    found = taken(6)  # 24 images: 4 epochs of 6
    numbers = [number for batch in found for number in batch.numbers]
    epochs = [numbers[at : at + 6] for at in range(0, 24, 6)]
    assert all(sorted(epoch) == list(range(6)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    first = [
        image
        for batch in found
        for number, image in zip(batch.numbers, batch.images, strict=True)
        if number == 0
    ]
    assert not np.array_equal(first[0], first[1])


def test_without_augmentation_a_larger_crop_only_pads():
    [batch] = taken(1, augment=False)
    image, ids = synthetic.pairs(6)[batch.numbers[0]]
    assert np.array_equal(batch.images[0, :18, :26], image)
    assert np.array_equal(batch.targets[0, :18, :26], ids)
    assert (batch.targets[0, 18:] == 255).all()
    assert (batch.targets[0, :, 26:] == 255).all()


def test_evaluation_pads_right_and_below_with_ignore():
    items = Arrays(synthetic.pairs(3))
    found = list(loader.evaluation_batches(items, [(0, 2), (1,)], divisor=16, ignore_index=255))
    assert [batch.numbers for batch in found] == [(0, 2), (1,)]
    assert found[0].images.shape == (2, 32, 32, 3)
    assert np.array_equal(found[0].targets[1, :18, :26], items[2][1])
    assert (found[0].targets[:, 18:] == 255).all()
    assert (found[0].images[:, :, 26:] == 0).all()


def test_an_error_while_loading_arrives():
    def load(number):
        if number == 2:
            raise OSError("gone")
        return number

    stream = prefetch(load, range(5), workers=2)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(OSError, match="gone"):
        next(stream)


def test_crops_have_the_size_of_the_middle_image_rounded_up():
    sizes = [(20, 90), (40, 10), (33, 50)]
    items = Arrays([(np.zeros((*s, 3), np.uint8), np.zeros(s, np.uint8)) for s in sizes])
    assert loader.middle_size(items, 1) == (50, 33)
    assert loader.middle_size(items, 8) == (56, 40)
