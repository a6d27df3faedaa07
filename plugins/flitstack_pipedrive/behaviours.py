"""What Pipedrive does with each kind of record, declared once: the engine relies on it, the test-kit checks it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from flitstack.protocols import Behaviours, ObjectBehaviour, PeopleFields, Spent
from flitstack_pipedrive.codec.fieldbook import ENTITIES, KEY_FIELD
from flitstack_pipedrive.codec.marker import ROOM
from flitstack_pipedrive.codec.shapes import ACTIVITY_NOTE_LIMIT, NOTE_LIMIT, SHAPES
from flitstack_pipedrive.costs import cost_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import Verb

PAGE = 500
FILES_PAGE = 100
CONCURRENCY = 128  # at most; the client finds how many requests are of use at once
RESTORE_DAYS = 30  # of what the page "Restore data" lists, which is neither notes nor files
DOWNLOAD = "/files/{id}/download"
SCHEMA_OBJECTS = ("field", "pipeline", "stage", "activity_type")
SCHEMA_LISTS = (
    *((2, f"/{entity}Fields") for entity in ENTITIES),
    (2, "/pipelines"),
    (2, "/stages"),
    (1, "/activityTypes"),
)
OPENING_LISTS = (*SCHEMA_LISTS, (1, "/users/me"), (1, "/users"), (2, "/productFields"))

PEOPLE = {
    "organization": PeopleFields({"name": ("name",), "addresses": ("address",)}, is_organization=True),
    "person": PeopleFields(
        {
            "name": ("name",),
            "emails": ("emails",),
            "phones": ("phones",),
            "birth_date": ("Date_Of_Birth__c", "Date of birth", "Birth date", "Birthdate", "Birthday", "DOB"),
            "addresses": ("Mailing_Address__c", "Mailing address", "Home address", "Address"),
            "sex": ("Sex", "Gender"),
        }
    ),
}
"""Custom fields go by the names that practices give them: Pipedrive itself knows no birth date."""

IRREVERSIBLE = (
    "What a write set off when it was made: notifications, webhooks, automations and sequences.",
    "What the account noted of it: change times, the change log, and who did it.",
    "A custom field that is deleted: created anew, it gets another key, and filters or automations that used it do "
    "not find it.",
)
"""Source: Pipedrive API, "Custom fields" and the deletion of records; there is no endpoint that restores any."""

_ALL: frozenset[Verb] = frozenset({"create", "update", "delete"})


@cache
def behaviours(lag_s: float = 5.0) -> Behaviours:
    """Return the behaviours of all objects, in the order in which they must exist.

    :param lag_s: seconds within which a list may not show a write yet; not documented, so a setting.
    """
    return Behaviours(
        objects={**_schema_objects(lag_s), **_records(lag_s)},
        schema_objects=SCHEMA_OBJECTS,
        concurrency=CONCURRENCY,
        schema_reading=reading(SCHEMA_LISTS),
        people=PEOPLE,
        irreversible=IRREVERSIBLE,
    )


def reading(lists: Sequence[tuple[int, str]]) -> Spent:
    """Return what asking for each of these lists once takes, (version, path) each, at one page."""
    return Spent(len(lists), sum(cost_of(version, "GET", path) for version, path in lists))


def _schema_objects(lag_s: float) -> dict[str, ObjectBehaviour]:
    costs = {
        "field": _costs(2, "/personFields", "PATCH", one="{field_code}"),
        "pipeline": _costs(2, "/pipelines", "PATCH"),
        "stage": _costs(2, "/stages", "PATCH"),
        "activity_type": _costs(1, "/activityTypes", "PUT"),
    }
    return {
        name: ObjectBehaviour(
            verbs=_ALL, cost=costs[name], page_size=PAGE, key_in="name", lag_s=lag_s, limits={"name": 255}
        )
        for name in SCHEMA_OBJECTS
    }


def _records(lag_s: float) -> dict[str, ObjectBehaviour]:
    by_field = f"field:{KEY_FIELD}"
    return {
        "organization": _record(lag_s, "organization", "PATCH", by_field, times=("add_time",)),
        "person": _record(lag_s, "person", "PATCH", by_field, times=("add_time",)),
        "deal": _record(lag_s, "deal", "PATCH", by_field, times=("won_time", "lost_time")),
        "lead": _record(lag_s, "lead", "PATCH", by_field),
        "activity": _record(lag_s, "activity", "PATCH", "text:note", limits={"note": ACTIVITY_NOTE_LIMIT - ROOM}),
        "note": _record(
            lag_s, "note", "PUT", "text:content", times=("add_time",), limits={"content": NOTE_LIMIT - ROOM}, restore=0
        ),
        "file": _record(lag_s, "file", "PUT", "content", limits={"name": 255}, restore=0),
    }


def _record(
    lag_s: float,
    object: str,
    update: str,
    key_in: str,
    *,
    times: tuple[str, ...] = (),
    limits: Mapping[str, int] | None = None,
    restore: int = RESTORE_DAYS,
) -> ObjectBehaviour:
    shape = SHAPES[object]
    is_file = object == "file"
    costs = _costs(shape.version, shape.path, update)
    return ObjectBehaviour(
        verbs=_ALL,
        archive="is_archived" if object in ("deal", "lead") else "",
        cost={**costs, "hash": cost_of(1, "GET", DOWNLOAD)} if is_file else costs,
        page_size=FILES_PAGE if is_file else PAGE,
        key_in=key_in,
        parents=shape.parents,
        filter_since=not is_file,
        lag_s=lag_s,
        settable_times=times,
        restore_days=restore,
        limits=limits or {},
        cannot_clear=tuple(native.name for native in shape.natives.values() if native.clear == "refuse"),
    )


def _costs(version: int, path: str, update: str, one: str = "{id}") -> Mapping[str, int]:
    costs = {
        "create": cost_of(version, "POST", path),
        "update": cost_of(version, update, f"{path}/{one}"),
        "delete": cost_of(version, "DELETE", f"{path}/{one}"),
        "list": cost_of(version, "GET", path),
    }
    # Activity types are read by their list alone, and of fields only the list is used.
    costs["get"] = costs["list"] if "Fields" in path or "Types" in path else cost_of(version, "GET", f"{path}/{one}")
    return costs
