"""Opens a writer: on the network, or on the embedded sandbox in the same process; and the demo's account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.clock import VirtualClock
from flitstack_pipedrive.client import Client, app_transport
from flitstack_pipedrive.destination import PipedriveWriter
from flitstack_pipedrive.settings import SANDBOX_FILE, SANDBOX_SCHEME, parse_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import WriterContext
    from flitstack_pipedrive.settings import SandboxPlace, Settings

SANDBOX_HOST = "http://sandbox.localhost"
DEMO_START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)  # after the day of the example export
DEMO_CLOCK_FILE = "demo-clock.txt"
DEMO_PLAN, DEMO_SEATS = "ultimate", 5


def open_writer(given: Mapping[str, Any], context: WriterContext) -> PipedriveWriter:
    """Return the writer for an account.

    :param given: settings that fit the plugin's schema.
    :raises ConfigurationError: a setting cannot be used, or there is no token.
    """
    settings = parse_settings(given, context.learned)
    if settings.sandbox is not None:
        return _open_sandbox(settings, settings.sandbox, context)
    client = _client(settings, context)
    return PipedriveWriter(client, settings, context.open_attachment)


def demo(folder: str) -> tuple[Mapping[str, Any], VirtualClock]:
    """Return settings and clock of an account kept under the folder, on a plan where no field has to fold."""
    kept = Path(folder)
    kept.mkdir(parents=True, exist_ok=True)
    settings = {"base_url": f"{SANDBOX_SCHEME}{kept}?plan={DEMO_PLAN}&seats={DEMO_SEATS}", "list_lag_s": 0}
    return settings, DemoClock(kept / DEMO_CLOCK_FILE)


class DemoClock(VirtualClock):
    """A virtual clock that goes on, in the next process, after the latest time this one may have shown."""

    def __init__(self, file: Path) -> None:
        self._file = file
        super().__init__(self._kept_time() + timedelta(seconds=1))
        self._keep(0.0)

    async def sleep(self, seconds: float) -> None:
        """Keep the time to come before it comes, so that a kill leaves no record in the future."""
        self._keep(max(seconds, 0.0))
        await super().sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._keep(seconds)
        super().advance(seconds)

    def _kept_time(self) -> datetime:
        try:
            return datetime.fromisoformat(self._file.read_text("ascii").strip())
        except (OSError, ValueError):
            return DEMO_START

    def _keep(self, seconds: float) -> None:
        self._file.write_text((self.now() + timedelta(seconds=seconds)).isoformat(), "ascii")


def _open_sandbox(settings: Settings, place: SandboxPlace, context: WriterContext) -> PipedriveWriter:
    from dataclasses import replace

    from flitstack_pipedrive.sandbox.app import Sandbox

    path = Path(place.path)
    file = path if path.suffix and not path.is_dir() else path / SANDBOX_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(str(file), plan=place.plan, seats=place.seats, clock=context.clock)
    tokens = [str(user["token"]) for user in sandbox.users]
    token = settings.api_token if settings.api_token in tokens else tokens[0]
    mounted = replace(settings, host=SANDBOX_HOST, api_token=token)
    client = _client(mounted, context, app_transport(sandbox.app))
    return PipedriveWriter(client, mounted, context.open_attachment, sandbox.close)


def _client(settings: Settings, context: WriterContext, transport: Any = None) -> Client:
    return Client(
        settings,
        context.clock,
        transport,
        spent_today=context.spent_today,
        learned=context.learned,
        exhausted=context.exhausted,
    )
