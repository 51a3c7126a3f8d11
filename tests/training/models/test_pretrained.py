"""Pretrained weights from files: found under other names, reshaped, and refused with the reason."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from maskforge import extras
from maskforge.errors import ReadError, UsageError

torch = pytest.importorskip("torch")
models = pytest.importorskip("maskforge.training.models")
pretrained = pytest.importorskip("maskforge.training.models._pretrained")
smp = pytest.importorskip("maskforge.training.models.smp")

FILTERS = (2, 3, 4, 5, 6)


def encoder() -> torch.nn.Module:
    """Return a network of 13 numbers and two normalizations, its names below ``features.``."""
    layers = (torch.nn.Conv2d(1, 2, (1, 3)), torch.nn.BatchNorm2d(2), torch.nn.Conv2d(2, 1, 2))
    return torch.nn.ModuleDict({"features": torch.nn.Sequential(*layers)})


def filled(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return a state dict of other numbers than the network's, each tensor with its own."""
    state = network.state_dict()
    return {n: torch.full_like(t, i + 2) for i, (n, t) in enumerate(state.items())}


def save(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def load(path: Path) -> dict[str, torch.Tensor]:
    """Return the weights of an encoder that were loaded from ``path``."""
    network = encoder()
    pretrained.load_encoder(network, path, cure="give another")
    return dict(network.state_dict())


def same(got: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> bool:
    return got.keys() == wanted.keys() and all(torch.equal(got[n], wanted[n]) for n in got)


@pytest.mark.parametrize(
    "rename",
    [
        str,
        lambda name: f"module.{name}",
        lambda name: f"net.encoder.{name}",
        lambda name: name.removeprefix("features."),
        lambda name: name.replace("features.", "backbone.body."),
    ],
)
def test_names_may_begin_otherwise(tmp_path: Path, rename: Callable[[str], str]) -> None:
    state = filled(encoder())
    decoy = {f"decoder.{name}": tensor + 50 for name, tensor in list(state.items())[:3]}
    renamed = {rename(name): tensor for name, tensor in state.items()}
    more = {"classifier.1.weight": torch.zeros(1000, 7)}
    assert same(load(save(tmp_path / "a.pth", decoy | renamed | more)), state)


@pytest.mark.parametrize("name", pretrained.INSIDE)
def test_a_checkpoint_may_hold_the_state_dict(tmp_path: Path, name: str) -> None:
    state = filled(encoder())
    content = {"epoch": 3, name: state}
    assert same(load(save(tmp_path / "a.ckpt", content)), state)


def test_safetensors(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.torch")
    state = filled(encoder())
    library.save_file(state, tmp_path / "a.safetensors")
    assert same(load(tmp_path / "a.safetensors"), state)
    (tmp_path / "b.safetensors").write_bytes(bytes(50))
    with pytest.raises(ReadError, match=r"b.safetensors: the file must be a state dict"):
        load(tmp_path / "b.safetensors")


def test_safetensors_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    with pytest.raises(UsageError, match=r"\.safetensors need the package") as error:
        load(tmp_path / "a.safetensors")
    assert error.value.cure == extras.install("pretrained")


def test_counters_of_a_normalization_may_be_missing(tmp_path: Path) -> None:
    state = filled(encoder())
    counter = state.pop("features.1.num_batches_tracked")
    assert load(save(tmp_path / "a.pth", state))["features.1.num_batches_tracked"] == 0 != counter


def test_what_is_missing_or_of_another_shape_is_named(tmp_path: Path) -> None:
    state = filled(encoder())
    state["features.2.weight"] = torch.zeros(1, 2, 2, 3)
    del state["features.2.bias"]
    message = (
        r"only 7 of its 9 tensors are there in their shape: 'features.2.weight' \(1, 2, 2, 2\), "
        r"'features.2.bias' \(1,\) must be, the file has 'features.0.weight' .* \(give another\)"
    )
    network = encoder()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(ReadError, match=message):
        pretrained.load_encoder(network, save(tmp_path / "a.pth", state), cure="give another")
    assert same(network.state_dict(), before)
    with pytest.raises(ReadError, match=r"only 0 of its 9 tensors .* the file has none"):
        load(save(tmp_path / "b.pth", {"epoch": 3}))


class Touch:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_a_file_runs_no_code(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    torch.save({"features.0.weight": Touch(trap)}, tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Touch(trap)))
    for name in ("a.pth", "b.pth"):
        with pytest.raises(ReadError, match="damaged, or holds more than tensors") as raised:
            load(tmp_path / name)
        assert "weights_only" not in str(raised.value)
    assert not trap.exists()


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("not weights")
    (tmp_path / "empty.pth").write_bytes(b"")
    whole = save(tmp_path / "whole.pth", filled(encoder())).read_bytes()
    (tmp_path / "half.pth").write_bytes(whole[: len(whole) // 2])
    save(tmp_path / "list.pth", [1, 2])
    for name in ("text.pth", "empty.pth", "half.pth", "list.pth", "missing.pth", ""):
        with pytest.raises(ReadError, match=f"{name}: the file must be a state dict that torch"):
            load(tmp_path / name)


def vgg16(
    *, batch_norm: bool, head: int = 7, classifier: bool = True
) -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    """Return a small VGG16 laid out as torchvision's, and its weights, names as there."""
    layers: list[torch.nn.Module] = []
    before = 3
    for after, count in zip(FILTERS, (2, 2, 3, 3, 3), strict=True):
        for _ in range(count):
            layers.append(torch.nn.Conv2d(before, after, 3, padding=1))
            layers += [torch.nn.BatchNorm2d(after)] if batch_norm else []
            layers.append(torch.nn.ReLU())
            before = after
        layers.append(torch.nn.MaxPool2d(2))
    last = torch.nn.Linear(before * 49, head), torch.nn.ReLU(), torch.nn.Dropout()
    last += torch.nn.Linear(head, head), torch.nn.ReLU()
    torch.manual_seed(2)
    parts = {"features": torch.nn.Sequential(*layers)}
    if classifier:
        parts["classifier"] = torch.nn.Sequential(*last)
    network = torch.nn.ModuleDict(parts)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return network.eval(), network.state_dict()


def fcn(file: Path, **options: Any) -> torch.nn.Module:
    torch.manual_seed(1)
    chosen = {"filters": FILTERS, "head": 7, **options}
    return models.build("fcn8s", in_channels=3, num_classes=2, encoder_weights=str(file), **chosen)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_fcn_sees_what_vgg16_saw(tmp_path: Path, batch_norm: bool) -> None:
    """In the middle of an image of 224 x 224 the layer fc7 is that of the classifier."""
    original, state = vgg16(batch_norm=batch_norm)
    network = fcn(save(tmp_path / "vgg16.pth", state), batch_norm=batch_norm).eval()
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = original["classifier"](original["features"](image).flatten(1))
        got = network.backbone(image)[2][..., 3, 3]
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=0)
    assert expected.any()


def test_fcn_takes_the_convolutions_alone(tmp_path: Path) -> None:
    for file, options in (
        (save(tmp_path / "a.pth", vgg16(batch_norm=True, classifier=False)[1]), {}),
        (save(tmp_path / "b.pth", vgg16(batch_norm=True)[1]), {"head": 5}),
    ):
        features = torch.load(file, weights_only=True)
        got = fcn(file, **options).backbone.state_dict()
        wanted = {n: t for n, t in features.items() if n.startswith("features.")}
        assert same({n: t for n, t in got.items() if n.startswith("features.")}, wanted)


def test_fcn_names_the_file_that_fits(tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.pth", vgg16(batch_norm=False)[1])
    normalized = save(tmp_path / "bn.pth", vgg16(batch_norm=True)[1])
    with pytest.raises(ReadError, match=r"vgg16_bn, or its vgg16 with --option batch_norm=false"):
        fcn(plain)
    with pytest.raises(ReadError, match=r"give torchvision's vgg16, or its vgg16_bn without"):
        fcn(normalized, batch_norm=False)


def test_smp_takes_encoder_weights_from_a_file(tmp_path: Path) -> None:
    try:
        library = smp.load_library()
    except UsageError as error:
        pytest.skip(str(error))
    state = filled(library.encoders.get_encoder("mobilenet_v2", weights=None))
    more = {"classifier.1.weight": torch.zeros(1000, 1280), "classifier.1.bias": torch.zeros(1000)}
    file = save(tmp_path / "mobilenet.pth", {f"module.{n}": t for n, t in (state | more).items()})

    def build(name: str) -> torch.nn.Module:
        return models.build(name, in_channels=3, num_classes=2, encoder_weights=file)

    assert same(build("smp:fpn:mobilenet_v2").network.encoder.state_dict(), state)
    with pytest.raises(ReadError, match=r"only 0 of its 120 .* a classifier that is a resnet18"):
        build("smp:unet:resnet18")
