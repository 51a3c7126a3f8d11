"""The table of presets: each setting that is not the same in all of them."""

from __future__ import annotations

from dataclasses import asdict

from _make import markdown
from maskforge.prediction.config import names
from maskforge.training.presets import PRESETS


def table() -> str:
    """Return the table, a row a setting, a column a preset."""
    columns = {name: asdict(config) for name, config in PRESETS.items()}
    rows = [
        [setting.replace("_", " "), *(_shown(c[setting]) for c in columns.values())]
        for setting in names()
        if len({repr(c[setting]) for c in columns.values()}) > 1
    ]
    return markdown.table(["setting", *(f"`{name}`" for name in columns)], rows)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        value = [f"{key}={item}" for key, item in value.items()]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)
