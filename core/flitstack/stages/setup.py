"""The plugins and settings that follow from what the operator asked, of a run and of what comes after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flitstack.clock import Clock, clock_from_environment
from flitstack.errors import UsageError
from flitstack.registry import Registry, load_plugins
from flitstack.settings import parse_sets, read_project_file, resolve_settings
from flitstack.stages.delta.leaving import VANISHED
from flitstack.stages.delta.limits import SETTINGS as LIMITS
from flitstack.stages.delta.limits import read_limits
from flitstack.stages.demo import check_demo, demo_account, is_demo
from flitstack.stages.gates.gate import Passing
from flitstack.stages.standing import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import Journal
    from flitstack.protocols import DestinationPlugin, SourcePlugin
    from flitstack.settings import ProjectFile, Sets
    from flitstack.stages.options import RunOptions

CORE_VARIABLES = {
    "source_id": "first part of every source key; two businesses into one account need two",
    "owner_map": "CSV file, columns owner and email: which user stands for whom",
    "fallback_owner": "e-mail of the user who owns what nobody else does",
    "existing": "people the account has already: ask (adopt after a gate of its own), adopt, create, skip",
    "conflicts": "what somebody changed in the account since: keep or overwrite; undecided, it stays and is listed",
    "vanished": "what becomes of records that a later export no longer has: keep (and list), or delete",
    **LIMITS,
    "remember": "no: do not remember the confirmed map for the next export with its headers",
    "decisions": "CSV file, columns decision, record and other: what to do with single records",
}


EXISTING = ("ask", "adopt", "create", "skip")


@dataclass(frozen=True, slots=True)
class Setup:
    """Plugins and settings of one run; `core` and `variables` are from --set and flit.toml, as given."""

    options: RunOptions
    registry: Registry
    source: SourcePlugin
    destination: DestinationPlugin
    input: str
    source_settings: Mapping[str, Any]
    destination_settings: Mapping[str, Any]
    core: Mapping[str, str]
    variables: Mapping[str, Any]
    clock: Clock


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """What a command goes by that has a journal and no export."""

    destination: Mapping[str, Any]
    core: Mapping[str, str]
    clock: Clock


def settings_of(
    journal: Journal, sets: Sequence[str], destination: DestinationPlugin, *, demo: bool = False
) -> JournalSettings:
    """Return the settings, as a run in the same place has them; a demo's journal is known as one.

    :raises UsageError: a setting is of the source or of the map, which nothing is asked of here.
    :raises SettingsError: one is unknown, missing or unfit.
    """
    folder = journal.path.parent
    given, project = parse_sets(sets), read_project_file(folder)
    if given.source or not set(given.variables) <= set(CORE_VARIABLES):
        raise UsageError(
            f"--set: no export is read here, so only dest.KEY=VALUE and {', '.join(CORE_VARIABLES)}. Leave the rest."
        )
    values = {**project.variables, **given.variables}
    core = {name: str(values[name]) for name in CORE_VARIABLES if name in values}
    if demo or is_demo(journal):
        settings, clock = demo_account(destination, folder)
        return JournalSettings(settings, core, clock)
    return JournalSettings(destination_settings(destination, given, project), core, clock_from_environment())


def set_up(options: RunOptions, *, registry: Registry | None = None, clock: Clock | None = None) -> Setup:
    """Find the plugins and bring their settings together.

    :param registry, clock: in place of the installed plugins and the environment's clock, for tests and embedding.
    :raises PluginError: a plugin is missing or broken.
    :raises SettingsError: a setting is unknown, missing or unfit.
    :raises UsageError: there is no input, or no demo.
    """
    registry = load_plugins(beside=options.journal) if registry is None else registry
    source, destination = registry.source(options.source), registry.destination(options.dest)
    if options.demo:
        return _demo(options, registry, source, destination)
    if options.input is None:
        raise UsageError("Say where the export is: --input PATH. To see flit at work without one: --demo.")
    sets, project = parse_sets(options.sets), read_project_file(options.journal.parent)
    given = {**project.variables, **sets.variables}
    return Setup(
        options,
        registry,
        source,
        destination,
        options.input,
        source_settings(source, sets, project),
        destination_settings(destination, sets, project),
        _core(given),
        {name: value for name, value in given.items() if name not in CORE_VARIABLES},
        clock_from_environment() if clock is None else clock,
    )


def source_settings(source: SourcePlugin, sets: Sets, project: ProjectFile) -> dict[str, Any]:
    """Return a source's settings, from --set and flit.toml.

    :raises SettingsError: one is unknown, missing or unfit.
    """
    return resolve_settings(
        source.settings_schema, what=f'source "{source.name}"', prefix="source", given=sets.source, file=project.source
    )


def destination_settings(destination: DestinationPlugin, sets: Sets, project: ProjectFile) -> dict[str, Any]:
    """Return a destination's settings, from --set, flit.toml and the environment.

    :raises SettingsError: one is unknown, missing or unfit.
    """
    return resolve_settings(
        destination.settings_schema,
        what=f'destination "{destination.name}"',
        prefix="dest",
        given=sets.dest,
        file=project.dest,
        environment=destination.settings_environment,
        secrets=destination.secrets,
    )


def _core(given: Mapping[str, Any]) -> dict[str, str]:
    core = {name: str(given[name]) for name in CORE_VARIABLES if name in given}
    if core.get("existing", "ask") not in EXISTING:
        raise UsageError(f"existing: say one of {', '.join(EXISTING)}.")
    if core.get("remember", "yes") not in ("yes", "no"):
        raise UsageError("remember: say yes or no.")
    if core.get("vanished", "keep") not in VANISHED:
        raise UsageError(f"vanished: say one of {', '.join(VANISHED)}.")
    read_limits(core)
    if core.get("conflicts", RULES[0]) not in RULES:
        raise UsageError(f"conflicts: say one of {', '.join(RULES)}, or leave it away.")
    return core


def _demo(options: RunOptions, registry: Registry, source: SourcePlugin, destination: DestinationPlugin) -> Setup:
    check_demo(registry, source, destination)
    assert source.demo is not None  # noqa: S101 - looked at a line before
    if options.mapping is None:
        registry.template(source.name, destination.name)  # a pair that nobody maps leaves no folder behind
    folder = options.journal.parent
    folder.mkdir(parents=True, exist_ok=True)
    settings, clock = demo_account(destination, folder)
    sets = parse_sets(options.sets)
    options = replace(options, passing=Passing(unseen="the demo"))
    return Setup(
        options,
        registry,
        source,
        destination,
        source.demo(str(folder)),
        resolve_settings(source.settings_schema, what=f'source "{source.name}"', prefix="source", given=sets.source),
        settings,
        _core(sets.variables),
        {**source.demo_variables, **{n: value for n, value in sets.variables.items() if n not in CORE_VARIABLES}},
        clock,
    )
