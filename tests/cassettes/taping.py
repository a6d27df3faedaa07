"""Plays a cassette with no network, or records it over HTTP; the scenario does not know which."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import httpx
import vcr  # type: ignore[import-untyped]
from tests.cassettes.scrubbing import ROOT, Scrubber, scrubber_for
from tests.cassettes.tidying import tidy
from vcr import matchers

from flitstack.clock import SystemClock, VirtualClock
from flitstack.protocols import Operation, WriterContext
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.opening import open_writer
from flitstack_pipedrive.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping

    from vcr.request import Request  # type: ignore[import-untyped]

    from flitstack.clock import Clock
    from flitstack.protocols import JSON, Stored
    from flitstack_pipedrive.destination import PipedriveWriter

FOLDER = Path(__file__).resolve().parents[2] / "cassettes"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ASIDE = timedelta(seconds=10)  # for what is asked off the record, so that it is out of the window when the tape runs
LIST_LAG_S = 5.0
DOCUMENT = b"An invented document.\n"
BODY_SHOWN = 300
MATCH_ON = ("method", "path", "query", "body")

REFUSED = frozenset({"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"})

_network_is_off = False
_guarded = False


class NetworkUsedError(Exception):
    """A replay tried to reach the network."""


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if _network_is_off and event in REFUSED:
        raise NetworkUsedError(f"{event} during a replay")


@contextmanager
def network_off() -> Iterator[None]:
    """Let every attempt of this process to reach a network fail; asked of the interpreter, so nothing gets around."""
    global _guarded, _network_is_off
    if not _guarded:  # an audit hook stays for good, so there is one, and it is quiet outside of replays
        sys.addaudithook(_guard)
        _guarded = True
    _network_is_off = True
    try:
        yield
    finally:
        _network_is_off = False


@dataclass(frozen=True, slots=True)
class Order:
    """What a scenario needs.

    :param modelled: a real account does not do this on demand, so it is always recorded from the sandbox.
    :param burst: requests per two seconds of the sandbox instead of the plan's.
    """

    name: str
    plan: str = "ultimate"
    seats: int = 1
    modelled: bool = False
    burst: int | None = None


@dataclass(slots=True)
class Actor:
    """A writer at work in a scenario."""

    writer: PipedriveWriter
    clock: Clock
    count: int = 0

    async def key_field(self, of: str) -> None:
        """Create the field that carries the source key."""
        await self.apply("create", "field", {"name": "Source_System_ID__c", "of": of, "type": "varchar"})

    async def attempt(
        self, verb: Literal["create", "update", "delete"], object: str, fields: Mapping[str, JSON], **more: Any
    ) -> tuple[Exception | None, str | None]:
        """Carry out one operation and return its error and the record's id."""
        self.count += 1
        key = more.pop("key", f"practice:{object}s:{self.count}")
        links = more.pop("links", {})
        operation = Operation(self.count, verb, object, key, "", fields, links, more.pop("id", None))
        (outcome,) = await self.writer.apply([operation])
        return outcome.error, outcome.destination_id

    async def apply(
        self, verb: Literal["create", "update", "delete"], object: str, fields: Mapping[str, JSON], **more: Any
    ) -> str:
        """Carry out one operation that must succeed and return the record's id."""
        error, id = await self.attempt(verb, object, fields, **more)
        if error is not None:
            raise error
        assert id is not None
        return id

    async def listed(self, object: str, id: str) -> Stored | None:
        """Return the record as the list shows it, once the list has had its time."""
        await self.clock.sleep(LIST_LAG_S)
        return {stored.id: stored async for stored in self.writer.list(object)}.get(id)


@dataclass(frozen=True, slots=True)
class Tape:
    """The account of one scenario, real or on the cassette."""

    order: Order
    base_url: str
    token: str = field(repr=False)
    clock: Clock

    def settings(self, token: str | None = None) -> dict[str, Any]:
        """Return the plugin's settings for the account."""
        return {
            "base_url": self.base_url,
            "api_token": self.token if token is None else token,
            "plan": self.order.plan,
            "seats": self.order.seats,
        }

    def client(self, token: str | None = None) -> Client:
        """Return a client of its own connections and limiter."""
        return Client(parse_settings(self.settings(token)), self.clock)

    def play(self, scenario: Callable[[Actor], Coroutine[Any, Any, None]], token: str | None = None) -> None:
        """Run the scenario with a writer."""

        async def run() -> None:
            writer = open_writer(self.settings(token), WriterContext(self.clock, open_attachment))
            try:
                await scenario(Actor(writer, self.clock))
            finally:
                await writer.aclose()

        asyncio.run(run())


def open_attachment(path: str) -> BinaryIO:
    """Return the one document there is."""
    if path != "documents/one.txt":
        raise FileNotFoundError(path)
    return io.BytesIO(DOCUMENT)


@dataclass(frozen=True, slots=True)
class Mode:
    """Whether to replay or to record, as `tools/record_cassettes.py` says through the environment.

    :param source: "" to replay, `sandbox`, or the base URL of an account.
    :param only: names to record; empty means all.
    """

    source: str
    folder: Path
    only: frozenset[str]
    token: str = field(default="", repr=False)

    @property
    def records(self) -> bool:
        return bool(self.source)

    def asks_the_sandbox(self, order: Order) -> bool:
        """Return whether the scenario is recorded from the sandbox, as some are whatever the source."""
        return self.source == "sandbox" or order.modelled


