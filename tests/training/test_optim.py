"""The optimizer: what decays, and what is not touched."""

import pytest
from training import synthetic

torch = pytest.importorskip("torch")
optim = pytest.importorskip("maskforge.training.optim")


def network():
    parts = torch.nn.Conv2d(3, 5, 3), torch.nn.BatchNorm2d(5), torch.nn.Linear(7, 2, bias=False)
    return torch.nn.Sequential(*parts)


def shapes(group):
    return [tuple(p.shape) for p in group["params"]]


def test_biases_and_normalizations_do_not_decay():
    found = optim.optimizer_of(synthetic.config(weight_decay=0.25, lr=0.5), network())
    assert [(shapes(g), g["weight_decay"], g["lr"]) for g in found.param_groups] == [
        ([(5, 3, 3, 3), (2, 7)], 0.25, 0.5),
        ([(5,), (5,), (5,)], 0.0, 0.5),
    ]


def test_what_is_frozen_is_not_touched():
    part = network()
    part[0].requires_grad_(False)
    part[2].requires_grad_(False)
    found = optim.optimizer_of(synthetic.config(), part)
    assert [shapes(g) for g in found.param_groups] == [[(5,), (5,)]]


@pytest.mark.parametrize(("name", "kind"), [("adam", "Adam"), ("adamw", "AdamW")])
def test_the_optimizer_is_the_one_that_was_asked_for(name, kind):
    found = optim.optimizer_of(synthetic.config(optimizer=name), network())
    assert type(found).__name__ == kind
