"""Writes the page of all streams (`docs/streams.md`) from their schemas, so that it says what the reader checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_dental.layout import stream_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEAD = """\
# Streams

The neutral streams of the dental source: what a layout fills ([how to add one](layouts.md)) and a mapping reads. Made
from the schemas in `plugins/flitstack_dental/streams/` by `flit dental streams`; do not edit it by hand.

A field in **bold** must be there in every record. Dates are `YYYY-MM-DD`; local times are `YYYY-MM-DDTHH:MM:SS` of the
practice's clock; amounts are decimal numbers as text. *change stamp* marks the field that a later export changes with
its record; its form does not matter.
"""
_TYPES = {
    "date": "date",
    "local-datetime": "local time",
    "datetime": "time with a zone",
    "time": "time of day",
    "decimal": "amount",
}


def stream_page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_HEAD, *_contents(), *(line for each in stream_schemas().items() for line in _section(*each))])


def _contents() -> Iterator[str]:
    yield "| stream | what a record is |"
    yield "|---|---|"
    for name, schema in stream_schemas().items():
        yield f"| [`{name}`](#{name}) | {schema.get('description', '')} |"
    yield ""


def _section(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    required = set(schema["required"])
    yield from (f"## {name}", "", schema.get("description", ""), "", "| field | what it holds |", "|---|---|")
    for field, rule in schema["properties"].items():
        yield f"| {f'**`{field}`**' if field in required else f'`{field}`'} | {_held(field, rule)} |"
    yield ""


def _held(field: str, rule: Mapping[str, Any]) -> str:
    found = [_kind(field, rule)]
    if target := rule.get("x-references"):
        found = [f"id of [`{target}`](#{target})" + (f", in expressions `{rule['x-as']}`" if "x-as" in rule else "")]
    if rule.get("x-change-stamp"):
        found = ["change stamp"]
    if described := rule.get("description"):
        found.append(str(described))
    return ". ".join(each.rstrip(".") for each in found).replace("|", "\\|")


def _kind(field: str, rule: Mapping[str, Any]) -> str:
    if "enum" in rule:
        return "one of " + ", ".join(f"`{word}`" for word in rule["enum"] if word is not None)
    if kind := _TYPES.get(str(rule.get("x-type"))):
        return kind
    types = rule.get("type", ())
    names = [types] if isinstance(types, str) else types
    if "integer" in names:
        low, high = rule.get("minimum"), rule.get("maximum")
        return "whole number" + (f", {low} to {high}" if low is not None and high is not None else "")
    return "yes or no (true, false)" if "boolean" in names else "id" if field == "id" else "text"
