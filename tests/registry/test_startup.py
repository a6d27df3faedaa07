"""`flit --help` asks no plugin, however many are installed; `tests.benchmarks.engine.startup` measures the time."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.registry.dummies import install_dummies

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 50
CODE = """
import sys
from flitstack.cli import cli
try:
    cli(sys.argv[1:])
except SystemExit as done:
    assert done.code == 0
print(' '.join(sys.modules), file=sys.stderr)
"""
#: What `--help` has imported beyond a bare interpreter, with room for a few more: each costs up to half a millisecond.
MOST_MODULES = 165


def modules_after(folder: Path, *arguments: str) -> tuple[str, list[str]]:
    """Return what a command printed, and the modules that it had imported by then."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", CODE, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr.split()


def test_help_with_fifty_plugins_imports_none_of_them(tmp_path: Path) -> None:
    install_dummies(tmp_path, COUNT)

    printed, imported = modules_after(tmp_path, "--help")

    assert all(f"dummy{number}" in printed for number in range(COUNT)), "their commands are listed by name"
    assert [name for name in imported if name.startswith("dummy")] == []
    assert set(imported) & {"httpx", "jinja2", "rich", "sqlite_utils", "jsonschema", "pluggy", "pytest"} == set()


def test_help_imports_few_modules(tmp_path: Path) -> None:
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(len(sys.modules))"], capture_output=True, text=True, check=True
    )

    _, imported = modules_after(tmp_path, "--help")

    assert len(imported) - int(bare.stdout) <= MOST_MODULES


def test_a_command_of_core_imports_no_plugin_that_it_does_not_need(tmp_path: Path) -> None:
    install_dummies(tmp_path, COUNT)

    _, imported = modules_after(tmp_path, "plugins", "new", "--help")

    assert [name for name in imported if name.startswith("dummy")] == []
