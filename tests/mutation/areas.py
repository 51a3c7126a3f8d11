"""What is mutated, and which tests should notice: the tests of a file first, then wider ones."""

from __future__ import annotations

from typing import NamedTuple


class Area(NamedTuple):
    """files: source file → its own tests. wider: groups of tests that are asked then, in turn."""

    files: dict[str, str]
    wider: tuple[str, ...]


_LAW = ("test_law.py conversion io", "fuzz/test_history.py", "fuzz/test_death.py")

AREAS: dict[str, Area] = {
    "raster": Area(
        {
            "raster/raster.py": "raster/test_raster.py",
            "raster/runs.py": "raster/test_runs.py raster/test_overlap.py",
            "raster/rle.py": "raster/test_rle.py",
            "raster/transform.py": "raster/test_transform.py",
            "raster/label_image.py": "raster/test_label_image.py",
            "raster/geometry.py": "raster/test_geometry.py",
        },
        ("raster writers", "conversion test_samples.py"),
    ),
    "outlines": Area(
        {
            "raster/regions.py": "raster/test_regions.py",
            "raster/trace.py": "raster/test_trace.py",
            "raster/keyholes.py": "raster/test_keyholes.py",
            "raster/specks.py": "raster/test_specks.py",
            "raster/arcs.py": "raster/test_arcs.py",
            "raster/stairs.py": "raster/test_stairs.py raster/test_simplify.py",
            "raster/simplify.py": "raster/test_simplify.py",
        },
        ("raster fuzz/test_outlines.py",),
    ),
    "rules": Area(
        {
            "rules/_lines.py": "rules/test_coco.py rules/test_pixel_center.py",
            "rules/_parity.py": "rules/test_coco.py rules/test_opencv.py",
            "rules/_pieces.py": "rules/test_coco.py rules/test_contract.py",
            "rules/_scratch.py": "rules/test_opencv.py rules/test_contract.py",
            "rules/_ties.py": "rules/test_ties.py",
            "rules/coco.py": "rules/test_coco.py",
            "rules/labelme.py": "rules/test_labelme.py",
            "rules/opencv.py": "rules/test_opencv.py",
            "rules/pixel_center.py": "rules/test_pixel_center.py rules/test_pixel_center_rings.py",
        },
        ("rules raster", "test_robustness.py test_samples.py"),
    ),
    "overlap": Area(
        {"raster/overlap.py": "raster/test_overlap.py"},
        ("raster writers", "test_robustness.py"),
    ),
    "sinks": Area(
        {
            "io/stage.py": "io/test_stage.py io/test_aside.py",
            "io/shelf.py": "io/test_shelf.py io/test_stage.py",
            "io/exchange.py": "io/test_stage.py io/test_aside.py",
            "io/ownership.py": "io/test_ownership.py io/test_growing.py io/test_stage.py",
            "io/lock.py": "io/test_lock.py",
            "io/aside.py": "io/test_aside.py",
            "io/copying.py": "io/test_copying.py",
        },
        (*_LAW, "training/test_run_folder.py prediction/test_outputs.py"),
    ),
    "resume": Area(
        {
            "conversion/sinks.py": "conversion/test_sinks_run.py conversion/test_sinks_room.py",
            "conversion/image.py": "conversion/test_image.py conversion/test_sinks_run.py",
            "conversion/manifest.py": "conversion/test_manifest.py",
            "io/manifest.py": "conversion/test_manifest.py",
            "training/run_folder.py": "training/test_run_folder.py",
            "training/checkpoint.py": "training/test_checkpoint.py",
        },
        (*_LAW, "test_robustness.py training/test_loop.py"),
    ),
    "class ids": Area(
        {
            "classes.py": "test_classes.py",
            "io/label_lists.py": "io/test_label_lists.py",
            "readers/masks/decoding.py": "readers/masks/test_decoding.py readers/masks/kinds",
            "readers/masks/meaning.py": "readers/masks",
        },
        ("test_classes.py readers/masks datasets", "conversion test_samples.py"),
    ),
    "metrics": Area(
        {
            "scores/metrics.py": "scores/test_metrics.py",
            "scores/boundary.py": "scores/test_boundary.py",
            "scores/scorer.py": "scores/test_scorer.py",
            "datasets/comparing.py": "datasets/test_comparing.py",
        },
        ("scores datasets", "training/test_validation.py cli/test_evaluate.py"),
    ),
    "losses": Area(
        {"training/losses.py": "training/test_losses.py"},
        ("training/test_loop.py",),
    ),
    "optimizer set-up": Area(
        {
            "training/optim.py": "training/test_optim.py",
            "training/schedules.py": "training/test_schedules.py",
            "training/ema.py": "training/test_ema.py",
            "training/loader.py": "training/test_loader.py",
            "prediction/sizes.py": "prediction/test_sizes.py training/test_loader.py",
            "training/samples.py": "training/test_samples.py",
            "training/loop.py": "training/test_loop.py",
            "training/run.py": "training/test_run.py",
        },
        (
            "training/test_loader.py training/test_checkpoint.py training/test_validation.py",
            "training/test_loop.py",
            "training/test_run_folder.py training/test_tensorboard.py cli/test_train.py",
        ),
    ),
}
