"""Finds the commands that installed distributions add, by reading their entry points where installers write them.

The standard library's reader of metadata brings e-mail and zip archives along, and so costs as much as all the rest of
`flit --help`. Only folders are looked into; that is where pip, uv and editable installs put them.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

METADATA = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}
_SEPARATORS = re.compile(r"[-_.]+")


class CommandPoint(NamedTuple):
    """An entry point that adds a command: `value` is `module:attribute`."""

    name: str
    value: str
    distribution: str
    version: str


def command_points(group: str) -> list[CommandPoint]:
    """Return the entry points of a group, in the order of the path; of a distribution found twice, the first."""
    seen: set[str] = set()
    found: list[CommandPoint] = []
    for folder in sys.path:
        for info in _infos(folder or "."):
            project = _SEPARATORS.sub("_", os.path.basename(info).rpartition(".")[0].partition("-")[0]).lower()
            if project not in seen:
                seen.add(project)
                found += _points(info, group)
    return found


def _infos(folder: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return  # an archive, or a folder that is not there
    yield from (os.path.join(folder, name) for name in names if os.path.splitext(name)[1] in METADATA)


def _points(info: str, group: str) -> Iterator[CommandPoint]:
    text = _text(os.path.join(info, "entry_points.txt"))
    if f"[{group}]" not in text:
        return
    about = _text(os.path.join(info, METADATA[os.path.splitext(info)[1]])).partition("\n\n")[0]
    head = dict(line.split(": ", 1) for line in about.splitlines() if ": " in line)
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line
        elif section == f"[{group}]" and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield CommandPoint(name.strip(), value.strip(), head.get("Name", "unknown"), head.get("Version", ""))


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
