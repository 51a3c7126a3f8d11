"""Who may import whom, and other rules that every file of the package keeps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import maskforge

ROOT = Path(maskforge.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if "__pycache__" not in path.parts)

# The stations of the road, in the order in which data pass them. A folder imports only what stands
# before it; a folder whose choices are loaded by name is imported by that.
ROAD = (
    *("engines", "raster", "rules", "scores", "io", "pictures", "layouts", "writers", "readers"),
    *("conversion", "datasets", "prediction", "training", "api", "cli"),
)
FRONT_DOORS = ("__init__.py", "__main__.py")
"""Which load what users name."""

CHOICES = {
    f"maskforge.{name}"
    for name in ("engines", "rules", "layouts", "writers", "readers", "readers.masks.kinds")
}
MOST_AT_THE_TOP = 11
"""Modules beside the folders: the ground that all stand on."""

# Third-party packages that are welcome in some places only, wherever in a file they are imported.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "torch": ("training/",),
    "torchvision": ("training/",),
    "onnx": ("training/",),
    "onnxruntime": ("prediction/onnx_network.py",),
    "click": ("cli/",),
    "rich": ("cli/",),
    "shapely": (
        "rules/",
        "raster/stairs.py",
        "raster/keyholes.py",
        "readers/_labelme_shapes.py",
    ),
    "ray": ("engines/ray.py",),
    "msgspec": ("readers/", "records.py"),
    "labelme": (),  # GPL: started as a program, never imported
    "pycocotools": (),
}
# OpenCV takes long to load: at the top of a file only where the file is a choice that needs it.
OPENCV = ("rules/", "writers/", "training/", "prediction/", "io/video.py")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


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


def seen_by(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of the package that a file imports, and the folders it loads choices of."""
    yield from (name for _, name in imports(tree) if name.startswith("maskforge."))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("plugins."):
            yield from (f"maskforge.{a.value}.*" for a in node.args if isinstance(a, ast.Constant))


every_file = pytest.mark.parametrize("path", FILES, ids=name_of)


def test_a_folder_imports_only_what_stands_before_it_on_the_road() -> None:
    for path in FILES:
        own = path.relative_to(ROOT).parts[0]
        before = ROAD[: ROAD.index(own)] if own in ROAD else ()
        for name in seen_by(tree_of(path)):
            other = name.split(".")[1]
            is_free = other not in ROAD or other == own or name_of(path) in FRONT_DOORS
            assert is_free or other in before, f"{name_of(path)} must not know {name}"


def test_the_top_is_the_road_and_little_beside_it() -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == set(ROAD)
    assert len(list(ROOT.glob("*.py"))) <= MOST_AT_THE_TOP


@every_file
def test_choices_do_not_know_each_other(path: Path) -> None:
    """What users choose by name shares helpers only, whose names begin with an underscore."""
    if path.name in FRONT_DOORS:
        return
    folder = ".".join(["maskforge", *path.relative_to(ROOT).parts[:-1]])
    for name in seen_by(tree_of(path)):
        home, _, module = name.rpartition(".")
        is_helper = module.startswith("_")
        assert not is_helper or home == folder, f"{name} is another folder's own"
        assert folder not in CHOICES or home != folder or is_helper, f"{name} is another choice"


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
