"""What every plugin must show, whatever it registers: its import, its hooks, its place beside core."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from flitstack import __version__
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.suite import Suite, does_not_apply

if TYPE_CHECKING:
    from flitstack.registry import Plugin

MOST_MODULES = 60
MOST_IMPORT_S = 1.0
_HEAVY = ("httpx", "httpx2", "requests", "aiohttp", "sqlite_utils", "jinja2", "rich", "pandas")
_IMPORTING = """
import sys, time
import flitstack.hookspecs
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.remove", "os.mkdir"):
        sys.exit("it uses " + event)
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        if "__pycache__" not in str(args[0]):
            sys.exit("it writes a file")
sys.dont_write_bytecode = True
before, began = set(sys.modules), time.perf_counter()
sys.addaudithook(watch)
import {module}
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
        said = _in_a_process(_IMPORTING.format(module=self._module(), heavy=_HEAVY))
        took, modules, heavy = said.split(" ", 2)

        assert not heavy.strip(), f"importing it imports {heavy.strip()}: import inside the factory instead"
        assert int(modules) <= MOST_MODULES, f"importing it imports {modules} modules"
        assert float(took) <= MOST_IMPORT_S, f"importing it takes {took} s"

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
            does_not_apply("it was handed over as an object")
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

        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stderr, done.stderr

    @check("C9", "bronze")
    def test_core_works_without_it(self) -> None:
        """When its package is gone, flit says so and works with the others."""
        package = self._module().partition(".")[0]
        if package == "flitstack":
            does_not_apply("it is part of core")
        broken = _in_a_process(_WITHOUT.format(module=package)).splitlines()[0].split(",")

        assert set(broken) <= {"", str(self.plugin), *_siblings(package)}

    def _object(self) -> Any:
        if not isinstance(self.plugin, str):
            return self.plugin
        points = [p for p in importlib.metadata.entry_points(group="flitstack") if p.name == self.plugin]
        if not points:
            does_not_apply("it has no entry point")
        return points[0].load()

    def _module(self) -> str:
        if not isinstance(self.plugin, str):
            does_not_apply("it was handed over as an object")
        points = [p for p in importlib.metadata.entry_points(group="flitstack") if p.name == self.plugin]
        if not points:
            does_not_apply("it has no entry point")
        return points[0].module


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
