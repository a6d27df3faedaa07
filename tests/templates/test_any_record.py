"""Whatever a record holds that its schema allows, the template makes something of it or says in words why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flitstack.mapping import RejectedEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.protocols import Stream

IDS = st.sampled_from(["1", "2", "nobody"])
TEXTS = st.text(max_size=12) | st.sampled_from(["", " ", "<b>", "a\nb"])
BY_TYPE = {
    "date": st.dates().map(lambda day: day.isoformat()),
    "local-datetime": st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds")),
    "decimal": st.decimals(-99_999, 99_999, places=2).map(str),
}
BY_JSON_TYPE: Mapping[str, st.SearchStrategy[Any]] = {
    "string": TEXTS,
    "integer": st.integers(-5, 5_000),
    "boolean": st.booleans(),
}


def values_of(stream: Stream) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of records that the stream's schema allows, with references to records that may exist."""
    fields = {name: _value(schema) for name, schema in stream.schema["properties"].items() if name != "id"}
    return st.fixed_dictionaries(fields)


def _value(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    plain = IDS if "x-references" in schema else BY_TYPE.get(schema.get("x-type", ""), BY_JSON_TYPE[types[0]])
    return st.none() | plain if "null" in types else plain


@pytest.mark.parametrize("profile", ["full", "engagement"])
@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_expression_fails_on_a_record_that_its_schema_allows(
    practice: Callable[..., Any], schemas: Callable[[], Mapping[str, Stream]], data: st.DataObject, profile: str
) -> None:
    saving = (
        {}
        if profile == "engagement"
        else {"procedures": "per_visit", "notes": "per_visit", "active_since": "2024-06-30"}
    )
    made = practice(profile, **saving)
    for name, stream in schemas().items():
        for record_id in ("1", "2"):
            made.add(name, record_id, **data.draw(values_of(stream), label=name))

    for entry in made.spec.entries:
        for record_id in ("1", "2"):
            outcome = made.run(entry.name, record_id)
            failed = outcome.code if isinstance(outcome, RejectedEntry) else ""
            assert failed not in {"expression_failed", "unknown_value", "time_without_zone", "no_key"}, outcome
