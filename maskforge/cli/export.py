"""Export a trained network to an ONNX or torch.export file."""

from __future__ import annotations

from pathlib import Path

import click

from maskforge import extras
from maskforge.api import torch_part
from maskforge.cli import _console, _help, _options
from maskforge.errors import UsageError


def run(checkpoint: str, *, out: str | None, overwrite: bool, quiet: bool) -> int:
    """Export the network CHECKPOINT to a file that runs without maskforge: .onnx, or .pt2 for
    torch.export.

    It takes "images", uint8 (N, H, W, 3) in RGB, height and width multiples of the network's
    divisor, and gives "probabilities", float32 (N, C, H, W). The file is compared with the
    checkpoint before it is written. `maskforge predict` and `maskforge evaluate` take an .onnx file
    as they take a checkpoint, and need onnxruntime instead of torch.

    \b
    Examples:
      maskforge export runs/people/best.pt
      maskforge export runs/people/best.pt -o people.onnx
      maskforge export runs/people/best.pt -o people.pt2
      maskforge predict people.onnx photos/ -o predicted
    """
    from maskforge.api.predicting import named
    from maskforge.cli._console import escape

    console = _console.console(quiet=quiet)
    source = named(checkpoint)
    if source.suffix == ".onnx":
        raise UsageError(
            f"only a checkpoint can be exported, but got {str(source)!r}",
            cure="maskforge predict and maskforge evaluate take it as it is",
        )
    target = Path(out) if out else source.with_suffix(".onnx")
    done = torch_part.load("export").export(source, target, overwrite=overwrite)
    divisor, classes = done.metadata.divisor, len(done.metadata.classes)
    console.print(f"[bold]exported[/]: {escape(str(target))}, {done.size / 1e6:.2f} MB")
    console.print(
        escape(
            f"images: uint8 (N, H, W, 3), RGB, H and W multiples of {divisor}; "
            f"probabilities: float32 (N, {classes}, H, W)"
        )
    )
    if done.difference is None:
        install = extras.install("onnx", "onnxruntime")
        console.print(f"not compared with the checkpoint: {escape(install)}, and export again")
    else:
        console.print(f"its probabilities differ from the checkpoint's by {done.difference:.1g}")
    if target.suffix == ".onnx":
        _console.then(console, ["predict", str(target)], more="PHOTOS")
    return 0


_OPTIONS = [
    _help.option(
        "-o",
        "--out",
        type=_help.path(),
        group="output",
        metavar="FILE",
        help="File to write, .onnx or .pt2. [default: beside the checkpoint, .onnx]",
    ),
    _help.option("--overwrite", is_flag=True, help="Replace a file that an export has made."),
    _options.quiet_option(),
]

command = _help.command("export")(
    click.argument("checkpoint", type=_help.path(), metavar="CHECKPOINT")(
        _options.apply(run, _OPTIONS)
    )
)
