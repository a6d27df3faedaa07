"""Runs the suites that fit a plugin, in a process of their own, and returns what came of it as data."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack import __version__
from flitstack.errors import ConfigurationError, PluginError
from flitstack.protocols import (
    DestinationPlugin,
    MappingTemplate,
    SourcePlugin,
    Transform,
    Validator,
)
from flitstack.registry import load_plugins
from flitstack.testing.kit.levels import LEVELS, Level, is_within
from flitstack.testing.simulation.port import load_named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.registration import Registered
    from flitstack.registry import Plugin

KIT_VERSION = 1
"""Changes when a standard test is added to a level or made stricter; a result names it."""

SUITES: Mapping[type, str] = {
    SourcePlugin: "SourceSuite",
    DestinationPlugin: "DestinationSuite",
    Transform: "TransformSuite",
    Validator: "ValidatorSuite",
    MappingTemplate: "TemplateSuite",
}


def run_kit(
    plugin: str, level: Level = "gold", *, port: str = "", ids: Sequence[str] = (), suites: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what the standard tests make of a plugin.

    :param plugin: name of its entry point, or `MODULE:NAME` of an object with hook implementations.
    :param port: `MODULE:NAME`, in place of the one that the entry point names.
    :param ids: only the tests of these ids. :param suites: only these; left out, all that fit what it registers.
    :return: `plugin`, `distribution`, `version`, `kit`, `core`, `asked`, `only`, `reached` (a level or ""), `counts` by
        outcome, `seconds`, and `results`: per test `id, level, kind, suite, test, title, outcome, reason, seconds`.
    :raises ConfigurationError: pytest is not installed. :raises PluginError: there is no such plugin.
    """
    if importlib.util.find_spec("pytest") is None:
        raise ConfigurationError('The test-kit needs pytest: pip install "flitstack[testing]".')
    loaded = _loaded(plugin)
    wanted = list(suites) or _suites_for(loaded)
    began = time.monotonic()
    results = run_module(_module(wanted, plugin, port, level), ids)
    found = _summed(plugin, loaded, level, results, time.monotonic() - began)
    return {**found, "only": list(ids), "reached": ""} if ids else {**found, "only": []}


def run_module(text: str, ids: Sequence[str] = (), *, first: bool = False) -> list[dict[str, Any]]:
    """Return what became of each standard test of a test module, run in a process of its own.

    :param ids: only these, `W3`, or `TestMine:W3` for those of one class.
    :param first: leave out the rest of a class once one of its tests failed.
    :raises PluginError: none ran.
    """
    with tempfile.TemporaryDirectory(prefix="flit-kit-") as folder:
        file, result = Path(folder) / "test_plugin.py", Path(folder) / "result.json"
        file.write_text(text, encoding="utf-8")
        environment = {
            **os.environ, "FLITSTACK_KIT_RESULT": str(result), "FLITSTACK_KIT_IDS": ",".join(ids),
            "FLITSTACK_KIT_FIRST": "1" if first else "",
            "PYTHONPATH": os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH", "")))),
        }  # fmt: skip
        done = subprocess.run(  # noqa: S603 - our own interpreter on our own file
            [
                *(sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", folder, "-W", "error"),
                *("-p", "no:cacheprovider", "-p", "flitstack.testing.kit.collecting", "--tb=short", str(file)),
            ],
            capture_output=True, text=True, check=False, env=environment, cwd=folder,
        )  # fmt: skip
        results = json.loads(result.read_text("utf-8")) if result.exists() else []
    if not results:
        said = (done.stdout + done.stderr).strip().splitlines()
        if ids and said and "deselected" in said[-1]:
            raise PluginError(f"No standard test of this kind of plugin has the id {' or '.join(ids)}.")
        raise PluginError(f"No standard test ran. {said[-1] if said else ''}".strip())
    return list(results)


def _loaded(name: str) -> Plugin:
    registry = load_plugins([], {name: load_named(name, "plugin")}) if ":" in name else load_plugins([name])
    for broken in registry.broken:
        raise PluginError(f"{broken.title} cannot be used: {broken.cause}.")
    return registry.plugins[0]


def _suites_for(plugin: Plugin) -> list[str]:
    things: Sequence[Registered] = plugin.registered
    found = list(dict.fromkeys(SUITES[type(thing)] for thing in things if type(thing) in SUITES))
    return found or ["PluginSuite"]


def _module(suites: Sequence[str], plugin: str, port: str, level: str) -> str:
    """Return a test module as an author would write it."""
    lines = [f"from flitstack.testing import {', '.join(suites)}", ""]
    for suite in suites:
        lines += ["", f"class Test{suite.removesuffix('Suite')}({suite}):", f"    plugin = {plugin!r}"]
        lines += [f"    level = {level!r}"] + ([f"    port = {port!r}"] if port and suite == "DestinationSuite" else [])
    return "\n".join(lines) + "\n"


def _summed(plugin: str, loaded: Plugin, level: Level, results: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    outcomes = [one["outcome"] for one in results]
    return {
        "plugin": plugin,
        "distribution": loaded.distribution,
        "version": loaded.version,
        "core": __version__,
        "kit": KIT_VERSION,
        "asked": level,
        "reached": reached(results, level),
        "counts": {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)},
        "seconds": round(seconds, 1),
        "results": [{**one, "seconds": round(one["seconds"], 2)} for one in results],
    }


def reached(results: Sequence[Mapping[str, Any]], asked: Level) -> str:
    """Return the highest level of which nothing failed, was waived, or was left out for what its author left out."""
    best = ""
    for level in LEVELS:
        if not is_within(level, asked):
            break
        if any(one["level"] == level and one["outcome"] not in ("passed", "not_applicable") for one in results):
            break
        best = level
    return best
