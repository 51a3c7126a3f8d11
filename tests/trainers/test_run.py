"""The checks of ``make trainers`` whose trainers are installed here: all that CI has room for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torchvision_ops
from trainers import run

torchvision_ops.declare()


@pytest.mark.parametrize(
    ("check", "needs"),
    [
        ("COCO", "pycocotools"),
        ("VOC, COCO", "torchvision"),
        ("mmseg, PaddleSeg", "numpy"),
        ("smp, an epoch", "segmentation_models_pytorch"),
    ],
)
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools
def test_the_set_up_is_read(check: str, needs: str, tmp_path: Path) -> None:
    pytest.importorskip(needs)
    _, _, read = run.CHECKS[check]
    assert read(tmp_path)


def test_what_is_read_otherwise_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def otherwise(place: Path) -> str:
        raise AssertionError("three masks are empty")

    monkeypatch.setattr(run, "CHECKS", {"COCO": ("numpy", "--layout coco", otherwise)})
    [(_, _, _, found, is_right)] = run.rows(tmp_path)
    assert (found, is_right) == ("AssertionError: three masks are empty", False)
    assert run.main() == 1
