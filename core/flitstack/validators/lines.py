"""Lines of the audit in the making: what each kind says, how many there are, and the first ten by their ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack.protocols import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.protocols import Schema, Severity, StagedView

KEYS = 10
ELSEWHERE = "records"
"""The section of streams whose schema names none."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the audit says of one kind of finding; `severity` first, so that a table of them reads well."""

    severity: Severity
    message: str
    handling: str = ""
    decision: str = ""
    default: str = ""


class Lines:
    """Counts by kind, in the order of the kinds' table.

    :param words: code to what is said of it.
    :param of: how many were looked at.
    """

    def __init__(self, words: Mapping[str, Words], stream: str | None, section: str, of: int | None) -> None:
        self._words = words
        self._stream = stream
        self._section = section
        self._of = of
        self._counts: dict[str, int] = {}
        self._ids: dict[str, list[str]] = {}

    def add(self, code: str, record_id: str) -> None:
        """Count one record."""
        count = self._counts[code] = self._counts.get(code, 0) + 1
        if count <= KEYS:
            self._ids.setdefault(code, []).append(record_id)

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for every kind that occurred."""
        for code, words in self._words.items():
            if count := self._counts.get(code, 0):
                yield line(code, words, self._stream, self._section, count, tuple(self._ids[code]), self._of)


def line(
    code: str,
    words: Words,
    stream: str | None,
    section: str,
    count: int,
    ids: tuple[str, ...] = (),
    of: int | None = None,
    spread: tuple[tuple[str, int], ...] = (),
) -> Finding:
    """Return one finding of a kind; a spread sums up others and asks nothing."""
    asked = (words.handling, words.decision, words.default)
    return Finding(code, words.message, words.severity, stream, count, ids[:KEYS], section, of, *asked, spread=spread)


def section_of(schema: Schema) -> str:
    """Return the section in which a stream's findings stand."""
    return str(schema.get("x-section", ELSEWHERE))


def by_role(schema: Schema, *roles: str) -> list[str]:
    """Return the fields that hold what a role says (`x-person`), in the schema's order."""
    return [name for name, each in schema.get("properties", {}).items() if each.get("x-person") in roles]


def holding(schema: Schema, what: str) -> str | None:
    """Return the first field that holds such a thing (`x-holds`), None when none says so."""
    return next((name for name, each in schema.get("properties", {}).items() if each.get("x-holds") == what), None)


def in_words(name: str) -> str:
    """Return a stream's or field's name as a person would write it."""
    return name.removesuffix("_id").replace("_", " ")


def streams_with(view: StagedView) -> Iterator[tuple[str, Schema]]:
    """Yield the streams of the export with their schemas."""
    for stream in view.streams():
        yield stream, view.schema(stream)
