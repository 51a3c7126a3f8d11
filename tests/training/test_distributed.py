"""Several processes as one: batch norm and sums, as they are with a single process."""

import pytest

torch = pytest.importorskip("torch")
distributed = pytest.importorskip("maskforge.training.distributed")


class Told(distributed.Ranks):
    """A process that is told what the others would add."""

    def sum(self, values):
        return 2 * values  # as many images, and the same ones


def test_batch_norm_of_two_processes_with_the_same_images_is_that_of_one():
    torch.manual_seed(0)
    own = torch.nn.BatchNorm2d(3, eps=1e-2, momentum=0.3)
    torch.nn.init.normal_(own.weight)
    torch.nn.init.normal_(own.bias)
    shared = distributed.SharedBatchNorm(own, Told(count=2))
    x = torch.randn(2, 3, 5, 4, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    weight = torch.randn(2, 3, 5, 4)
    found, wanted = shared(y), own(torch.cat([x, x]))[:2]
    torch.testing.assert_close(found, wanted)
    assert shared.num_batches_tracked == 1
    torch.testing.assert_close(shared.running_mean, own.running_mean)
    torch.testing.assert_close(shared.running_var, own.running_var)
    assert shared(x.bfloat16()).dtype == torch.bfloat16
    (found * weight).sum().backward()
    assert y.grad.abs().sum() > 0
    own.load_state_dict(shared.state_dict())
    torch.testing.assert_close(shared.eval()(x), own.eval()(x))


def test_a_network_of_several_processes_has_shared_batch_norm_under_its_names(monkeypatch):
    monkeypatch.setattr(distributed, "DistributedDataParallel", lambda network: network)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2).eval())
    before = network.state_dict()
    alone = distributed.Ranks().spread(network, torch.device("cpu"))
    assert type(alone[1]) is torch.nn.BatchNorm2d
    spread = distributed.Ranks(count=2).spread(network, torch.device("cpu"))
    assert type(spread[1]) is distributed.SharedBatchNorm
    assert not spread[1].training
    assert spread.state_dict().keys() == before.keys()


def test_a_process_alone_is_its_own_sum():
    values = torch.ones(3)
    assert distributed.Ranks().sum(values) is values
