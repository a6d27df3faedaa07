"""What every plugin must show, whatever it registers: its import, its hooks, its place beside core."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack import __version__
from flitstack.beside import FOLDER
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.suite import Suite, does_not_apply

if TYPE_CHECKING:
    from flitstack.registry import Plugin

MOST_MODULES = 60
MOST_IMPORT_S = 1.0
_HEAVY = ("httpx", "httpx2", "requests", "aiohttp", "sqlite_utils", "jinja2", "rich", "pandas")
_EVENTS = (
    "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.remove", "os.mkdir", "os.rename", "os.utime",
    "os.chmod", "os.system",
)  # fmt: skip
_IMPORTING = """
import os, sys, time
import flitstack.hookspecs
{first}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
def watch(event, args):
    if event in {events!r}:
        sys.exit("importing it uses " + event + ": do that inside the factory instead")
    if event == "open" and args[2] & WRITES and "__pycache__" not in str(args[0]):
        sys.exit("importing it writes a file: do that inside the factory instead")
sys.dont_write_bytecode = True
before, began = set(sys.modules), time.perf_counter()
sys.addaudithook(watch)
{importing}
took, new = time.perf_counter() - began, set(sys.modules) - before
print(took, len(new), ",".join(sorted(new & set({heavy!r}))))
"""
_WITHOUT = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {module!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Gone())
from flitstack.registry import load_plugins
registry = load_plugins()
print(",".join(broken.name for broken in registry.broken))
from flitstack.cli import cli
cli(["plugins", "list"], standalone_mode=False)
"""


class PluginSuite(Suite):
    """What all suites have in common; by itself, the suite of a plugin that only observes."""

    kind = "plugin"

    @check("C3", "bronze")
    def test_importing_it_is_quick_and_does_nothing(self) -> None:
        """Importing the plugin is quick, and opens no connection, writes no file and loads no heavy library."""
        said = _in_a_process(_IMPORTING.format(**self._importing(), heavy=_HEAVY, events=_EVENTS))
        took, modules, heavy = said.split(" ", 2)

        instead = "import inside the factory that `open` is instead"
        assert not heavy.strip(), f"importing it imports {heavy.strip()}: {instead}"
        assert int(modules) <= MOST_MODULES, (
            f"importing it imports {modules} modules, at most {MOST_MODULES} are let pass: {instead}"
        )
        assert float(took) <= MOST_IMPORT_S, (
            f"importing it takes {took} s, at most {MOST_IMPORT_S} are let pass: {instead}"
        )

    @check("C4", "bronze")
    def test_hooks_are_plain_typed_functions(self, loaded: Plugin) -> None:
        """Its hooks have the arguments of the specification, and their types are stated."""
        holder = self._object()
        for name in loaded.hooks:
            hook = getattr(holder, name)
            assert not inspect.iscoroutinefunction(hook), f"{name} is no plain function"
            parameters = [p for p in inspect.signature(hook).parameters.values() if p.name != "self"]
            bare = [p.name for p in parameters if p.annotation is inspect.Parameter.empty]
            assert not bare, f"{name}: {', '.join(bare)} has no type"

    @check("C6", "bronze")
    def test_it_says_which_core_it_needs(self, loaded: Plugin) -> None:
        """The distribution depends on flitstack, in a range that holds the core it is tested with."""
        from packaging.requirements import Requirement

        if not loaded.distribution:
            does_not_apply("it is one file" if _file_of(self.plugin) else "it was handed over as an object")
        if loaded.distribution == "flitstack":
            return
        asked = [Requirement(text) for text in importlib.metadata.requires(loaded.distribution) or ()]
        ours = [one for one in asked if one.name == "flitstack"]
        assert ours, f"{loaded.distribution} does not depend on flitstack"
        assert ours[0].specifier.contains(__version__, prereleases=True), f"{ours[0]} leaves out {__version__}"

    @check("C8", "bronze")
    def test_its_commands_hide_none_of_core(self) -> None:
        """`flit --help` answers without a warning."""
        done = subprocess.run(
            [sys.executable, "-m", "flitstack", "--help"], capture_output=True, text=True, check=False
        )

        said = " ".join(done.stderr.split())
        assert done.returncode == 0, f"`flit --help` ended with {done.returncode}, and said: {said}"
        assert "warning" not in done.stderr, f"`flit --help` must say nothing on stderr, and said: {said}"

    @check("C9", "bronze")
    def test_core_works_without_it(self) -> None:
        """When its package is gone, flit says so and works with the others."""
        package = self._module().partition(".")[0]
        if package == "flitstack":
            does_not_apply("it is part of core")
        broken = _in_a_process(_WITHOUT.format(module=package)).splitlines()[0].split(",")

        others = sorted(set(broken) - {"", str(self.plugin), *_siblings(package)})
        assert not others, (
            f"without {package} other plugins are left out too: {', '.join(others)}; they import it, and no plugin "
            "imports another (docs/plugins.md)"
        )

    def _object(self) -> Any:
        if not isinstance(self.plugin, str):
            return self.plugin
        points = [p for p in importlib.metadata.entry_points(group="flitstack") if p.name == self.plugin]
        if not points:
            does_not_apply("it has no entry point")
        return points[0].load()

    def _importing(self) -> dict[str, str]:
        """Return how it is imported, and what must be there first, as Python text."""
        file = _file_of(self.plugin)
        if file is None:
            return {"first": "", "importing": f"import {self._module()}"}
        journal = file.parent.with_name("journal")  # only its folder counts
        first = (
            f"from pathlib import Path\nfrom flitstack.beside import load_file_plugin\nplace = Path({str(journal)!r})"
        )
        return {"first": first, "importing": f"load_file_plugin(place, {file.stem!r})"}

    def _module(self) -> str:
        if not isinstance(self.plugin, str):
            does_not_apply("it is one file" if _file_of(self.plugin) else "it was handed over as an object")
        points = [p for p in importlib.metadata.entry_points(group="flitstack") if p.name == self.plugin]
        if not points:
            does_not_apply("it has no entry point")
        return points[0].module


def _file_of(plugin: Any) -> Path | None:
    """Return the file of a plugin that is one file beside a journal, None for any other."""
    path = Path(getattr(plugin, "__file__", None) or "")
    ours = inspect.ismodule(plugin) and path.parent.name == FOLDER and plugin.__name__ == f"{FOLDER}_{path.stem}"
    return path if ours else None


def _siblings(package: str) -> set[str]:
    points = importlib.metadata.entry_points(group="flitstack")
    return {point.name for point in points if point.module.partition(".")[0] == package}


def _in_a_process(code: str) -> str:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it failed"
    return done.stdout
