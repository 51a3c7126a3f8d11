"""What is particular to each network: parameter counts of its source, and its building blocks."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from maskforge import extras
from maskforge.errors import UsageError

torch = pytest.importorskip("torch")
F = pytest.importorskip("torch.nn.functional")
models = pytest.importorskip("maskforge.training.models")
resnet = pytest.importorskip("maskforge.training.models._resnet")
fcn = pytest.importorskip("maskforge.training.models._fcn")
vgg16 = pytest.importorskip("maskforge.training.models._vgg16")
smp = pytest.importorskip("maskforge.training.models.smp")
unet = pytest.importorskip("maskforge.training.models.unet")


def parameters(name: str, *, num_classes: int, **options: Any) -> int:
    """Return the number of parameters, without making them."""
    with torch.device("meta"):
        network = models.build(name, in_channels=3, num_classes=num_classes, **options)
    return sum(p.numel() for p in network.parameters())


def test_unet_has_the_parameters_of_the_common_one() -> None:
    assert parameters("unet", num_classes=1) == 31_037_633
    assert parameters("unet", num_classes=2) == 31_037_633 + 65


def test_unet_width_and_depth() -> None:
    network = models.build("unet", in_channels=3, num_classes=2, width=4, depth=5)
    assert network.divisor == 32
    assert network.bottom[0].out_channels == 4 * 2**5


UPSAMPLED = {"width": 2, "depth": 2}


@pytest.mark.parametrize("norm", ["before-relu", "after-relu"])
@pytest.mark.parametrize("upsampling", ["transposed", "bilinear", "unpooling"])
def test_unet_upsamples_in_three_ways(upsampling: str, norm: str) -> None:
    torch.manual_seed(0)
    network = models.build(
        "unet", in_channels=1, num_classes=3, norm=norm, upsampling=upsampling, **UPSAMPLED
    )
    logits = network(torch.rand(2, 1, 8, 12))
    assert logits.shape == (2, 3, 8, 12)
    logits.square().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in network.grow.parameters())
    layers = [type(layer).__name__ for layer in network.modules()]
    assert layers.count("ConvTranspose2d") == (2 if upsampling == "transposed" else 0)
    assert layers.count("BatchNorm2d") == (12 if norm == "after-relu" else 10)


def test_unet_normalizes_behind_the_relu() -> None:
    def order(norm: str) -> list[str]:
        network = models.build("unet", in_channels=1, num_classes=3, norm=norm, **UPSAMPLED)
        return [type(layer).__name__ for layer in network.bottom]

    assert order("after-relu") == ["Conv2d", "ReLU", "BatchNorm2d"] * 2
    assert order("before-relu") == ["Conv2d", "BatchNorm2d", "ReLU"] * 2


@pytest.mark.parametrize("option", ["norm", "upsampling"])
def test_unet_refuses_a_norm_or_upsampling_that_there_is_not(option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} must be one of .*, but got 'none'"):
        models.build("unet", in_channels=1, num_classes=3, **{option: "none"})


def test_unpooling_puts_values_where_the_largest_were() -> None:
    before = torch.tensor([[1.0, 2, 0, 0], [4, 3, 0, 0], [5, 0, 1, 2], [0, 0, 2, 1]])
    x = torch.tensor([[10.0, 20], [30, 40]])
    found = unet.unpooled(x[None, None], before[None, None])
    assert found[0, 0].tolist() == [[0, 0, 20, 0], [10, 0, 0, 0], [30, 0, 0, 40], [0, 0, 0, 0]]
    many = torch.randn(2, 3, 6, 4, generator=torch.Generator().manual_seed(0))
    pooled, where = F.max_pool2d(many, 2, return_indices=True)
    assert torch.equal(unet.unpooled(pooled, many), F.max_unpool2d(pooled, where, 2))


def test_unet_small_has_the_parameters_of_the_article() -> None:
    assert parameters("unet-small", num_classes=3) == 914_371


def test_fcn32s_has_the_parameters_of_vgg16_with_scores() -> None:
    convolutions, fc6, fc7 = 14_714_688, 512 * 49 * 4096 + 4096, 4096 * 4096 + 4096
    expected = convolutions + fc6 + fc7 + 4097 * 21
    assert parameters("fcn32s", num_classes=21, batch_norm=False) == expected


def test_fcn_skips_add_their_scores_and_doublings() -> None:
    plain = parameters("fcn32s", num_classes=21)
    one = parameters("fcn16s", num_classes=21)
    two = parameters("fcn8s", num_classes=21)
    doubling = 21 * 21 * 4 * 4
    assert one - plain == 513 * 21 + doubling
    assert two - one == 257 * 21 + doubling


@pytest.mark.parametrize(("layers", "expected"), [(3, 11_101_076), (4, 15_231_380)])
def test_fcn_pyramid_has_the_parameters_of_the_book(layers: int, expected: int) -> None:
    assert parameters("fcn-pyramid", num_classes=4, layers=layers) == expected


def test_fcn_pyramid_may_have_the_biases_of_the_book() -> None:
    assert parameters("fcn-pyramid", num_classes=4, bias=True) == 11_105_892
    for version, depth in ((1, 8), (2, 11)):
        with torch.device("meta"):
            network = models.build(
                "fcn-pyramid", in_channels=3, num_classes=4, bias=True, version=version, depth=depth
            )
        layers = [
            m
            for m in network.modules()
            if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)
        ]
        assert all(layer.bias is not None for layer in layers)


def test_fcn_pyramid_divisor_follows_its_layers() -> None:
    for layers in (1, 2):
        network = models.build(
            "fcn-pyramid", in_channels=3, num_classes=2, layers=layers, depth=8, version=1, width=2
        )
        assert network.divisor == 4 * 2**layers
        x = torch.zeros(1, 3, network.divisor, 2 * network.divisor)
        assert network.eval()(x).shape == (1, 2, *x.shape[2:])
    with pytest.raises(ValueError, match="layers must be at least 1, but got 0"):
        models.build("fcn-pyramid", in_channels=3, num_classes=2, layers=0)


@pytest.mark.parametrize(
    ("depth", "version", "expected"),
    [(20, 1, 0.27), (32, 1, 0.46), (44, 1, 0.66), (56, 1, 0.85), (110, 1, 1.7), (56, 2, 1.66)],
)
def test_resnet_sizes_are_those_of_the_paper(depth: int, version: int, expected: float) -> None:
    with torch.device("meta"):
        network = resnet.ResNet(3, depth, version)
    millions = sum(p.numel() for p in network.parameters()) / 1e6
    assert millions == pytest.approx(expected, abs=0.04 if expected > 1 else 0.007)


@pytest.mark.parametrize("version", [1, 2])
def test_resnet_features_are_a_quarter_of_the_size(version: int) -> None:
    network = resnet.ResNet(3, 20, version, width=2).eval()
    assert network(torch.zeros(1, 3, 16, 24)).shape == (1, network.channels, 4, 6)


@pytest.mark.parametrize(
    ("depth", "version", "message"),
    [
        (57, 2, r"v2 must be 9n \+ 2, but got 57"),
        (2, 1, r"v1 must be 6n \+ 2, but got 2"),
        (20, 3, "version must be 1 or 2, but got 3"),
    ],
)
def test_resnet_refuses(depth: int, version: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resnet.ResNet(3, depth, version)


def test_vgg16_refuses_a_wrong_number_of_filters() -> None:
    with pytest.raises(ValueError, match=r"filters must be 5 numbers, but got \(4, 4\)"):
        vgg16.VGG16(3, (4, 4), 8, True)


def test_twice_starts_as_bilinear_interpolation() -> None:
    layer = fcn.twice(2)
    x = torch.randn(1, 2, 5, 7, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(layer(x)[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1])


def test_fcn_starts_with_no_opinion() -> None:
    network = models.build("fcn8s", in_channels=3, num_classes=4, filters=(4,) * 5, head=8).eval()
    assert not network(torch.ones(1, 3, 32, 32)).any()


def smp_or_skip() -> Any:
    try:
        return smp.load_library()
    except UsageError as error:
        pytest.skip(str(error))


def test_smp_weights_that_can_neither_be_found_nor_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    library = smp_or_skip()

    def offline(*_: Any, **__: Any) -> None:
        raise OSError("no route to the hub")

    monkeypatch.setattr(library, "create_model", offline)
    with pytest.raises(UsageError, match=r"'imagenet' must be a file or .* no route to the hub"):
        models.build("smp:unet:resnet18", in_channels=3, num_classes=2, encoder_weights="imagenet")


def test_smp_refuses() -> None:
    smp_or_skip()
    for name in ("smp:unett:resnet18", "smp:unet:resnet19"):
        with pytest.raises(UsageError, match=f"{name} is no network of segmentation-models"):
            models.build(name, in_channels=3, num_classes=2)
    with pytest.raises(UsageError, match="need images of 3 channels, but got 1"):
        models.build("smp:unet:resnet18", in_channels=1, num_classes=2, encoder_weights="x.pth")


def test_smp_names_the_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torchvision", "segmentation_models_pytorch"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(UsageError, match="need segmentation-models-pytorch and torch") as error:
            models.build("smp:unet:resnet18", in_channels=3, num_classes=2)
        assert error.value.cure == extras.install("pretrained")
        assert "torchvision" in error.value.cure
        monkeypatch.setitem(sys.modules, name, ModuleType(name))


def test_smp_names_a_torchvision_that_was_built_for_another_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torchvision.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    with pytest.raises(
        UsageError, match=r"built for the installed torch .*::nms does not"
    ) as error:
        models.check("smp:unet:resnet18", {})
    assert "take both from one place" in error.value.cure


def test_fcn_scores_the_deepest_features_in_full_precision() -> None:
    """In bfloat16 oneDNN may end the process there."""
    network = models.build("fcn32s", in_channels=3, num_classes=2, filters=(4,) * 5, head=8)
    seen: list[torch.dtype] = []
    network.score.register_forward_hook(lambda _, given, scores: seen.append(scores.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(torch.rand(1, 3, 32, 32)).shape == (1, 2, 32, 32)
    assert seen == [torch.float32]
