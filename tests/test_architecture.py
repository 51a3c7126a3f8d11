"""Who may import whom, and other rules that every file of the package keeps.

A new module at the top of the package needs a line in LEVELS; a new choice in a folder needs none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import maskforge

ROOT = Path(maskforge.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if "__pycache__" not in path.parts)

# From the bottom up. A module imports only from the levels below its own.
LEVELS: list[set[str]] = [
    {"errors", "_version"},
    {"runs", "records"},
    {"plugins", "extras", "geometry", "palette", "files", "split", "_unpickle", "_headers"},
    {"annotation", "classes", "overlap", "rle", "_deflate", "onehot", "metrics", "video", "io"},
    {"images", "transform", "styles", "png", "_values", "class_lookup", "boundary", "scores"},
    {"rules", "engines", "raster", "_damage"},
    {"settings", "result", "preview", "_diagnosis", "label_image"},
    {"readers", "writers", "layouts", "inputs", "manifest", "_npy_inspection"},
    {"reading", "outputs", "inspection", "room"},
    {"job", "datasets"},
    {"run"},
    {"conversion"},
    {"train"},
    {"background"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}

# Beyond the levels: what a folder of choices may see of the package, besides its own helpers.
FOLDERS: dict[str, set[str]] = {
    "rules": {"errors", "geometry", "runs"},
    "readers": {"errors", "geometry", "annotation", "classes", "runs", "rle"},
    "writers": {"errors", "classes", "palette", "styles", "runs", "png", "raster"},
    "layouts": {"errors", "classes", "palette", "png", "raster"},
    "engines": {"errors"},
}

# Third-party packages that are welcome in some places only, wherever in a file they are imported.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "torch": ("train/",),
    "torchvision": ("train/",),
    "onnx": ("train/",),
    "onnxruntime": ("train/",),
    "click": ("cli/",),
    "rich": ("cli/",),
    "shapely": ("rules/",),
    "msgspec": ("readers/", "records.py"),
    "labelme": (),  # GPL: started as a program, never imported
    "pycocotools": (),
}
# OpenCV takes long to load: at the top of a file only where the file is a choice that needs it.
OPENCV = ("rules/", "writers/", "train/", "background/", "video.py")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """Return the top-level module or folder of the package that a file belongs to."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Yield every imported module with its full name, ``from package import module`` too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                inner = ROOT.joinpath(*whole.split(".")[1:])
                is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
                yield node, whole if is_module else str(node.module)


every_file = pytest.mark.parametrize("path", FILES, ids=name_of)


def test_every_module_has_a_level() -> None:
    assert {module_of(path) for path in FILES} - {"__init__"} == set(LEVEL)


@every_file
def test_lower_never_imports_higher(path: Path) -> None:
    own = module_of(path)
    if own == "__init__":  # loads names on use
        return
    for _, name in imports(tree_of(path)):
        if not name.startswith("maskforge."):
            continue
        other, _, inner = name.removeprefix("maskforge.").partition(".")
        if other == own:
            free = own in ("cli", "train", "datasets", "background", "io") or not inner
            assert free or inner.split(".")[-1].startswith("_"), (
                f"choices do not know each other: {name}"
            )
            continue
        assert LEVEL[other] < LEVEL[own], f"{own} is below {other}"
        assert own not in FOLDERS or other in FOLDERS[own], f"{own} has no business with {other}"
        assert not inner.split(".")[-1].startswith("_"), f"{name} is another folder's own"


@every_file
def test_third_party_packages_stay_where_they_belong(path: Path) -> None:
    tree = tree_of(path)
    for node, name in imports(tree):
        package = name.split(".")[0]
        places = ONLY_IN.get(package)
        assert places is None or name_of(path).startswith(places), f"{package} is not for here"
        if package == "cv2" and node in tree.body:
            assert name_of(path).startswith(OPENCV), "import cv2 in the function that needs it"


@every_file
def test_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what it is for"
    assert len(text.splitlines()) <= 400, "a file does one thing"
    speaks = name_of(path).startswith("cli/") or name_of(path) == "__main__.py"
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: bare except"
        if isinstance(node, ast.Call) and not speaks:
            called = ast.unparse(node.func)
            assert called not in {"print", "input", "exit", "sys.exit", "SystemExit"}, (
                f"line {node.lineno}: only the command line prints and exits"
            )
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in {"eval", "exec", "os.system"}


@every_file
def test_public_names_are_documented(path: Path) -> None:
    if path.stem.startswith("_") and path.stem != "__init__":
        return
    for node in tree_of(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} needs a docstring"
