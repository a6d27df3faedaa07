"""Requests made of the derived tables: good ones, and good ones with something wrong; links are filled in when sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack_pipedrive.sandbox.contract import tables
from flitstack_pipedrive.sandbox.routes import OFFERED

if TYPE_CHECKING:
    from random import Random

DAYS = ("2020-02-29", "2024-12-31")
MOMENTS = ("2020-01-02T03:04:05Z", "2024-06-30T23:59:59+02:00")
V1_MOMENTS = ("2020-01-02 03:04:05", "2030-12-31 23:59:59")
WORDS = ("Robin Example", "Crown", " spaced ", "Ünïcode ✓", "x" * 255)
JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 2**70, 1.5, "", "x" * 256, "1", "no such", "2020-13-45", "2020-01-01T00:00:00.5Z", [], {}, [1],
    ["a"], [{}], [[]], {"value": "x"}, {"value": 1, "currency": "XXX"}, [{"value": 1}], [{"id": 1}], "\x00", "\ud800",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Link:
    """Stands for the id of a live record of a table, the `place`-th of those there are."""

    table: str
    place: int


@dataclass(frozen=True, slots=True)
class Customs:
    """Stands for custom fields: pairs of which field, and which of the values that are tried on its type."""

    picks: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Shot:
    """One request to make, with links not yet filled in.

    :param wrong: what was done to it, or "" for a request as the tables have it.
    """

    call: str
    ids: list[Any]
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    form: dict[str, Any] | None = None
    wrong: str = ""


Make: TypeAlias = Callable[["Random"], Any]


def just(value: Any) -> Make:
    """Return what always makes this value."""
    return lambda rng: value


def pick(values: Sequence[Any]) -> Make:
    """Return what makes one of these values."""
    return lambda rng: rng.choice(values)


def whole(least: int, most: int) -> Make:
    """Return what makes whole numbers."""
    return lambda rng: rng.randint(least, most)


def many(item: Make, most: int, least: int = 0) -> Make:
    """Return what makes lists."""
    return lambda rng: [item(rng) for _ in range(rng.randint(least, most))]


def record(required: Mapping[str, Make], optional: Mapping[str, Make]) -> Make:
    """Return what makes objects with the one and about half of the other keys."""

    def make(rng: Random) -> dict[str, Any]:
        some = {name: one for name, one in optional.items() if rng.random() < 0.5}
        return {name: one(rng) for name, one in {**required, **some}.items()}

    return make


def link(table: str) -> Make:
    """Return what makes links to any live record of a table."""
    return lambda rng: Link(table, rng.randint(0, 7))


def _customs(rng: Random) -> Customs:
    return Customs(tuple((rng.randint(0, 23), rng.randint(0, 7)) for _ in range(rng.randint(0, 3))))


POINT = record(
    {"value": pick(("555 0100", "kim@sample.example"))},
    {"label": pick(("home", "work")), "primary": pick((True, False))},
)
ADDRESS = record({"value": just("1 Example St 12345")}, {"locality": just("Sampleton")})
# What a key means, where its type alone would hardly ever make a request that is accepted.
MEANING: Mapping[str, Make] = {
    # The third user is deactivated.
    **dict.fromkeys(("owner_id", "user_id"), pick((1, 2, 1, 2, 1, 2, 3, 99))),
    "person_id": link("person"),
    **dict.fromkeys(("org_id", "organization_id"), link("organization")),
    **dict.fromkeys(("deal_id", "deal_ids"), link("deal")),
    "lead_id": link("lead"),
    "activity_id": link("activity"),
    "pipeline_id": link("pipeline"),
    "stage_id": link("stage"),
    "product_id": link("product"),
    "visible_to": pick((1, 3, 5, 7)),
    "currency": pick(("USD", "EUR")),
    "custom_fields": _customs,
    **dict.fromkeys(("emails", "phones"), many(POINT, 2)),
    **dict.fromkeys(("address", "location"), ADDRESS),
    **dict.fromkeys(("due_date", "expected_close_date", "birthday", "billing_start_date"), pick(DAYS)),
    **dict.fromkeys(("won_time", "lost_time", "close_time"), pick(MOMENTS)),
    "archive_time": pick(V1_MOMENTS),
    **dict.fromkeys(("due_time", "duration"), pick(("09:30", "00:45"))),
    "status": pick(("open", "won", "lost")),
    "type": link("type"),
    **dict.fromkeys(("project_id", "task_id", "product_variation_id"), just(None)),
    "probability": whole(0, 100),
    "deal_probability": whole(0, 100),
    "priority": pick((12, 13)),
    "outcome": just(None),
    "color": just("FFAA00"),
    "attendees": many(record({"email": just("kim@sample.example")}, {}), 1),
    "participants": many(record({"person_id": link("person")}, {}), 2, 1),
    "prices": many(record({"price": just(9.5), "currency": just("USD")}, {}), 1),
    "billing_frequency_cycles": pick((None, 1, 20)),
    "quantity": whole(1, 5),
    "item_price": whole(1, 500),
    "discount": whole(0, 50),
    "tax": whole(0, 20),
    "ids": just("1,2,3"),
    "limit": whole(1, 5),
    "start": whole(0, 3),
    "sort": pick(("id", "update_time DESC", "add_time, id")),
    "term": pick(("Robin", "crown", "555", "no such thing")),
    "field": just("name"),
    "updated_since": just("2020-01-01T00:00:00Z"),
    "updated_until": just("2030-01-01T00:00:00Z"),
    "since_timestamp": just("2020-01-01 00:00:00"),
    "start_date": pick(DAYS),
    "end_date": pick(DAYS),
    "options": many(record({"label": pick("ABC")}, {}), 2, 1),
    "label_ids": just([]),
}
LABELS: Mapping[str, list[int]] = {"persons": [1, 2], "organizations": [5], "deals": [9, 11]}


def good(name: str, schema: Any, call: str) -> Make:
    """Return what makes values that a table, and what the name means, allow."""
    if name == "add_time":
        return pick(V1_MOMENTS if call.startswith("v1") else MOMENTS)
    if name == "visible_to" and call.startswith("v1"):
        return pick("1357")
    if name == "value" and call.startswith("v1"):
        return just({"amount": 5, "currency": "USD"})
    if name == "id":
        return link("option")
    if name == "label_ids":
        return pick((LABELS.get(call.split("/")[1], []), []))
    if name in MEANING:
        return MEANING[name]
    if "enum" in schema:
        return pick(schema["enum"])
    kinds = schema.get("type", "string")
    if isinstance(kinds, str):
        return _of_kind(kinds, schema, call)
    made = _of_kind(kinds[0], schema, call)
    return lambda rng: None if rng.random() < 0.2 else made(rng)


def _of_kind(kind: str, schema: Any, call: str) -> Make:
    if kind == "array":
        return many(good("", schema.get("items", {}), call), 2)
    if kind == "object":
        return body_of(schema, call) if "properties" in schema else just({})
    plain: Mapping[str, Make] = {
        "integer": whole(0, 9),
        "number": pick((0, 1, 5, 100, 1.5)),
        "boolean": pick((True, False)),
        "string": pick(WORDS),
    }
    return plain[kind]


def body_of(schema: Any, call: str) -> Make:
    """Return what makes objects that a table allows."""
    if "properties" not in schema:
        return _of_kind("array", schema, call)
    members = {name: good(name, one, call) for name, one in schema["properties"].items() if not one.get("readOnly")}
    required = {name: members.pop(name) for name in schema.get("required", ())}
    return record(required, members)


NEEDED = {"v2 POST /persons": ("name",), "v1 POST /notes": ("person_id",), "v1 POST /leads": ("person_id",)}
# Keys that mostly make a refusal, and so are tried seldom: contact sync, the company profile, what must match a status.
SELDOM = frozenset(
    {"notes", "im", "birthday", "job_title", "postal_address", "website", "linkedin", "industry", "annual_revenue",
     "employee_count", "add_time", "person_id", "won_time", "lost_time", "close_time", "lost_reason", "archive_time",
     "is_deleted", "category", "project_id", "file",
     *(f"pinned_to_{name}_flag" for name in ("lead", "deal", "organization", "project", "task"))}
)  # fmt: skip


@cache
def _bodies(call: str) -> Make:
    """Return what makes bodies: what is needed, and a handful of the rest, so that a good part is accepted."""
    content = tables()[call].get("body", {})
    if not content:
        return just(None)
    schema = next(iter(content.values()))
    if "properties" not in schema:
        return body_of(schema, call)
    members = {name: good(name, one, call) for name, one in schema["properties"].items() if not one.get("readOnly")}
    needed = {*schema.get("required", ()), *NEEDED.get(call, ())}
    often = sorted(set(members) - SELDOM) * 3 + sorted({"custom_fields", "owner_id"} & set(members)) * 6

    def make(rng: Random) -> dict[str, Any]:
        names = {*needed, *rng.choices([*often, *members], k=rng.randint(0, 4))}
        return {name: members[name](rng) for name in sorted(names)}

    return make


@cache
def _queries(call: str) -> Make:
    """Return what makes queries: what is needed, mostly a small limit, and up to two parameters more."""
    query = tables()[call].get("query", {"properties": {}, "required": ()})
    names = sorted(set(query["properties"]) - {"filter_id", "cursor"})
    members = {name: good(name, query["properties"][name], call) for name in names}
    if "custom_fields" in members:
        members["custom_fields"] = just("0" * 40)
    needed = {*query["required"], *({"limit"} & set(names))}

    def make(rng: Random) -> dict[str, Any]:
        more = rng.sample(names, min(len(names), rng.randint(0, 2)))
        return {name: members[name](rng) for name in sorted({*needed, *more})}

    return make


_TABLE = {"persons": "person", "organizations": "organization", "deals": "deal", "activities": "activity",
          "leads": "lead", "notes": "note", "files": "file", "pipelines": "pipeline", "stages": "stage",
          "products": "product", "activityTypes": "activity_type", "users": "user"}  # fmt: skip
_INNER = {"{follower_id}": "follower", "{product_attachment_id}": "deal_product"}
# Without the first of these, much else would be refused; only later ones are deleted.
KEPT = frozenset({"pipelines", "stages", "activityTypes", "deals", "products"})
# What a migration writes and reads is asked more often than the rest.
_MAIN = re.compile(r"(v2 (GET|POST|PATCH) /(persons|organizations|deals|activities)|v1 \w+ /(leads|notes))(/\{id\})?$")
CALLS = sorted([*OFFERED, *(call for call in OFFERED if _MAIN.match(call) for _ in range(4))])


def shot(rng: Random) -> Shot:
    """Return any request of any offered operation; about half have something wrong."""
    call = rng.choice(CALLS)
    made = Shot(call, [one(rng) for one in _ids(call)], _queries(call)(rng))
    body = _bodies(call)(rng)
    if "body" in tables()[call] and "application/json" not in tables()[call]["body"]:
        made.form = {name: value for name, value in (body or {}).items() if name != "file"}
    else:
        made.body = body
    _spoil(made, rng)
    return made


def _ids(call: str) -> list[Make]:
    path = call.split(" ")[2]
    first = path.split("/")[1]
    makes = []
    for part in path.split("/"):
        if part == "{field_code}":
            what = "choice" if path.endswith("/options") else "code"
            makes.append(link(f"{what}:{first.removesuffix('Fields')}"))
        elif part.startswith("{"):
            spare = "spare:" if call.split(" ")[1] == "DELETE" and first in KEPT else ""
            makes.append(link(spare + _INNER.get(part, _TABLE.get(first, ""))))
    return makes


_WRONGS = ("", "", "", "", "junk", "junk", "junk", "unknown key", "no such id", "no such parameter", "junk parameter",
           "required", "other body", "inner")  # fmt: skip


def _spoil(made: Shot, rng: Random) -> None:
    """Do perhaps one thing wrong to a request, and note what it was."""
    wrong, junk, body = rng.choice(_WRONGS), rng.choice(JUNK), made.body
    if wrong == "no such id" and made.ids:
        made.ids[0] = rng.choice((0, 999_999, "x", "1.5", "9" * 30))
    elif wrong == "no such parameter":
        made.query["colour"] = "red"
    elif wrong == "junk parameter" and made.query:
        made.query[rng.choice(sorted(made.query))] = rng.choice(("", "x", "-1", "0", "501", "1,x"))
    elif isinstance(body, dict) and wrong == "unknown key":
        body["no_such_key"] = junk
    elif isinstance(body, dict) and body and wrong in ("junk", "required", "inner"):
        name = rng.choice(sorted(body))
        if wrong == "required":
            del body[name]
        elif wrong == "inner" and isinstance(body[name], dict):
            body[name] = {**body[name], rng.choice(("value", "locality", "no_such_key")): junk}
        else:
            body[name] = junk
    elif wrong in ("other body", "junk") and made.form is None and "body" in tables()[made.call]:
        made.body = junk
    else:
        wrong = ""
    made.wrong = wrong
