"""The validation: a network is scored without the padding of its images."""

import numpy as np
import pytest
from training import synthetic

from maskforge.scores import metrics
from maskforge.training import samples


def test_the_network_is_scored_without_its_padding():
    torch = pytest.importorskip("torch")
    evaluate = pytest.importorskip("maskforge.training.validation")
    interrupt = pytest.importorskip("maskforge.training.interrupt")
    losses = pytest.importorskip("maskforge.training.losses")
    machine = pytest.importorskip("maskforge.training.device")
    inputs = pytest.importorskip("maskforge.training.inputs")

    class Bright(torch.nn.Module):
        def forward(self, x):
            box = x.mean(dim=1, keepdim=True) * 0.5
            return torch.cat([-box, box], dim=1)

    config = synthetic.config()
    pairs = [*synthetic.pairs(3), *synthetic.pairs(2, height=9, width=31, seed=5)]
    stopped = []
    arguments = {
        "num_classes": 2,
        "ignore_index": 255,
        "divisor": 8,
        "batch": 2,
        "loss_of": losses.build("ce"),
        "machine": machine.Machine.of(config),
        "stopped": lambda: bool(stopped),
    }
    network = Bright().train()
    found = evaluate.evaluate(network, samples.Arrays(pairs), keep=[0, 4], **arguments)
    expected = np.zeros((2, 2), np.int64)
    for image, ids in pairs:
        normal = (image / 255 - inputs.MEAN) / inputs.STD
        guess = (normal.mean(axis=2) > 0).astype(np.uint8)
        expected += metrics.confusion_matrix(ids, guess, num_classes=2, ignore_index=255)
    assert np.array_equal(found.matrix, expected)
    assert {n: p.shape for n, p in found.predictions.items()} == {0: (18, 26), 4: (9, 31)}
    assert found.loss > 0
    assert network.training
    stopped.append(True)
    with pytest.raises(interrupt.Interrupted):
        evaluate.evaluate(network, samples.Arrays(pairs), **arguments)
    assert network.training
