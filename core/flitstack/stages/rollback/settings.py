"""Settings of a command that has a journal and no export: the destination's, core's, and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.clock import clock_from_environment
from flitstack.errors import UsageError
from flitstack.settings import parse_sets, read_project_file
from flitstack.stages.demo import demo_account
from flitstack.stages.setup import CORE_VARIABLES, destination_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from flitstack.clock import Clock
    from flitstack.protocols import DestinationPlugin


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """What --set, flit.toml and the environment say."""

    destination: Mapping[str, Any]
    core: Mapping[str, str]
    clock: Clock


def settings_of(
    journal: Path, sets: Sequence[str], destination: DestinationPlugin, *, demo: bool = False
) -> JournalSettings:
    """Return the settings, as a run in the same place has them.

    :raises UsageError: a setting is of the source or of the map, which nothing is asked of here.
    :raises SettingsError: one is unknown, missing or unfit.
    """
    given, project = parse_sets(sets), read_project_file(journal.parent)
    if given.source or not set(given.variables) <= set(CORE_VARIABLES):
        raise UsageError(
            f"--set: no export is read here, so only dest.KEY=VALUE and {', '.join(CORE_VARIABLES)}. Leave the rest."
        )
    values = {**project.variables, **given.variables}
    core = {name: str(values[name]) for name in CORE_VARIABLES if name in values}
    if demo:
        settings, clock = demo_account(destination, journal.parent)
        return JournalSettings(settings, core, clock)
    return JournalSettings(destination_settings(destination, given, project), core, clock_from_environment())
