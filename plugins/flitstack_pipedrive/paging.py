"""Goes through a list page by page while people work in the account: nothing is lost, and nothing comes twice.

Version 2 pages by cursor over ids, which no change of a record moves; version 1 by offset, where all that follows moves
up when an earlier record is deleted. Source: Pipedrive API, "Pagination".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flitstack.errors import Rejected, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from flitstack_pipedrive.answers import Call

MOST_RESTARTS = 3
MOST_STEPS_BACK = 50
MOST_REPEATS = 10  # a page may come out empty with the cursor that led to it


async def records_of(
    send: Callable[[Call], Awaitable[dict[str, Any]]], call: Call, limit: int
) -> AsyncIterator[dict[str, Any]]:
    """Yield the records of a list, each once.

    :raises Unavailable: the list comes to no end.
    """
    seen: set[Any] = set()
    pages = _by_cursor(send, call, limit, seen) if call.version == 2 else _by_offset(send, call, limit, seen)
    async for page in pages:
        for record in page:
            name = _name(record)
            if name is None or name not in seen:
                seen.add(name)
                yield record


async def _by_cursor(
    send: Callable[[Call], Awaitable[dict[str, Any]]], call: Call, limit: int, seen: set[Any]
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the pages; from the first again when a cursor is refused, as one that has expired may be.

    :param seen: names of the records yielded so far: while there are more each time, the list is begun again.
    """
    query = {**call.query, "limit": str(limit)}
    used: Counter[str] = Counter()
    restarts = known = 0
    while True:
        try:
            page = await send(replace(call, query=dict(query)))
        except Rejected as exc:
            if query.pop("cursor", None) is None:
                raise
            restarts, known = (1 if len(seen) > known else restarts + 1), len(seen)
            if restarts > MOST_RESTARTS:
                raise Unavailable(f"pipedrive: {call.words} refuses again and again to go on. Try later.") from exc
            used.clear()
            continue
        yield page.get("data") or []
        cursor = (page.get("additional_data") or {}).get("next_cursor")
        if not cursor:
            return
        if used[str(cursor)] == MOST_REPEATS:
            raise Unavailable(f"pipedrive: {call.words} answers the same page again and again. Try again later.")
        query["cursor"] = str(cursor)
        used[query["cursor"]] += 1


async def _by_offset(
    send: Callable[[Call], Awaitable[dict[str, Any]]], call: Call, limit: int, seen: set[Any]
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the pages, each beginning with the last record of the one before; where it does not, one step back.

    :param seen: names of the records yielded so far.
    """
    query = {**call.query, "limit": str(limit)}
    start, steps_back, overlaps = 0, 0, False
    while True:
        if start:
            query["start"] = str(start)
        page = await send(replace(call, query=dict(query)))
        records = page.get("data") or []
        if overlaps and (not records or _name(records[0]) not in seen) and steps_back < MOST_STEPS_BACK:
            steps_back += 1
            start = max(start - limit, 0)
            overlaps = start > 0
            query.pop("start", None)
            continue
        yield records
        more = page.get("additional_data") or {}
        # Leads state it beside, not inside, `pagination`, and without `next_start`.
        paging = more.get("pagination") or more
        if not paging.get("more_items_in_collection"):
            return
        # A page may be shorter than asked for, and is not always said to be.
        following = int(paging.get("next_start") or start + (len(records) or limit))
        overlaps = len(records) > 1
        start = following - 1 if overlaps else following


def _name(record: Any) -> Any:
    """Return what no other record of the list is known by; None when it has no such thing."""
    if not isinstance(record, dict):
        return None
    return record.get("id", record.get("field_code"))
