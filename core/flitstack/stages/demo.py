"""The demo: a bundled example into an embedded account, and the mark by which every command knows its journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flitstack.clock import Clock
    from flitstack.journal import Journal
    from flitstack.protocols import DestinationPlugin, SourcePlugin
    from flitstack.registry import Registry

MARK = "demo"


def mark_demo(journal: Journal) -> None:
    """Keep in the journal that it is a demo's, so that nobody need say --demo to the commands after the run."""
    journal.runs.remember(MARK, "yes")


def is_demo(journal: Journal) -> bool:
    """Return whether a journal is a demo's."""
    return journal.runs.meta(MARK) is not None


def demo_account(destination: DestinationPlugin, folder: Path) -> tuple[Mapping[str, Any], Clock]:
    """Return the settings and the clock of the embedded account that is kept in a folder.

    :raises UsageError: the destination brings none.
    """
    if destination.demo is None:
        raise UsageError(f"The destination {destination.name} brings no account for a demo. Leave --demo away.")
    return destination.demo(str(folder))


def check_demo(registry: Registry, source: SourcePlugin, destination: DestinationPlugin) -> None:
    """Refuse a demo of an end that brings none.

    :raises UsageError: one brings none; with those that do.
    """
    if source.demo is None:
        able = [name for name in registry.sources() if registry.source(name).demo is not None]
        raise UsageError(
            f"The source {source.name} brings no example for a demo; {_able(able, '--source')} "
            "With an export of your own: --input PATH instead of --demo."
        )
    if destination.demo is None:
        able = [name for name in registry.destinations() if registry.destination(name).demo is not None]
        raise UsageError(
            f"The destination {destination.name} brings no account for a demo; {_able(able, '--dest')} "
            "With an account of yours: leave --demo away and give --input PATH."
        )


def _able(names: list[str], option: str) -> str:
    return f"these do: {option} {' | '.join(names)}." if names else "no plugin that is installed does."
