"""How a value of the destination relates to the source's, in words, and both in the form that people read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flitstack.protocols import split_source_key
from flitstack.stages.sample.observed import digits, plain, texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import JSON
    from flitstack.stages.sample.observed import Observed

LONGEST = 300
COLUMNS = 8
DIGITS = 5
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def shown(value: JSON) -> str:
    """Return a value as people read it."""
    if value is None or value == "":
        return ""
    if isinstance(value, list):
        return "; ".join(shown(item) for item in value)
    if isinstance(value, dict):
        label = f" ({value['label']})" if value.get("label") else ""
        return f"{shown(value.get('value'))}{label or ' ' + str(value.get('currency') or '')}".strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _cut(plain(str(value)))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def lined_up(
    each: Observed, name: str, columns: Sequence[str], values: Mapping[str, Sequence[JSON]]
) -> tuple[tuple[str, str], ...]:
    """Return (column, value) of what a field comes from: the columns it names, then others that hold what it holds.

    :param values: the record's columns, as `Observed.columns` gives them.
    """
    found = {column: _joined(values[column]) for column in columns if column in values}
    if len(found) < COLUMNS:
        held = plain(" ".join(texts_of(each.held.get(name))))
        figures = digits(held)
        streams = {column.partition(".")[0] for column in columns}
        for column, texts in values.items():
            if column in found or len(found) >= COLUMNS:
                continue
            near = column.partition(".")[0] in streams and not column.endswith(("_id", ".id", "_at"))
            if near and any(_stands_in(text, held, figures) for text in texts):
                found[column] = _joined(texts)
    return tuple(found.items())[:COLUMNS]


def _joined(values: Sequence[JSON]) -> str:
    return _cut("; ".join(dict.fromkeys(shown(value) for value in values)))


def _stands_in(value: JSON, held: str, figures: str) -> bool:
    text = plain(str(value)) if not isinstance(value, bool) else ""
    if len(text) < 2 or text in held:
        return len(text) > 1
    number = digits(text) if len(figures) >= DIGITS else ""
    return len(number) >= DIGITS and number in figures


def kind_of(each: Observed, name: str, sources: Sequence[tuple[str, str]]) -> str:
    """Return how a field's value relates to what it comes from."""
    if name in each.links:
        return _link_kind(each, each.links[name][1])
    held = shown(each.held.get(name))
    if not held:
        return "empty, and so is the source" if not sources else "left empty"
    if not sources:
        return "stated by the map"
    for _, value in sources:
        if value == held:
            return "the same"
    values = [value for _, value in sources]
    if any(value.casefold().replace("_", " ") == held.casefold() for value in values):
        return "another way of writing"
    if DAY.match(held):
        return "a date of the source" if any(held[:10] in value for value in values) else "a date worked out"
    if any(digits(value) == digits(held) and digits(held) for value in values):
        return "the same figure"
    if any(value in held for value in values if len(value) > 1):
        return "put together"
    if any(held in value for value in values if len(held) > 1):
        return "a part of it"
    return "worked out or coded"


def _link_kind(each: Observed, key: str) -> str:
    """Return where a link leads, told from the record's own rows."""
    if not key or key.startswith("schema:"):
        return "by the source's word" if key else "to who takes what nobody else does"
    _, stream, id_, _ = split_source_key(key)
    if any(row.stream == stream and row.id == id_ for row in each.main):
        return "to its own record"
    named = any(id_ == value for row in each.main for value in row.data.values())
    return "to whom its own row names" if named else "to another than its own row names"
