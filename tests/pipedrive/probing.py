"""What tests of probes share: an account in this process, a probe of it, and a way to die in the middle."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flitstack.clock import VirtualClock
from flitstack.hookspecs import hookimpl
from flitstack.journal import Journal
from flitstack.protocols import DestinationPlugin
from flitstack.registry import load_plugins
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.probe import ProbeOptions, run_probes
from flitstack.testing.migration import Words
from flitstack_pipedrive.behaviours import behaviours
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.destination import PipedriveWriter
from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.settings import parse_settings
from flitstack_pipedrive.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from flitstack.protocols import Writer, WriterContext
    from flitstack.stages.probe import ProbeReport

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Death:
    """Ends the process at a request.

    :param at: number of the request, from 1; 0 never.
    :param after: the account has carried it out by then.
    """

    at: int = 0
    after: bool = False
    count: int = 0

    def around(self, app: Any) -> Any:
        """Return the account's application with the death before it."""

        async def dying(scope: Any, receive: Any, send: Any) -> None:
            self.count += 1
            if self.count == self.at:
                if self.after:
                    await app(scope, receive, _nowhere)
                raise Killed
            await app(scope, receive, send)

        return dying


async def _nowhere(message: Any) -> None:
    """Send nothing."""


@dataclass
class Site:
    """An account, a journal, and what probes it."""

    folder: Path
    switches: Switches = field(default_factory=Switches)
    more: Mapping[str, Any] = field(default_factory=dict)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOON))
    death: Death = field(default_factory=Death)

    def __post_init__(self) -> None:
        plan = {"plan": "ultimate", "seats": 1, **self.more}
        self.sandbox = Sandbox(clock=self.clock, switches=self.switches, **plan)
        self.journal = self.folder / "flit.db"
        self.words = Words()
        self.stop = StopFlag()

    @hookimpl
    def flit_register_destinations(self, register: Callable[[DestinationPlugin], None]) -> None:
        """Register the account's platform."""
        schema = {"type": "object", "properties": {}}
        register(DestinationPlugin("here", schema, {}, frozenset(), behaviours(), self.open))

    def open(self, given: Mapping[str, Any], context: WriterContext) -> Writer:
        """Return a writer on the account."""
        token = str(self.sandbox.users[0]["token"])
        settings = parse_settings({"base_url": "http://localhost", "api_token": token, **given}, context.learned)
        client = Client(settings, self.clock, app_transport(self.death.around(self.sandbox.app)))
        return PipedriveWriter(client, settings, context.open_attachment)

    def probe(self, *only: str, unseen: str | None = "test") -> ProbeReport:
        """Probe once."""
        options = ProbeOptions("here", self.journal, only=only, passing=Passing(unseen=unseen))
        registry = load_plugins((), {"here": self})
        return asyncio.run(run_probes(options, self.words, self.stop, registry=registry, clock=self.clock))

    def answer(self, name: str) -> Any:
        """Return the value that one question got, None when it is not known."""
        report = self.probe(name)
        ((probe, answer),) = report.answers
        assert probe.name == name
        assert not report.left
        return answer.value

    def learned(self) -> dict[str, Any]:
        """Return what the journal knows of the account."""
        with Journal.existing(self.journal) as journal:
            return journal.runs.learned()
