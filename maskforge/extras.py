"""The packages of our extras, as the pip line that brings them: the cure where one is missing.

The line names what is missing and never us. On the package index the name ``maskforge`` is that of
somebody else's package, whose modules would take the place of ours.
"""

from __future__ import annotations

import re

DISTRIBUTION = "maskforge-suite"
"""What pip calls us, as in pyproject.toml."""

EXTRAS: dict[str, tuple[str, ...]] = {
    "annotate": ("labelme",),
    "train": ("torch", "tensorboard", "matplotlib"),
    "pretrained": ("segmentation-models-pytorch", "torchvision"),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "ray": ("ray",),
    "heif": ("pillow-heif",),
}
"""The packages of each extra that a command can miss; which versions, only pyproject.toml says."""

# "torch>=2.4; extra == 'train'"
_REQUIREMENT = re.compile(r"""\s*([\w.-]+)([^;]*);.*\bextra\s*==\s*["']([\w.-]+)["']""")


def install(extra: str, *only: str) -> str:
    """Return the line that installs the packages of ``extra``, or ``only`` those of them.

    The versions are those that we are installed with; a checkout that was never installed has none.
    Raises KeyError for names that are not in :data:`EXTRAS`.
    """
    versions = dict.fromkeys(EXTRAS[extra], "") | _versions(extra)
    wanted = [(name, versions[name]) for name in only or EXTRAS[extra]]
    shown = [f'"{name}{version}"' if version else name for name, version in wanted]
    return f"pip install {' '.join(shown)}"


def installed(extra: str) -> dict[str, str]:
    """Return the packages of ``extra`` with their versions, "" for one that is not installed."""
    return {name: version(name) for name in EXTRAS[extra]}


def version(name: str) -> str:
    """Return the version of an installed package, "" where there is none."""
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _versions(extra: str) -> dict[str, str]:
    from importlib import metadata  # slow to load, and most runs miss nothing

    try:
        found = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return {}
    parts = [match.groups() for match in map(_REQUIREMENT.match, found) if match]
    return {name: version.strip() for name, version, of in parts if of == extra}
