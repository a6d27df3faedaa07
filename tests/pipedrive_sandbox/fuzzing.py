"""Requests made of the derived tables: good ones, and good ones with something wrong; links are filled in when sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from flitstack_pipedrive.sandbox.contract import tables
from flitstack_pipedrive.sandbox.routes import OFFERED

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def link(table: str) -> st.SearchStrategy[Any]:
    """Return links to any live record of a table."""
    return st.builds(Link, st.just(table), st.integers(0, 7))


CUSTOMS = st.builds(Customs, st.lists(st.tuples(st.integers(0, 15), st.integers(0, 5)), max_size=3).map(tuple))
POINT = st.fixed_dictionaries(
    {"value": st.sampled_from(("555 0100", "kim@sample.example"))},
    optional={"label": st.sampled_from(("home", "work")), "primary": st.booleans()},
)
ADDRESS = st.fixed_dictionaries(
    {"value": st.just("1 Example Street 12345")}, optional={"locality": st.just("Sampleton")}
)
# What a key means, where its type alone would hardly ever make a request that is accepted.
MEANING: Mapping[str, st.SearchStrategy[Any]] = {
    # The third user is deactivated.
    **dict.fromkeys(("owner_id", "user_id"), st.sampled_from((1, 2, 1, 2, 1, 2, 3, 99))),
    "person_id": link("person"),
    **dict.fromkeys(("org_id", "organization_id"), link("organization")),
    **dict.fromkeys(("deal_id", "deal_ids"), link("deal")),
    "lead_id": link("lead"),
    "activity_id": link("activity"),
    "pipeline_id": link("pipeline"),
    "stage_id": link("stage"),
    "product_id": link("product"),
    "visible_to": st.sampled_from((1, 3, 5, 7)),
    "currency": st.sampled_from(("USD", "EUR")),
    "custom_fields": CUSTOMS,
    **dict.fromkeys(("emails", "phones"), st.lists(POINT, max_size=2)),
    **dict.fromkeys(("address", "location"), ADDRESS),
    **dict.fromkeys(("due_date", "expected_close_date", "birthday", "billing_start_date"), st.sampled_from(DAYS)),
    **dict.fromkeys(("won_time", "lost_time", "close_time"), st.sampled_from(MOMENTS)),
    "archive_time": st.sampled_from(V1_MOMENTS),
    **dict.fromkeys(("due_time", "duration"), st.sampled_from(("09:30", "00:45"))),
    "status": st.sampled_from(("open", "won", "lost")),
    "type": link("type"),
    **dict.fromkeys(("project_id", "task_id", "product_variation_id"), st.none()),
    "probability": st.integers(0, 100),
    "deal_probability": st.integers(0, 100),
    "priority": st.sampled_from((12, 13)),
    "outcome": st.none(),
    "color": st.just("FFAA00"),
    "attendees": st.lists(st.fixed_dictionaries({"email": st.just("kim@sample.example")}), max_size=1),
    "participants": st.lists(st.fixed_dictionaries({"person_id": link("person")}), min_size=1, max_size=2),
    "prices": st.lists(st.fixed_dictionaries({"price": st.just(9.5), "currency": st.just("USD")}), max_size=1),
    "billing_frequency_cycles": st.none() | st.integers(1, 20),
    "quantity": st.integers(1, 5),
    "item_price": st.integers(1, 500),
    "discount": st.integers(0, 50),
    "tax": st.integers(0, 20),
    "ids": st.just("1,2,3"),
    "limit": st.integers(1, 5),
    "start": st.integers(0, 3),
    "sort": st.sampled_from(("id", "update_time DESC", "add_time, id")),
    "term": st.sampled_from(("Robin", "crown", "555", "no such thing")),
    "field": st.just("name"),
    "updated_since": st.just("2020-01-01T00:00:00Z"),
    "updated_until": st.just("2030-01-01T00:00:00Z"),
    "since_timestamp": st.just("2020-01-01 00:00:00"),
    "start_date": st.sampled_from(DAYS),
    "end_date": st.sampled_from(DAYS),
    "options": st.lists(st.fixed_dictionaries({"label": st.sampled_from("ABC")}), min_size=1, max_size=2),
    "label_ids": st.just([]),
}
LABELS: Mapping[str, list[int]] = {"persons": [1, 2], "organizations": [5], "deals": [9, 11]}


def good(name: str, schema: Any, call: str) -> st.SearchStrategy[Any]:
    """Return values that a table, and what the name means, allow."""
    if name == "add_time":
        return st.sampled_from(V1_MOMENTS if call.startswith("v1") else MOMENTS)
    if name == "visible_to" and call.startswith("v1"):
        return st.sampled_from("1357")
    if name == "value" and call.startswith("v1"):
        return st.just({"amount": 5, "currency": "USD"})
    if name == "id":
        return link("option")
    if name == "label_ids":
        return st.sampled_from((LABELS.get(call.split("/")[1], []), []))
    if name in MEANING:
        return MEANING[name]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    made = _of_kind(kind, schema, call)
    return made if isinstance(kinds, str) else made | st.none()


def _of_kind(kind: str, schema: Any, call: str) -> st.SearchStrategy[Any]:
    if kind == "array":
        return st.lists(good("", schema.get("items", {}), call), max_size=2)
    if kind == "object":
        return body_of(schema, call) if "properties" in schema else st.just({})
    plain: Mapping[str, st.SearchStrategy[Any]] = {
        "integer": st.integers(0, 9),
        "number": st.integers(0, 100) | st.just(1.5),
        "boolean": st.booleans(),
        "string": st.sampled_from(WORDS),
    }
    return plain[kind]


def body_of(schema: Any, call: str) -> st.SearchStrategy[Any]:
    """Return objects that a table allows: what is required, and some of the rest."""
    if "properties" not in schema:
        return _of_kind("array", schema, call)
    members = {name: good(name, one, call) for name, one in schema["properties"].items() if not one.get("readOnly")}
    required = {name: members.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=members)


@cache
def _bodies(call: str) -> st.SearchStrategy[Any]:
    content = tables()[call].get("body", {})
    if not content:
        return st.none()
    schema = next(iter(content.values()))
    if "properties" in schema:
        often = sorted(set(schema["properties"]) - SELDOM) * 3
        few = st.lists(st.sampled_from([*often, *schema["properties"]]), min_size=1, max_size=4)
        needed = {*schema.get("required", ()), *NEEDED.get(call, ())}
        whole = body_of({**schema, "required": sorted(schema["properties"])}, call)
        return st.builds(_fewer, whole, few, st.just(needed))
    return body_of(schema, call)


def _fewer(body: dict[str, Any], names: list[str], required: Any) -> dict[str, Any]:
    """Return the body with a handful of its optional keys, so that a good part of all bodies is accepted."""
    return {name: value for name, value in body.items() if name in required or name in names}


@cache
def _queries(call: str) -> st.SearchStrategy[dict[str, Any]]:
    query = tables()[call].get("query", {"properties": {}, "required": ()})
    members = {
        name: good(name, one, call) for name, one in query["properties"].items() if name not in ("filter_id", "cursor")
    }
    if "custom_fields" in members:
        members["custom_fields"] = st.just("0" * 40)
    required = {name: members.pop(name) for name in query["required"]}
    if "limit" in members:
        required["limit"] = members.pop("limit")
    return st.fixed_dictionaries(required, optional=members).map(_few_parameters(set(required)))


def _few_parameters(required: set[str]) -> Any:
    def fewer(query: dict[str, Any]) -> dict[str, Any]:
        kept = [name for name in query if name in required]
        kept += [name for name in query if name not in required][:2]
        return {name: query[name] for name in kept}

    return fewer


_TABLE = {"persons": "person", "organizations": "organization", "deals": "deal", "activities": "activity",
          "leads": "lead", "notes": "note", "files": "file", "pipelines": "pipeline", "stages": "stage",
          "products": "product", "activityTypes": "activity_type", "users": "user"}  # fmt: skip
_INNER = {"{follower_id}": "follower", "{product_attachment_id}": "deal_product"}
# Keys that mostly make a refusal, and so are tried seldom: contact sync, the company profile, what must match a status.
NEEDED = {"v2 POST /persons": ("name",), "v1 POST /notes": ("person_id",), "v1 POST /leads": ("person_id",)}
SELDOM = frozenset(
    {"notes", "im", "birthday", "job_title", "postal_address", "website", "linkedin", "industry", "annual_revenue",
     "employee_count", "add_time", "person_id", "won_time", "lost_time", "close_time", "lost_reason", "archive_time",
     "is_deleted", "category", "project_id", "file", *(f"pinned_to_{name}_flag" for name in ("lead", "deal",
     "organization", "project", "task"))}
)  # fmt: skip


@st.composite
def shots(draw: st.DrawFn) -> Shot:
    """Return any request of any offered operation; about half have something wrong."""
    call = draw(st.sampled_from(sorted(OFFERED)))
    path = call.split(" ")[2]
    first = path.split("/")[1]
    ids = []
    for part in path.split("/"):
        if part == "{field_code}":
            what = "choice" if path.endswith("/options") else "code"
            ids.append(draw(link(f"{what}:{first.removesuffix('Fields')}")))
        elif part.startswith("{"):
            ids.append(draw(link(_INNER.get(part, _TABLE.get(first, "")))))
    shot = Shot(call, ids, dict(draw(_queries(call))))
    body = draw(_bodies(call))
    if "body" in tables()[call] and "application/json" not in tables()[call]["body"]:
        shot.form = {name: value for name, value in (body or {}).items() if name != "file"}
    else:
        shot.body = body
    return draw(_spoilt(shot))


_WRONGS = ("", "", "", "junk", "junk", "junk", "unknown key", "no such id", "no such parameter", "junk parameter",
           "required", "other body", "inner")  # fmt: skip


@st.composite
def _spoilt(draw: st.DrawFn, shot: Shot) -> Shot:
    """Return the request with perhaps one thing wrong."""
    wrong = draw(st.sampled_from(_WRONGS))
    junk = draw(st.sampled_from(JUNK))
    body = shot.body
    if wrong == "no such id" and shot.ids:
        shot.ids[0] = draw(st.sampled_from((0, 999_999, "x", "1.5", "9" * 30)))
    elif wrong == "no such parameter":
        shot.query["colour"] = "red"
    elif wrong == "junk parameter" and shot.query:
        shot.query[draw(st.sampled_from(sorted(shot.query)))] = draw(
            st.sampled_from(("", "x", "-1", "0", "501", "1,x"))
        )
    elif isinstance(body, dict) and wrong == "unknown key":
        body["no_such_key"] = junk
    elif isinstance(body, dict) and body and wrong in ("junk", "required", "inner"):
        name = draw(st.sampled_from(sorted(body)))
        if wrong == "required":
            del body[name]
        elif wrong == "inner" and isinstance(body[name], dict):
            body[name] = {**body[name], draw(st.sampled_from(("value", "locality", "no_such_key"))): junk}
        else:
            body[name] = junk
    elif wrong in ("other body", "junk") and shot.form is None and "body" in tables()[shot.call]:
        shot.body = junk
    else:
        wrong = ""
    shot.wrong = wrong
    return shot
