"""Opens a writer: on the network, or on the embedded sandbox in the same process; and the demo's account."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.clock import VirtualClock
from flitstack_hubspot.client import Client
from flitstack_hubspot.destination import HubSpotWriter
from flitstack_hubspot.settings import SANDBOX_FILE, SANDBOX_SCHEME, parse_settings
from flitstack_hubspot.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import WriterContext
    from flitstack_hubspot.settings import Settings

SANDBOX_HOST = "http://sandbox.localhost"
DEMO_CLOCK_FILE = "demo-clock.txt"
DEMO_START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)  # after the day of the example export


def open_writer(given: Mapping[str, Any], context: WriterContext) -> HubSpotWriter:
    """Return the writer for an account.

    :param given: settings that fit the plugin's schema.
    :raises ConfigurationError: a setting cannot be used, or there is no token.
    """
    settings = parse_settings(given)
    if settings.sandbox is not None:
        return _open_sandbox(settings, settings.sandbox, context)
    client = Client(settings, context.clock, exhausted=context.exhausted)
    return HubSpotWriter(client, settings, context.open_attachment)


def demo(folder: str) -> tuple[Mapping[str, Any], VirtualClock]:
    """Return settings and clock of an account kept under the folder."""
    kept = Path(folder)
    kept.mkdir(parents=True, exist_ok=True)
    return {"base_url": f"{SANDBOX_SCHEME}{kept}", "list_lag_s": 0}, DemoClock(kept / DEMO_CLOCK_FILE)


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


def _open_sandbox(settings: Settings, place: str, context: WriterContext) -> HubSpotWriter:
    from flitstack_hubspot.sandbox.app import Sandbox

    path = Path(place)
    file = path if path.suffix and not path.is_dir() else path / SANDBOX_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(str(file), clock=context.clock)
    tokens = [str(user["token"]) for user in sandbox.users]
    token = settings.access_token if settings.access_token in tokens else tokens[0]
    mounted = replace(settings, host=SANDBOX_HOST, access_token=token)
    client = Client(mounted, context.clock, app_transport(sandbox.app), exhausted=context.exhausted)
    return HubSpotWriter(client, mounted, context.open_attachment, sandbox.close)
