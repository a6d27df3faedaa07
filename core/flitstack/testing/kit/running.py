"""Runs the suites that fit a plugin, in a process of their own, and returns what came of it as data."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack import __version__, testing
from flitstack.beside import find_file_plugins, load_file_plugin
from flitstack.errors import ConfigurationError, PluginError, UsageError
from flitstack.protocols import (
    DestinationPlugin,
    MappingTemplate,
    Proposer,
    SourcePlugin,
    Transform,
    Validator,
)
from flitstack.registry import GROUP, load_plugins
from flitstack.testing.kit.levels import LEVELS, Level, is_within, sort_key
from flitstack.testing.kit.suite import checks_of
from flitstack.testing.simulation.port import load_named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.registration import Registered
    from flitstack.registry import Plugin, Registry

KIT_VERSION = 3
"""Changes when a standard test is added to a level or made stricter; a result names it."""

SUITES: Mapping[type, str] = {
    SourcePlugin: "SourceSuite",
    DestinationPlugin: "DestinationSuite",
    Transform: "TransformSuite",
    Validator: "ValidatorSuite",
    MappingTemplate: "TemplateSuite",
    Proposer: "ProposerSuite",
}


def run_kit(
    plugin: str, level: Level = "gold", *, port: str = "", ids: Sequence[str] = (), beside: Path | None = None
) -> dict[str, Any]:
    """Return what the standard tests make of a plugin.

    :param plugin: name of its entry point, `MODULE:NAME` of an object with hook implementations, or the name of a
        confirmed file beside the journal that `beside` names.
    :param port: `MODULE:NAME` or `FILE.py:NAME`, in place of the one that the entry point names.
    :param ids: only the tests of these ids, in any case of letters.
    :return: `plugin`, `distribution`, `version`, `kit`, `core`, `asked`, `only`, `reached` (a level or ""), `counts` by
        outcome, `seconds`, and `results`: per test `id, level, kind, suite, test, title, outcome, reason, seconds`.
    :raises ConfigurationError: pytest is not installed. :raises PluginError: there is no such plugin.
    :raises UsageError: no test has one of the ids, or a file beside the journal has the name of an installed plugin.
    :raises ApprovalNeeded: nobody has confirmed the file as it is.
    """
    if importlib.util.find_spec("pytest") is None:
        raise ConfigurationError('The test-kit needs pytest: pip install "flitstack[testing]".')
    place, loaded = _found(plugin, beside)
    suites = _suites_for(loaded)
    wanted = _known_ids(ids, suites, level)
    began = time.monotonic()
    results = run_module(_module(suites, place, _absolute(port), level), wanted)
    found = _summed(plugin, loaded, level, results, time.monotonic() - began)
    return {**found, "only": wanted, "reached": ""} if wanted else {**found, "only": []}


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
        why = [line.removeprefix("E ").strip() for line in said if line.startswith("E ")] or said[-1:]
        raise PluginError(f"No standard test ran. {why[-1] if why else ''}".strip())
    return list(results)


def _found(name: str, beside: Path | None) -> tuple[str, Plugin]:
    """Return a plugin, and the text by which a test module names it."""
    place = repr(name)
    if ":" in name:
        registry = load_plugins([], {name: load_named(name, "plugin")})
    elif beside is not None and _is_beside(beside, name):
        registry = load_plugins([], {name: load_file_plugin(beside, name)})
        place = f"load_file_plugin(Path({str(beside.absolute())!r}), {name!r})"
    else:
        registry = _installed(name, beside)
    for broken in registry.broken:
        raise PluginError(f"{broken.title} cannot be used: {broken.cause}.")
    return place, registry.plugins[0]


def _installed(name: str, beside: Path | None) -> Registry:
    """:raises PluginError: none of that name is installed; it says which are, here and beside the journal."""
    try:
        return load_plugins([name])
    except PluginError as exc:
        files = ", ".join(plugin.name for plugin in find_file_plugins(beside)) if beside is not None else ""
        raise PluginError(f"{exc} Files beside {beside}: {files}." if files else str(exc)) from exc


def _is_beside(journal: Path, name: str) -> bool:
    """Tell whether a name stands for a file beside a journal.

    :raises UsageError: it stands for an installed plugin too.
    """
    found = next((plugin for plugin in find_file_plugins(journal) if plugin.name == name), None)
    if found is not None and any(point.name == name for point in entry_points(group=GROUP)):
        raise UsageError(f"{found.path}: a plugin of the same name is installed. Rename the file, and confirm it anew.")
    return found is not None


def _known_ids(ids: Sequence[str], suites: Sequence[str], level: Level) -> list[str]:
    """Return the ids as the tests have them.

    :raises UsageError: no test has one of them, or none that goes as far as the level.
    """
    levels: dict[str, list[Level]] = {}
    for suite in suites:
        for standard in checks_of(getattr(testing, suite)):
            levels.setdefault(standard.id, []).append(standard.level)
    wanted = list(dict.fromkeys(one.strip().upper() for one in ids))
    if unknown := [one for one in wanted if one not in levels]:
        raise UsageError(
            f"No standard test of this kind of plugin has the id {' or '.join(unknown)}. "
            f"Known: {', '.join(sorted(levels, key=sort_key))}."
        )
    for one in wanted:
        if not any(is_within(each, level) for each in levels[one]):
            raise UsageError(f"{one} belongs to {levels[one][0]}, and only {level} was asked for. Leave --level out.")
    return wanted


def _absolute(port: str) -> str:
    """Return a port's place as it is found from any folder."""
    file, colon, name = port.rpartition(":")
    return f"{Path(file).absolute()}{colon}{name}" if file.endswith(".py") else port


def _suites_for(plugin: Plugin) -> list[str]:
    things: Sequence[Registered] = plugin.registered
    found = list(dict.fromkeys(SUITES[type(thing)] for thing in things if type(thing) in SUITES))
    return found or ["PluginSuite"]


def _module(suites: Sequence[str], plugin: str, port: str, level: str) -> str:
    """Return a test module as an author would write it; the plugin is Python text."""
    lines = ["from pathlib import Path", "from flitstack.beside import load_file_plugin"]
    lines += [f"from flitstack.testing import {', '.join(suites)}", ""]
    for suite in suites:
        lines += ["", f"class Test{suite.removesuffix('Suite')}({suite}):", f"    plugin = {plugin}"]
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
