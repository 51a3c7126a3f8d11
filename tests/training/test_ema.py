"""The average of the weights over the last steps, by hand."""

import pytest

torch = pytest.importorskip("torch")
ema = pytest.importorskip("maskforge.training.ema")


def network(value):
    made = torch.nn.BatchNorm1d(1)
    made.load_state_dict({name: torch.full_like(v, value) for name, v in made.state_dict().items()})
    return made


def test_the_first_steps_count_more():
    average = ema.EMA(network(0.0), 0.5)
    average.update(network(1.0), 0)  # d = 1 / 10
    assert average.network.weight.item() == pytest.approx(0.9)
    average.update(network(2.0), 2)  # d = 3 / 12
    assert average.network.weight.item() == pytest.approx(0.25 * 0.9 + 0.75 * 2)
    average.update(network(3.0), 10_000)  # d = 0.5
    assert average.network.weight.item() == pytest.approx((0.225 + 1.5 + 3) / 2)


def test_running_means_are_averaged_and_counters_are_copied():
    average = ema.EMA(network(0.0), 0.5)
    average.update(network(8.0), 0)
    assert average.network.running_mean.item() == pytest.approx(7.2)
    assert average.network.num_batches_tracked.item() == 8


def test_the_copy_is_one_to_predict_with():
    trained = network(4.0)
    average = ema.EMA(trained, 0.5)
    assert not average.network.training
    assert not any(p.requires_grad for p in average.network.parameters())
    assert trained.training
    assert trained.weight.requires_grad
    average.update(network(8.0), 0)
    assert trained.weight.item() == 4.0
