"""What HubSpot does with each kind of record, declared once: the engine relies on it, the test-kit checks it.

Sources: HubSpot developer documentation, "Properties", "Associations v4", "Files", "API usage guidelines"; what could
not be verified is listed in docs/hubspot-facts.md. A budget unit is one request of the day.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from flitstack.protocols import Behaviours, ObjectBehaviour, PeopleFields, Spent
from flitstack_hubspot.objects import BATCH, BODY_LIMIT, KEY, SHAPES

if TYPE_CHECKING:
    from flitstack.protocols import Verb

CONCURRENCY = 8
RESTORE_DAYS = 90
NAME_LIMIT = 100
CLASH_SUFFIX = "_flit"  # a property's name holds lower-case letters, digits and underscores
FILE = "file"
FILE_KEY = "source_key"
SCHEMA_OBJECTS = ("field_group", "field", "pipeline", "stage", "label")
ENTITIES = tuple(SHAPES)
LABELLED: tuple[tuple[str, str], ...] = (
    ("company", "company"),
    ("company", "contact"),
    ("contact", "contact"),
    ("contact", "company"),
    ("deal", "contact"),
    ("deal", "company"),
)
SCHEMA_READING = 2 * len(ENTITIES) + 1 + len(LABELLED)  # groups and fields of each, pipelines, labels of each pair

PEOPLE = {
    "company": PeopleFields({"name": ("name",), "phones": ("phone",), "addresses": ("address",)}, is_organization=True),
    "contact": PeopleFields(
        {
            "given": ("firstname",),
            "family": ("lastname",),
            "emails": ("email", "additional_emails"),
            "phones": ("phone", "mobilephone"),
            "birth_date": ("birth_date", "date_of_birth"),
            "addresses": ("address",),
        }
    ),
}

_ALL: frozenset[Verb] = frozenset({"create", "update", "delete"})
_ONE = {"create": 1, "update": 1, "delete": 1, "list": 1, "get": 1}


@cache
def behaviours(lag_s: float = 5.0) -> Behaviours:
    """Return the behaviours of all objects, in the order in which they must exist.

    :param lag_s: seconds within which a list may not show a write yet; not documented, so a setting.
    """
    schema = {
        name: ObjectBehaviour(
            verbs=_ALL, cost=_ONE, page_size=1_000, key_in="name", lag_s=lag_s, limits={"name": NAME_LIMIT}
        )
        for name in SCHEMA_OBJECTS
    }
    schema["field"] = replace(schema["field"], clash_suffix=CLASH_SUFFIX)
    file = ObjectBehaviour(
        verbs=_ALL,
        cost={**_ONE, "hash": 2},
        page_size=BATCH,
        key_in=f"field:{FILE_KEY}",
        parents=("contact",),
        lag_s=lag_s,
        key_unique=True,
    )
    records = {name: _record(name, lag_s) for name in SHAPES}
    crm = {name: records.pop(name) for name in ("company", "contact", "deal")}
    return Behaviours(
        objects={**schema, **crm, FILE: file, **records},
        schema_objects=SCHEMA_OBJECTS,
        max_batch=BATCH,
        concurrency=CONCURRENCY,
        schema_reading=Spent(SCHEMA_READING, SCHEMA_READING),
        people=PEOPLE,
    )


def _record(name: str, lag_s: float) -> ObjectBehaviour:
    shape = SHAPES[name]
    return ObjectBehaviour(
        verbs=_ALL,
        cost=_ONE,
        page_size=BATCH,
        key_in=f"field:{KEY}",
        parents=tuple(shape.default) if shape.is_activity else (),
        lag_s=lag_s,
        settable_times=("hs_timestamp",) if shape.is_activity else (),
        restore_days=RESTORE_DAYS,
        limits=dict.fromkeys(shape.bodies, BODY_LIMIT),
        batch=BATCH,
        key_unique=shape.is_unique,
    )
