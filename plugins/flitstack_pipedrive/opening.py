"""Opens a writer: on the network, or on the embedded sandbox in the same process; and the demo's account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.clock import DEMO_CLOCK_FILE, DemoClock
from flitstack.web.embedded import HOST, SCHEME, state_file, token_for
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.destination import PipedriveWriter
from flitstack_pipedrive.settings import SANDBOX_FILE, parse_settings
from flitstack_pipedrive.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import WriterContext
    from flitstack_pipedrive.settings import SandboxPlace, Settings

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
    return PipedriveWriter(client, settings, context.open_attachment, learned=context.learned)


def demo(folder: str) -> tuple[Mapping[str, Any], DemoClock]:
    """Return settings and clock of an account kept under the folder, on a plan where no field has to fold."""
    kept = Path(folder)
    kept.mkdir(parents=True, exist_ok=True)
    settings = {"base_url": f"{SCHEME}{kept}?plan={DEMO_PLAN}&seats={DEMO_SEATS}", "list_lag_s": 0}
    return settings, DemoClock(kept / DEMO_CLOCK_FILE)


def _open_sandbox(settings: Settings, place: SandboxPlace, context: WriterContext) -> PipedriveWriter:
    from flitstack_pipedrive.sandbox.app import Sandbox

    file = state_file(place.path, SANDBOX_FILE)
    sandbox = Sandbox(str(file), plan=place.plan, seats=place.seats, clock=context.clock)
    mounted = replace(settings, host=HOST, api_token=token_for(sandbox.users, settings.api_token))
    client = _client(mounted, context, app_transport(sandbox.app))
    return PipedriveWriter(client, mounted, context.open_attachment, sandbox.close, context.learned)


def _client(settings: Settings, context: WriterContext, transport: Any = None) -> Client:
    return Client(
        settings,
        context.clock,
        transport,
        spent_today=context.spent_today,
        learned=context.learned,
        exhausted=context.exhausted,
    )
