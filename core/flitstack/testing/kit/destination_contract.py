"""The contract of a destination: what it declares, its settings, its import, its errors; no record is read back yet."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from flitstack import __version__
from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    Fatal,
    FlitError,
    InDoubt,
    NotSent,
    PlanLimit,
    RateLimited,
    Rejected,
    SettingsError,
    Unavailable,
)
from flitstack.settings import resolve_settings
from flitstack.testing.kit.bench import DestinationBench, key
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.loads import contacts
from flitstack.testing.kit.suite import does_not_apply

if TYPE_CHECKING:
    from flitstack.protocols import Behaviours, DestinationPlugin
    from flitstack.registry import Plugin
    from flitstack.testing.kit.bench import Bench

MOST_MODULES = 60
MOST_IMPORT_S = 1.0
OUTCOMES = (NotSent, RateLimited, BudgetExhausted, InDoubt, Rejected, AuthError, PlanLimit, Unavailable, Fatal)
#: What a fault on a write must be called; anything else loses a record or writes it twice.
MEANINGS: dict[str, tuple[type[Exception], ...]] = {
    "connect": (NotSent,),
    "lost": (InDoubt,),
    "commit_then_drop": (InDoubt,),
    "commit_then_5xx": (InDoubt,),
    "refused_5xx": (InDoubt, Unavailable),
    "truncated": (InDoubt,),
    "not_json": (InDoubt,),
    "signed_out": (AuthError,),
    "blocked": (AuthError, Unavailable, RateLimited, InDoubt),
}
_HEAVY = ("httpx", "httpx2", "requests", "aiohttp", "sqlite_utils", "jinja2", "rich", "pandas")
_IMPORTING = """
import sys, time
import flitstack.hookspecs
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.remove", "os.mkdir"):
        sys.exit("it uses " + event)
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+") and "__pycache__" not in str(args[0]):
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


class ContractPart(DestinationBench):
    """C1 to C9."""

    kind = "destination"

    @check("C1", "bronze")
    def test_behaviours_are_complete_and_agree_with_themselves(self, offered: DestinationPlugin) -> None:
        """What the destination declares of itself is complete and does not contradict itself."""
        wrong = _contradictions(offered.behaviours)

        assert not wrong, "; ".join(wrong)

    @check("C2", "bronze")
    def test_settings_have_a_schema_that_helps(self, offered: DestinationPlugin) -> None:
        """The settings are a valid JSON Schema, defaults fit it, and a mistyped name is refused with the right one."""
        schema: Any = offered.settings_schema
        jsonschema.Draft202012Validator.check_schema(schema)
        properties = schema.get("properties", {})
        for name, setting in properties.items():
            if isinstance(setting, dict) and "default" in setting:
                jsonschema.validate(setting["default"], setting)
        if not properties:
            does_not_apply("it has no settings")
        name = max(properties, key=len)

        with pytest.raises(SettingsError, match=name):
            resolve_settings(schema, what="destination", prefix="dest", given={f"{name}x": "1"}, environ={})

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

    @check("C5", "bronze")
    def test_every_failure_is_an_error_that_says_what_comes_next(self, bench: Bench) -> None:
        """Whatever goes wrong with a write, the outcome is of the error tree, and the right one of it."""
        calm = bench(contacts({"1": "Ann"}))
        calm.run()
        last = calm.world.wire.writes[-1]
        for fault, meanings in MEANINGS.items():
            trial = bench(contacts({"1": "Ann"}), faults={last: fault})
            _run_once(trial)
            assert not trial.recording.failed, f"{fault}: apply raised {type(trial.recording.failed[0]).__name__}"
            assert not trial.recording.miscounted, f"{fault}: not one outcome for each operation, in their order"
            errors = [outcome.error for _, outcome in trial.recording.applied if outcome.error is not None]
            strange = [type(error).__name__ for error in errors if not isinstance(error, OUTCOMES)]
            assert not strange, f"{fault}: {strange[0]} is none of the error tree"
            mine = next((o.error for p, o in trial.recording.applied if p.key == key("contacts", "1")), None)
            assert mine is None or isinstance(mine, meanings), f"{fault} is told as {type(mine).__name__}"
            assert mine is not None or trial.world.struck[fault] == 0 or _is_there(trial), f"{fault} is told as done"

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

    @check("C7", "bronze")
    def test_every_setting_is_described(self, offered: DestinationPlugin) -> None:
        """Each setting says what it is for, and what comes from the environment or is a secret is a setting."""
        properties = offered.settings_schema.get("properties", {})
        silent = [name for name, setting in properties.items() if not setting.get("description")]
        unknown = (set(offered.settings_environment) | set(offered.secrets)) - set(properties)
        nameless = [name for name in offered.secrets if name not in offered.settings_environment]

        assert not silent, f"no description: {', '.join(silent)}"
        assert not unknown, f"no setting: {', '.join(sorted(unknown))}"
        assert not nameless, f"a secret comes from an environment variable alone: {', '.join(nameless)} has none"

    @check("C8", "bronze")
    def test_its_commands_hide_none_of_core(self) -> None:
        """`flit --help` answers without a warning."""
        done = subprocess.run([sys.executable, "-m", "flitstack", "--help"], capture_output=True, text=True, check=False)

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


def _is_there(trial: Any) -> bool:
    return any(one.name == key("contacts", "1") for one in trial.picture())


def _run_once(trial: Any) -> None:
    try:
        trial.run()
    except FlitError:
        return


def _in_a_process(code: str) -> str:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it failed"
    return done.stdout


def _contradictions(behaviours: Behaviours) -> list[str]:
    """Return what is wrong with behaviours, in words."""
    wrong: list[str] = []
    objects = behaviours.objects
    order = list(objects)
    for name, one in objects.items():
        unpriced = [call for call in (*sorted(one.verbs), "list") if call not in one.cost]
        wrong += [f"{name}: {call} has no cost" for call in unpriced]
        wrong += [f"{name}: the page size is {one.page_size}"] * (one.page_size < 1)
        wrong += [f"{name}: a batch of {one.batch}, but max_batch is {behaviours.max_batch}"] * (
            one.batch > behaviours.max_batch
        )
        wrong += [f"{name}: delete is {one.delete}, but not among the verbs"] * (
            one.delete != "none" and "delete" not in one.verbs
        )
        wrong += [f"{name}: can be restored, but is deleted for good"] * (bool(one.restore_days) and one.delete != "soft")
        wrong += [f"{name}: a lag of {one.lag_s} s"] * (one.lag_s < 0)
    first_record = next((order.index(name) for name in order if name not in behaviours.schema_objects), len(order))
    late = [name for name in behaviours.schema_objects if name not in order or order.index(name) > first_record]
    wrong += [f"{name}: schema items come first" for name in late]
    wrong += [f"{name}: stands for people, but is no object" for name in behaviours.people if name not in objects]
    wrong += [f"concurrency is {behaviours.concurrency}"] * (behaviours.concurrency < 1)
    return wrong
