"""Images and label images at the working size, and what is kept of them in memory."""

from training import synthetic

from maskforge.datasets import check, open_dataset, split
from maskforge.training import samples


def test_files_become_items_of_the_working_size(tmp_path):
    found = check(split(open_dataset(synthetic.folder(tmp_path / "data")), val=0.25, seed=0))
    data = samples.from_dataset(found, size=(13,), cache=1)
    assert len(data.train) == 6
    assert set(data.train.sizes) == {(9, 13)}
    image, ids = data.train[2]
    assert image.shape == (9, 13, 3)
    assert ids.shape == (9, 13)
    assert data.train[2][0] is image  # from the cache
    again = samples.from_dataset(found, size=(13,), cache=0)
    assert again.train[2][0] is not again.train[2][0]
    assert again.fingerprint == data.fingerprint
    other = samples.from_dataset(found, size=(12,), cache=0)
    assert other.fingerprint != data.fingerprint
    assert data.counts.sum() == 6 * (18 * 26 - 6)
