"""Images and label images at the working size, and what is kept of them in memory."""

import pytest
from training import synthetic

from maskforge.datasets import check, open_dataset, split
from maskforge.training import samples


def test_files_become_items_of_the_working_size(tmp_path):
    found = check(split(open_dataset(synthetic.folder(tmp_path / "data")), val=0.25, seed=0))
    data = samples.from_dataset(found, synthetic.config(size=(13,), cache=1))
    assert len(data.train) == 6
    assert set(data.train.sizes) == {(9, 13)}
    image, ids = data.train[2]
    assert image.shape == (9, 13, 3)
    assert ids.shape == (9, 13)
    assert data.train[2][0] is image  # from the cache
    again = samples.from_dataset(found, synthetic.config(size=(13,), cache=0))
    assert again.train[2][0] is not again.train[2][0]
    assert again.fingerprint == data.fingerprint
    other = samples.from_dataset(found, synthetic.config(size=(12,), cache=0))
    assert other.fingerprint != data.fingerprint
    assert data.counts.sum() == 6 * (18 * 26 - 6)


def test_people_see_the_image_larger_than_the_network_does(tmp_path, monkeypatch):
    found = check(split(open_dataset(synthetic.folder(tmp_path / "data")), val=0.25, seed=0))
    data = samples.from_dataset(found, synthetic.config(size=(6,), cache=1))
    assert data.val[0][0].shape == (4, 6, 3)
    whole = data.val.photograph(0)
    assert whole.shape == (18, 26, 3)
    monkeypatch.setattr(samples, "SHOWN", 13)
    assert data.val.photograph(0).shape == (9, 13, 3)
    assert samples.Arrays([data.val[0]]).photograph(0) is data.val[0][0]


def test_a_cache_gives_what_it_has_and_no_more():
    cache = samples.Cache(10)
    assert [cache.take(size) for size in (11, 6, 5, 4, 1)] == [False, True, False, True, False]


@pytest.mark.parametrize(("cache", "kept"), [(0, False), (1, True)])
def test_files_are_read_once_where_memory_allows(tmp_path, cache, kept):
    dataset = split(open_dataset(synthetic.folder(tmp_path, 4)), val=0.25, seed=0)
    found = samples.from_dataset(check(dataset), synthetic.config(size=(13,), cache=cache))
    assert (len(found.train), len(found.val), found.counts.shape) == (3, 1, (3, 2))
    assert found.train.sizes[0] == (9, 13)
    image, ids = found.train[1]
    assert (image.shape, ids.shape) == ((9, 13, 3), (9, 13))
    assert (found.train[1][0] is image) == kept
