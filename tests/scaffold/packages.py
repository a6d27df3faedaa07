"""A package that `flit plugins new` wrote, as if it were installed: its metadata beside it on the path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class Package:
    """A package in a folder, and the ways to run something in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]

    def install(self) -> None:
        """Write what an installer would: the metadata and the entry points."""
        name, version = self.project["name"], self.project["version"]
        info = self.folder / "src" / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {each}\n" for each in self.project["dependencies"])
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        points = [
            line
            for group, found in self.project["entry-points"].items()
            for line in (f"[{group}]", *(f"{key} = {value}" for key, value in found.items()), "")
        ]
        (info / "entry_points.txt").write_text("\n".join(points))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a module of this interpreter in the package's folder, with the package on the path."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "src")}
        arguments = [sys.executable, "-m", *command]
        return subprocess.run(arguments, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def kit(self, name: str, level: str) -> dict[str, Any]:
        """Return what `flit plugins test` says of the plugin."""
        done = self.run("flitstack", "plugins", "test", name, "--level", level, "--json")
        assert done.stdout, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said
