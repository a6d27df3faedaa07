"""One migration from an export in memory to an account in memory, run after run, as the command would run it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flitstack.clock import VirtualClock
from flitstack.hookspecs import hookimpl
from flitstack.journal import Journal
from flitstack.registry import load_plugins
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.publishing import Publishing
from flitstack.stages.run import run_migration
from flitstack.testing.memory import MemoryAccount, memory_behaviours, memory_destination
from flitstack.testing.memory_source import TEMPLATE, MemoryExport, memory_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from flitstack.protocols import DestinationPlugin, SourcePlugin
    from flitstack.stages.options import SampleOptions
    from flitstack.stages.report import RunReport

START = datetime(2026, 7, 1, 9, tzinfo=UTC)
UNSEEN = Passing(unseen="test")


class MemoryPlugin:
    """Registers a source and a destination in memory, as a plugin would."""

    def __init__(self, source: SourcePlugin, destination: DestinationPlugin) -> None:
        self._source = source
        self._destination = destination

    @hookimpl
    def flit_register_sources(self, register: Callable[[SourcePlugin], None]) -> None:
        """Register the source."""
        register(self._source)

    @hookimpl
    def flit_register_destinations(self, register: Callable[[DestinationPlugin], None]) -> None:
        """Register the destination."""
        register(self._destination)


class Words:
    """A progress that shows nothing and keeps what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def begin(self, stage: str, total: int | None = None) -> None:
        """Show nothing."""

    def advance(self, count: int = 1) -> None:
        """Show nothing."""

    def end(self) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Keep the line."""
        self.said.append(text)


class Migration:
    """An export, an account, a clock and the path of a journal; `run` is one invocation.

    :param plugins: further plugins by name, observers for instance.
    :param template: the mapping template's text.
    """

    def __init__(
        self,
        folder: Path,
        *,
        plugins: Mapping[str, object] | None = None,
        template: str = TEMPLATE,
        required: tuple[str, ...] = (),
        lag_s: float = 5.0,
        concurrency: int = 4,
    ) -> None:
        self.clock = VirtualClock(START)
        self.export = MemoryExport()
        self.account = MemoryAccount(self.clock)
        self.journal = folder / "flit.db"
        self.words = Words()
        self.sets: tuple[str, ...] = ("profile=full",)
        self.stop = StopFlag()
        self.behaviours = memory_behaviours(lag_s=lag_s, concurrency=concurrency)
        self._mapping = folder / "memory.yaml.j2"
        self._mapping.write_text(template, encoding="utf-8")
        plugin = MemoryPlugin(memory_source(self.export, required), memory_destination(self.account, self.behaviours))
        self.registry = load_plugins((), {"memory": plugin, **(plugins or {})})

    def run(
        self,
        *,
        passing: Passing = UNSEEN,
        sets: tuple[str, ...] = (),
        dry_run: bool = False,
        wait: bool = False,
        sample: SampleOptions | None = None,
        publishing: Publishing | None = None,
        allow_irreversible: bool = False,
    ) -> RunReport:
        """Run once, with every gate passed unseen unless said otherwise.

        :raises FlitError: what stopped it.
        """
        options = RunOptions(
            "memory",
            "memory",
            self.journal,
            "export",
            str(self._mapping),
            (*self.sets, *sets),
            passing,
            dry_run,
            wait=wait,
            sample=sample,
            publishing=publishing or Publishing(),
            allow_irreversible=allow_irreversible,
        )
        self.stop.raised = False
        return asyncio.run(run_migration(options, self.words, self.stop, registry=self.registry, clock=self.clock))

    def open(self) -> Journal:
        """Open the journal for reading."""
        return Journal.existing(self.journal)
