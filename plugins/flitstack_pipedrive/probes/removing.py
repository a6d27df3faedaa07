"""Removes throwaway records: by id when it is known, else whatever bears the name; nothing that bears another."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flitstack.errors import Rejected
from flitstack_pipedrive.answers import NOT_FOUND, Call
from flitstack_pipedrive.probes.desk import PLACES, is_gone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from flitstack_pipedrive.client import Client
    from flitstack_pipedrive.probes.desk import Desk


async def remove(client: Client, desk: Desk, object: str, name: str, id: str | None, since: datetime) -> bool:
    """Remove a throwaway record and return whether none is left; False when a person has renamed it.

    :param id: None when no answer told it: then the list is searched for the name.
    :param since: when it was about to be made, by our clock.
    """
    if id is None:
        for raw in await _named(desk, object, name, since):
            await _delete(client, object, _id(raw, object))
        return True
    record = await _read(desk, object, id, since)
    if record is None or is_gone(record):
        return True
    if not _bears(record, object, name):
        return False
    await _delete(client, object, id)
    return True


async def _read(desk: Desk, object: str, id: str, since: datetime) -> Mapping[str, Any] | None:
    if object != "field":
        return await desk.read(object, id)
    return next((raw for raw in await desk.listed(object, since) if _id(raw, object) == id), None)


def _id(raw: Mapping[str, Any], object: str) -> str:
    return str(raw[PLACES[object].key])


async def _named(desk: Desk, object: str, name: str, since: datetime) -> list[Mapping[str, Any]]:
    # The server's clock may be behind ours; the name decides, the time only keeps the list short.
    listed = await desk.listed(object, since - timedelta(hours=1))
    return [raw for raw in listed if _bears(raw, object, name) and not is_gone(raw)]


def _bears(raw: Mapping[str, Any], object: str, name: str) -> bool:
    return name in str(raw.get(PLACES[object].named) or "")


async def _delete(client: Client, object: str, id: str) -> None:
    place = PLACES[object]
    call = Call(place.version, "DELETE", f"{place.path}/{place.one}", {place.key: id})
    try:
        await client.send(call)
    except Rejected as exc:
        if exc.code != NOT_FOUND:
            raise
