"""Pretrained weights from a local file: which of its tensors are those of an encoder.

The file is a state dict as torch saves it (``.pth``, ``.pt``, ``.bin``; also in a checkpoint), or
``.safetensors``. Reading it runs no code. Its names may begin otherwise than the encoder's (with
``module.`` or ``encoder.``, without ``features.``), and it may hold more, such as a classifier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from maskforge import extras
from maskforge.errors import ReadError, UsageError
from maskforge.training import tensors

INSIDE = ("state_dict", "model_state_dict", "model", "weights")
"""What checkpoints call the state dict that they hold."""


def load_encoder(encoder: nn.Module, file: Path, *, cure: str, optional: str = "") -> None:
    """Load the weights in ``file`` into ``encoder``.

    Weights whose names begin with ``optional`` start at random where the file lacks them. ``cure``
    says which file it must be. Raises ReadError where other weights of the encoder are missing.
    """
    state = read(file)
    known = encoder.state_dict()
    found = fitting(known, state)
    missing = [
        name
        for name in known
        if name not in found
        and not name.endswith("num_batches_tracked")
        and not (optional and name.startswith(optional))
    ]
    if missing:
        raise ReadError(
            "the file must hold the weights of this encoder, but only "
            f"{len(found)} of its {len(known)} tensors are there in their shape: "
            f"{_listed(known, missing)} must be, the file has {_listed(state, list(state))}",
            file=str(file),
            cure=cure,
        )
    # Encoders of segmentation-models-pytorch have a method of this name that does something else.
    nn.Module.load_state_dict(encoder, found, strict=False)


def read(file: Path) -> dict[str, Tensor]:
    """Return the tensors in ``file`` by name. Raises ReadError."""
    try:
        content = _safetensors(file) if file.suffix == ".safetensors" else tensors.read(file)
    except UsageError:  # which is a ValueError too
        raise
    except (OSError, ValueError) as error:
        raise _refused(file, str(error)) from error
    for name in INSIDE:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping):
        raise _refused(file, f"it holds a {type(content).__name__}")
    return {n: t for n, t in content.items() if isinstance(n, str) and isinstance(t, Tensor)}


def fitting(known: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return those tensors of ``state``, by the names in ``known``, that have the shapes there.

    Of all beginnings that the names of ``state`` can have, it is the one with most such tensors.
    """
    own = _beginning(known)
    first = next(iter(known)).removeprefix(own)
    best: dict[str, Tensor] = {}
    for name in state:
        if name == first or name.endswith(f".{first}"):
            beginning = name.removesuffix(first)
            pairs = {k: state.get(beginning + k.removeprefix(own)) for k in known}
            found = {
                k: tensor
                for k, value in pairs.items()
                if value is not None and (tensor := _shaped(value, known[k])) is not None
            }
            best = max(best, found, key=len)
    return best


def _shaped(value: Tensor, like: Tensor) -> Tensor | None:
    """Return ``value`` in the shape of ``like``, None where it is another tensor.

    A fully connected layer is a convolution over all that it sees.
    """
    if value.ndim == 2 and like.ndim == 4 and value.numel() == like.numel():
        return value.reshape(like.shape) if value.shape[0] == like.shape[0] else None
    return value if value.shape == like.shape else None


def _beginning(names: Mapping[str, Any]) -> str:
    """Return what all ``names`` begin with, up to a dot."""
    first, last = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first[: first.rfind(".", 0, same) + 1]


def _safetensors(file: Path) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise UsageError(
            f"weights in .safetensors need the package of this name ({error})",
            cure=extras.install("pretrained"),
        ) from error
    try:
        tensors: dict[str, Tensor] = load_file(file)
        return tensors
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _listed(tensors: Mapping[str, Tensor], names: Sequence[str]) -> str:
    shown = ", ".join(f"{name!r} {tuple(tensors[name].shape)}" for name in names[:3])
    return (shown or "none") + (" …" if len(names) > 3 else "")


def _refused(file: Path, reason: str) -> ReadError:
    return ReadError(
        f"the file must be a state dict that torch saved, but: {reason}",
        code="wrong-format",
        file=str(file),
    )