def mode_from_environment() -> Mode:
    """Return the mode: to replay, unless the recording tool says otherwise."""
    return Mode(
        os.environ.get("FLITSTACK_RECORD", ""),
        Path(os.environ.get("FLITSTACK_CASSETTES") or FOLDER),
        frozenset(os.environ.get("FLITSTACK_CASSETTES_ONLY", "").split()),
        os.environ.get("PIPEDRIVE_API_TOKEN", ""),
    )


@dataclass(frozen=True, slots=True)
class Replay:
    """A cassette that plays.

    :param missing: requests that were asked for and are not on it, with their bodies cut short.
    """

    tape: Tape
    cassette: Any
    missing: list[str]

    def shortfall(self) -> str:
        """Return what was asked and not recorded, or recorded and not asked; "" when the two agree."""
        if self.missing:
            return f"asked for and not on the cassette: {'; '.join(self.missing)}"
        if self.cassette.all_played:
            return ""
        plays = self.cassette.play_counts
        unplayed = [str(request) for number, request in enumerate(self.cassette.requests) if not plays[number]]
        return f"on the cassette and not asked for: {'; '.join(unplayed)}"


@contextmanager
def replaying(order: Order, folder: Path) -> Iterator[Replay]:
    """Yield the account on the cassette; whatever is not on it fails."""
    tape = Tape(order, ROOT, "none-is-needed", VirtualClock(START))
    with network_off(), _player(Scrubber(), "none").use_cassette(path_of(order, folder)) as cassette:
        replay, can_play = Replay(tape, cassette, []), cassette.can_play_response_for

        def noting(request: Request) -> bool:
            """Note what cannot be played, since the code under test may turn the recorder's error into its own."""
            if can_play(request):
                return True
            replay.missing.append(f"{request.method} {request.path} {(request.body or b'')[:BODY_SHOWN]!r}")
            return False

        cassette.can_play_response_for = noting
        yield replay


@contextmanager
def recording(order: Order, mode: Mode, passed: Callable[[], bool]) -> Iterator[Tape]:
    """Yield the account and record what is said with it; a scenario that fails leaves the old cassette as it was."""
    path, fresh = path_of(order, mode.folder), path_of(order, mode.folder, ".new")
    fresh.unlink(missing_ok=True)
    with ExitStack() as opened:
        sandboxed = mode.asks_the_sandbox(order)
        tape = opened.enter_context(_sandboxed(order)) if sandboxed else _real(order, mode)
        try:
            with _player(_known(tape), "all").use_cassette(fresh):
                yield tape
            if passed():
                fresh.replace(path)
        finally:
            said = path if passed() else fresh
            left = tidy(said, tape.base_url, tape.token) if not sandboxed and said.exists() else []
            fresh.unlink(missing_ok=True)
    assert left == [], "the recording left these in the account"


def path_of(order: Order, folder: Path, suffix: str = ".yaml") -> Path:
    """Return where the cassette of a scenario is."""
    return folder / f"{order.name}{suffix}"


@contextmanager
def _sandboxed(order: Order) -> Iterator[Tape]:
    # Imported here, so that a replay depends on nothing that the sandbox does.
    from flitstack_pipedrive.sandbox import serve_in_thread
    from flitstack_pipedrive.sandbox.app import Sandbox, Switches

    clock = VirtualClock(START - ASIDE)
    switches = Switches(burst=order.burst)
    with (
        Sandbox(plan=order.plan, seats=order.seats, clock=clock, seed=1, switches=switches) as sandbox,
        serve_in_thread(sandbox) as url,
    ):
        yield Tape(order, url, sandbox.users[0]["token"], clock)


def _real(order: Order, mode: Mode) -> Tape:
    return Tape(order, mode.source, mode.token, SystemClock())


def _known(tape: Tape) -> Scrubber:
    """Ask whose account it is, off the record, and return what takes them out."""
    with httpx.Client(base_url=tape.base_url, headers={"x-api-token": tape.token}, timeout=60) as client:
        me, users = (client.get(f"/api/v1/{path}").raise_for_status().json()["data"] for path in ("users/me", "users"))
    if isinstance(tape.clock, VirtualClock):
        tape.clock.advance(ASIDE.total_seconds())
    return scrubber_for(tape.base_url, tape.token, me, users)


def _same_body(asked: Request, recorded: Request) -> None:
    """Compare bodies by meaning, and only of requests that are otherwise alike: parsing all takes seconds."""
    if (asked.method, asked.uri) != (recorded.method, recorded.uri):
        raise AssertionError("another request")
    matchers.body(asked, recorded)


def _player(scrubber: Scrubber, record_mode: str) -> vcr.VCR:
    player = vcr.VCR(
        record_mode=record_mode,
        match_on=MATCH_ON,
        before_record_request=scrubber.request,
        before_record_response=scrubber.response,
        decode_compressed_response=True,
    )
    player.register_matcher("body", _same_body)
    return player
