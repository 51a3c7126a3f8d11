"""What every network must do, run over every file in the folder of networks."""

from __future__ import annotations

import io
from typing import Any

import pytest

from maskforge import plugins
from maskforge.errors import UsageError

torch = pytest.importorskip("torch")
F = pytest.importorskip("torch.nn.functional")
models = pytest.importorskip("maskforge.training.models")

# Small enough to be trained in a second or two; a new network needs a line here.
SMALL: dict[str, dict[str, Any]] = {
    "unet": {"width": 8, "depth": 2, "stride": 2},
    "unet-small": {"width": 8},
    "fcn32s": {"filters": (8, 8, 16, 16, 16), "head": 64},
    "fcn16s": {"filters": (8, 8, 16, 16, 16), "head": 64},
    "fcn8s": {"filters": (8, 8, 16, 16, 16), "head": 64},
    "fcn-pyramid": {"depth": 11, "width": 2, "layers": 2},
    "smp:unet:mobilenet_v2": {},
}
NAMES = sorted(SMALL)


def build(name: str, *, in_channels: int = 3, num_classes: int = 3) -> torch.nn.Module:
    """Return the small form of a network, always with the same weights."""
    torch.manual_seed(0)
    if name.startswith("smp:"):
        try:
            models.check(name, SMALL[name])
        except UsageError as error:
            pytest.skip(str(error))
    return models.build(name, in_channels=in_channels, num_classes=num_classes, **SMALL[name])


def images(*size: int) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(1))


def test_every_network_is_tested() -> None:
    assert {name.partition(":")[0] for name in SMALL} == set(plugins.names("training.models"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("channels", "classes"), [(3, 2), (1, 1), (4, 5)])
def test_logits_have_the_size_of_the_input(name: str, channels: int, classes: int) -> None:
    network = build(name, in_channels=channels, num_classes=classes).eval()
    step = network.divisor
    with torch.inference_mode():
        logits = network(images(2, channels, step, 3 * step))
    assert logits.shape == (2, classes, step, 3 * step)
    assert logits.dtype == torch.float32


@pytest.mark.parametrize("name", NAMES)
def test_a_size_that_does_not_fit_names_the_size_to_pad_to(name: str) -> None:
    network = build(name).eval()
    step = network.divisor
    for height, width in ((2 * step, step + 1), (2 * step - 1, 2 * step)):
        got, cure = f"{height} x {width}", f"{2 * step} x {2 * step}"
        message = f"multiples of {step}, but got {got}; pad the image to {cure}"
        with pytest.raises(ValueError, match=message):
            network(images(1, 3, height, width))


@pytest.mark.parametrize("name", NAMES)
def test_divisor_is_that_of_the_default_options(name: str) -> None:
    module = plugins.load("training.models", name.partition(":")[0])
    assert module.DIVISOR % build(name).divisor == 0


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_parameter_and_are_finite(name: str) -> None:
    network = build(name).train()
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d) and not layer.weight.any():
            torch.nn.init.normal_(layer.weight, std=0.1)  # what starts at 0 lets nothing through
    logits = network(images(2, 3, 64, 64))
    (logits * images(*logits.shape)).sum().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key


@pytest.mark.parametrize("name", NAMES)
def test_eval_is_deterministic_and_images_do_not_see_each_other(name: str) -> None:
    network = build(name).eval()
    batch = images(2, 3, 64, 64)
    with torch.inference_mode():
        first, second = network(batch), network(batch)
        alone = network(batch[1:])
    assert torch.equal(first, second)
    torch.testing.assert_close(first[1:], alone, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_state_goes_into_a_file_and_comes_back(name: str) -> None:
    network = build(name).train()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.01)
        network(images(2, 3, 64, 64))  # moves the running statistics
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    other = build(name)
    other.load_state_dict(torch.load(file, weights_only=True))
    with torch.inference_mode():
        x = images(1, 3, 64, 32)
        assert torch.equal(network.eval()(x), other.eval()(x))


@pytest.mark.parametrize("name", NAMES)
def test_overfits_one_image(name: str) -> None:
    """Three classes in 32 x 32 pixels; larger for those that decide on 8, 16 or 32 pixels at once.

    Its mirror image is in the batch too, because 1 x 1 features of one image have no variance.
    """
    times = {"fcn8s": 2, "fcn16s": 4, "fcn32s": 8}.get(name, 1)
    network = build(name)
    target = torch.zeros(1, 32, 32, dtype=torch.int64)
    target[:, 4:20, 4:16] = 1
    target[:, 20:28, 8:32] = 2
    target = target.repeat_interleave(times, 1).repeat_interleave(times, 2)
    image = F.one_hot(target, 3).movedim(-1, 1).float() + 0.1 * images(1, 3, *target.shape[1:])
    x, y = torch.cat([image, image.flip(-1)]), torch.cat([target, target.flip(-1)])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(80):
        network.train()
        optimizer.zero_grad()
        loss = F.cross_entropy(network(x), y)
        loss.backward()
        optimizer.step()
    with torch.inference_mode():
        got = network.eval()(x).argmax(dim=1)

    # Interpolated scores round the corners off, so an FCN does not get all of it right.
    assert (got == y).float().mean() > 0.95


def test_build_refuses_unknown_names_and_options() -> None:
    with pytest.raises(UsageError, match=r"models must be one of .* but got 'unett'"):
        models.build("unett", in_channels=3, num_classes=2)
    known = r"of network 'unet' are \['width', 'depth', 'stride', 'norm', 'upsampling'\]"
    with pytest.raises(UsageError, match=known):
        models.build("unet", in_channels=3, num_classes=2, filters=3)
    with pytest.raises(UsageError, match="smp:ARCH:ENCODER, but got 'smp:unet'"):
        models.build("smp:unet", in_channels=3, num_classes=2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unet", {"width": "wide"}),
        ("unet", {"depth": 0}),
        ("unet", {"stride": 0}),
        ("fcn-pyramid", {"depth": 57}),
    ],
)
def test_build_refuses_options_that_make_no_network(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"network '{name}' cannot be built with"):
        models.build(name, in_channels=3, num_classes=2, **options)


@pytest.mark.parametrize("option", ["arch", "encoder"])
def test_the_name_of_an_smp_network_is_all_of_it(option: str) -> None:
    with pytest.raises(UsageError, match="ARCH and ENCODER are in the network's name"):
        models.build("smp:unet:resnet18", in_channels=3, num_classes=2, **{option: "tu-hf-hub:a/b"})
