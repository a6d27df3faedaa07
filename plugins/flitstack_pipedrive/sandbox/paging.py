"""Lists: v2 by cursor, v1 by start and limit; filters, sorting and what a page carries."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.answers import Answer, Doc, page_v2, refused_v1, refused_v2, to_json
from flitstack_pipedrive.sandbox.shapes import no_such_parameter
from flitstack_pipedrive.sandbox.texts import parse_v2_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flitstack_pipedrive.sandbox.call import Call
    from flitstack_pipedrive.sandbox.state import Where

LARGEST_PAGE = 500
MOST_IDS = 100
STANDARD_SORTS = ("id", "update_time", "add_time")
_COMMON = frozenset({"limit", "cursor", "sort_by", "sort_direction"})


def refuse_unknown(call: Call, allowed: frozenset[str] | set[str]) -> None:
    """Raise a 400 that names every query parameter this list does not have."""
    unknown = {key: no_such_parameter(key) for key in call.query if key not in allowed}
    if unknown:
        raise refused_v2(unknown)


def whole_number(call: Call, name: str) -> int:
    """Return a query parameter that must be a whole number, not negative."""
    text = call.query[name]
    if not text.isdecimal() or len(text) > 18:
        refused = refused_v2 if call.version == "v2" else refused_v1
        raise refused({name: "The value is not a valid 'integer'"})
    return int(text)


def list_v2(
    call: Call,
    table: str,
    equal: Sequence[str] = (),
    *,
    extra: Mapping[str, Callable[[str], Where]] | None = None,
    also: frozenset[str] = frozenset(),
    wheres: Sequence[Where] = (("deleted = 0", ()),),
    sorts: Sequence[str] = STANDARD_SORTS,
    shown: Callable[[list[Doc]], list[Doc]] | None = None,
) -> Answer:
    """Return one page of a v2 list.

    :param equal: integer columns that a query parameter of the same name filters by.
    :param extra: further filters: parameter to a maker of its condition.
    :param also: parameters that change what is shown, not which records.
    :param shown: what is done to the records before they are sent; None sends them as stored.
    """
    refuse_unknown(call, _COMMON | set(equal) | set(extra or ()) | also)
    conditions = [*wheres, *call.visible(table), *_not_too_fresh(call)]
    conditions += [(f"{name} = ?", (whole_number(call, name),)) for name in equal if name in call.query]
    conditions += [make(call.query[name]) for name, make in (extra or {}).items() if name in call.query]
    limit = page_limit(call, LARGEST_PAGE)
    sort, descending = _sorting(call, sorts)
    column = "COALESCE(due_date, '')" if sort == "due_date" else sort
    if "cursor" in call.query:
        conditions.append(_after(call.query["cursor"], sort, column, descending))
    direction = "DESC" if descending else "ASC"
    order = f"id {direction}" if sort == "id" else f"{column} {direction}, id {direction}"
    rows = call.store.select(table, f"doc, id, {column}", conditions, order, limit + 1)
    cursor = _cursor(rows[limit - 1], sort, direction) if len(rows) > limit else None
    docs = [row[0] for row in rows[:limit]]
    if shown is not None:
        docs = [to_json(doc) for doc in shown([json.loads(doc) for doc in docs])]
    return page_v2(docs, cursor)


def page_limit(call: Call, largest: int) -> int:
    """Return how many records a page may have; 100 when nothing is said.

    :raises ApiError: 400, it is not between 1 and `largest`.
    """
    if "limit" not in call.query:
        return 100
    limit = whole_number(call, "limit")
    if not 1 <= limit <= largest:
        refused = refused_v2 if call.version == "v2" else refused_v1
        raise refused({"limit": f"The value must be between 1 and {largest}"})
    return limit


def _not_too_fresh(call: Call) -> list[Where]:
    lag = call.account.switches.list_lag_s
    return [("written <= ?", (call.account.clock.now().timestamp() - lag,))] if lag else []


def _sorting(call: Call, sorts: Sequence[str]) -> tuple[str, bool]:
    sort = call.query.get("sort_by", "id")
    direction = call.query.get("sort_direction", "asc")
    if sort not in sorts:
        raise refused_v2({"sort_by": "The value is not allowed"})
    if direction not in ("asc", "desc"):
        raise refused_v2({"sort_direction": "The value is not allowed"})
    return sort, direction == "desc"


def _cursor(row: Sequence[Any], sort: str, direction: str) -> str:
    """Return a cursor that stands after the row: the sorted value and the id, as the documented examples decode."""
    place = {"field": sort, "fieldValue": row[2], "sortDirection": direction.lower(), "id": row[1]}
    return base64.urlsafe_b64encode(to_json(place).encode()).decode().rstrip("=")


def _after(cursor: str, sort: str, column: str, descending: bool) -> Where:
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        field, value, number = place["field"], place["fieldValue"], place["id"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise refused_v2({"cursor": "The value is not a valid cursor"}) from None
    if field != sort or type(number) is not int or not isinstance(value, int | str):
        raise refused_v2({"cursor": "The value does not belong to this list"})
    sign = "<" if descending else ">"
    if sort == "id":
        return f"id {sign} ?", (number,)
    return f"({column}, id) {sign} (?, ?)", (value, number)


def by_ids(text: str) -> Where:
    """Return the condition of `ids`, a comma list of at most 100."""
    ids = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and len(part) <= 18 for part in ids):
        raise refused_v2({"ids": "The value is not a valid list of ids"})
    if len(ids) > MOST_IDS:
        raise refused_v2({"ids": f"At most {MOST_IDS} ids are allowed"})
    return f"id IN ({','.join('?' * len(ids))})", tuple(map(int, ids))


def updated(name: str, sign: str) -> Callable[[str], Where]:
    """Return the maker of a condition on `update_time`, whole seconds only."""

    def condition(text: str) -> Where:
        at = parse_v2_time(text, whole_seconds=True)
        if at is None:
            raise refused_v2({name: "The value is not a valid datetime"})
        return f"update_time {sign} ?", (at,)

    return condition


CHANGED = {"updated_since": updated("updated_since", ">="), "updated_until": updated("updated_until", "<")}


def truth(name: str, column: str) -> Callable[[str], Where]:
    """Return the maker of a condition on a yes-or-no column."""

    def condition(text: str) -> Where:
        if text not in ("true", "false"):
            raise refused_v2({name: "The value is not a valid 'boolean'"})
        return f"{column} = ?", (int(text == "true"),)

    return condition


def rows_v1(
    call: Call, table: str, wheres: Sequence[Where], sorts: Mapping[str, str], largest: int = LARGEST_PAGE
) -> tuple[list[Doc], int, int, bool]:
    """Return one page of a v1 list: records, start, limit, and whether more follow."""
    start = whole_number(call, "start") if "start" in call.query else 0
    limit = page_limit(call, largest)
    conditions = [*wheres, *call.visible(table), *_not_too_fresh(call)]
    rows = call.store.select(table, "doc", conditions, _order_v1(call, sorts), limit + 1, start)
    return [json.loads(doc) for (doc,) in rows[:limit]], start, limit, len(rows) > limit


def _order_v1(call: Call, sorts: Mapping[str, str]) -> str:
    """Return the ORDER BY of a v1 `sort` such as `add_time DESC, id`."""
    parts = []
    for part in call.query.get("sort", "id").split(","):
        match = re.fullmatch(r"\s*(\w+)(?:\s+(ASC|DESC))?\s*", part, re.IGNORECASE)
        if match is None or match[1] not in sorts:
            raise refused_v1({"sort": "The field cannot be sorted by"})
        parts.append(f"{sorts[match[1]]} {(match[2] or 'ASC').upper()}")
    return ", ".join([*parts, "id ASC"])


def page_v1(docs: list[Doc], start: int, limit: int, more: bool) -> Answer:
    """Return a v1 page; an empty one has null for data."""
    pagination: Doc = {"start": start, "limit": limit, "more_items_in_collection": more}
    if more:
        pagination["next_start"] = start + limit
    body = {"success": True, "data": docs or None, "additional_data": {"pagination": pagination}}
    return Answer(to_json(body).encode())
