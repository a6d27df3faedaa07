"""What in an account reacts to records that are written: its webhooks, and its automations, which no API lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AUTOMATIONS = (
    "Automations, sequences and e-mail sync: no API lists them. Look under Tools and apps > Automations, and pause "
    "those that start when a person, deal or activity is added or changed."
)


def watchers(webhooks: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each active webhook, and one for what cannot be listed.

    :param webhooks: as version 1 lists them (`GET /webhooks`); of a URL only the host is told, the rest may be secret.
    """
    lines = []
    for hook in webhooks:
        if hook.get("is_active") in (0, False, "0"):
            continue
        on = f"{hook.get('event_object') or '*'}, {hook.get('event_action') or '*'}"
        host = urlsplit(str(hook.get("subscription_url") or "")).hostname or "an unknown host"
        lines.append(f"webhook {hook.get('id')} to {host}, on {on} (* stands for all)")
    return [*lines, AUTOMATIONS]
