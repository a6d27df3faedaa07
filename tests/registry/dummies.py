"""Installs many small plugins in a folder that is put on the path, each with a hook and a command of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """\
import httpx, jinja2, rich, sqlite_utils  # as careless as a plugin can be
from flitstack.hookspecs import hookimpl

@hookimpl
def flit_run_started(run_id):
    pass
"""


def install_dummies(folder: Path, count: int) -> None:
    """Write the plugins `dummy0`, `dummy1` ..., which import everything heavy as soon as they are imported."""
    for number in range(count):
        name = f"dummy{number}"
        (folder / f"{name}.py").write_text(MODULE)
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        points = f"[flitstack]\n{name} = {name}\n\n[flitstack.commands]\n{name} = {name}:command\n"
        (info / "entry_points.txt").write_text(points)
