"""Audits an export by itself: staged into a journal that is thrown away, with an account asked only if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.clock import clock_from_environment
from flitstack.protocols import Behaviours
from flitstack.settings import parse_sets, read_project_file
from flitstack.stages.audit.account import about_account
from flitstack.stages.audit.sections import Audit, audit_staged
from flitstack.stages.context import RunContext
from flitstack.stages.intake.aside import aside
from flitstack.stages.intake.stage import stage_export
from flitstack.stages.opening import opened
from flitstack.stages.options import RunOptions
from flitstack.stages.setup import set_up, source_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flitstack.journal import Journal
    from flitstack.protocols import Account, SourcePlugin, SourceReader, User
    from flitstack.registry import Registry
    from flitstack.stages.context import Progress, StopFlag
    from flitstack.stages.setup import Setup


async def audit_export(
    registry: Registry,
    source: str,
    dest: str | None,
    input_: str,
    journal: Path,
    progress: Progress,
    stop: StopFlag,
    *,
    sets: Sequence[str] = (),
    mapping: str | None = None,
    offline: bool = False,
) -> Audit:
    """Return the audit of an export; nothing is written but into a journal that is thrown away.

    :param dest: None when no destination is to be considered: its budget and users are left out then.
    :param journal: the migration's journal; where it exists, what it learned of earlier exports counts.
    :param offline: ask no account, even where there is a token.
    :raises FlitError: the export, the settings or the account cannot be used.
    """
    setup = set_up(RunOptions(source, dest, journal, input_, mapping, sets), registry=registry) if dest else None
    plugin = registry.source(source)
    settings = source_settings(plugin, parse_sets(sets), read_project_file(journal.parent))
    with aside(plugin, input_, settings, journal, "audit") as (reader, copy):
        return await _audit(registry, plugin, setup, reader, copy, progress, stop, offline=offline)


async def _audit(
    registry: Registry, plugin: SourcePlugin, setup: Setup | None, reader: SourceReader, journal: Journal,
    progress: Progress, stop: StopFlag, *, offline: bool,
) -> Audit:  # fmt: skip
    source_id = (setup.core.get("source_id") if setup else None) or journal.runs.meta("source id") or plugin.name
    nobody: Any = None  # an audit writes to no account
    behaviours = setup.destination.behaviours if setup else Behaviours({}, ())
    ctx = RunContext(
        "audit", source_id, journal, nobody, behaviours, setup.clock if setup else clock_from_environment(), progress,
        stop, lambda hook, **arguments: None,
    )  # fmt: skip
    stage_export(ctx, plugin, reader)
    streams = {stream.name: stream for stream in reader.known_streams()}
    account, users = await _ask(setup, journal) if setup and not offline else (None, ())
    extras = about_account(ctx, plugin, setup, streams, account, users)
    return audit_staged(ctx, plugin, registry.validators(plugin.name), streams, extras)


async def _ask(setup: Setup, journal: Journal) -> tuple[Account | None, Sequence[User]]:
    """Return the account and its users where there is a token to sign in with, else None and nobody."""
    destination, settings = setup.destination, setup.destination_settings
    if destination.secrets and not any(settings.get(name) for name in destination.secrets):
        return None, ()
    async with opened(destination, settings, journal, setup.clock) as writer:
        return await writer.account(), await writer.users()
