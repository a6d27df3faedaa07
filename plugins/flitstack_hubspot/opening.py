"""Opens a writer: on the network, or on the embedded sandbox in the same process; and the demo's account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.clock import DEMO_CLOCK_FILE, DemoClock
from flitstack.web.embedded import HOST, SCHEME, state_file, token_for
from flitstack_hubspot.client import Client
from flitstack_hubspot.destination import HubSpotWriter
from flitstack_hubspot.settings import SANDBOX_FILE, parse_settings
from flitstack_hubspot.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import WriterContext
    from flitstack_hubspot.settings import Settings


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


def demo(folder: str) -> tuple[Mapping[str, Any], DemoClock]:
    """Return settings and clock of an account kept under the folder."""
    kept = Path(folder)
    kept.mkdir(parents=True, exist_ok=True)
    return {"base_url": f"{SCHEME}{kept}", "list_lag_s": 0}, DemoClock(kept / DEMO_CLOCK_FILE)


def _open_sandbox(settings: Settings, place: str, context: WriterContext) -> HubSpotWriter:
    from flitstack_hubspot.sandbox.app import Sandbox

    sandbox = Sandbox(str(state_file(place, SANDBOX_FILE)), clock=context.clock)
    mounted = replace(settings, host=HOST, access_token=token_for(sandbox.users, settings.access_token))
    client = Client(mounted, context.clock, app_transport(sandbox.app), exhausted=context.exhausted)
    return HubSpotWriter(client, mounted, context.open_attachment, sandbox.close)
