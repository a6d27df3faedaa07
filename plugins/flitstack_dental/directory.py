"""Finds providers and staff whom an export names by abbreviation or name where an id belongs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flitstack.protocols import Finding, Record
from flitstack_dental.layout import stream_schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

WHO = ("providers", "staff")
_WORD = re.compile(r"[^\W_]+")
_TITLES = frozenset(
    "dr prof med dent mr mrs ms miss doctor herr frau dds dmd md do phd rdh bds msd mdsc rda cda jr sr ii iii".split()
)
_LETTERS = 2


def reads_as_name(text: str) -> bool:
    """Say whether what stands in place of an id is rather somebody's name or initials: letters, and no digit."""
    return not any(map(str.isdigit, text)) and sum(map(str.isalpha, text)) >= _LETTERS


class Directory:
    """Who is who among the export's providers and staff, learned from their tables when it is first asked.

    :param read: returns the items of a stream, or raises KeyError when the export does not hold it.
    """

    def __init__(self, read: Callable[[str], Iterable[Any]]) -> None:
        self._read = read
        self._known: dict[str, dict[str, str | None]] | None = None
        self._fields: dict[str, tuple[tuple[str, str], ...]] = {}
        self._found: Counter[tuple[str, str]] = Counter()
        self._unknown: Counter[tuple[str, str]] = Counter()

    def begin(self, stream: str) -> bool:
        """Say whether records of the stream name somebody; from here on they are counted anew."""
        if self._known is None:
            self._known = self._learn()
        properties: Mapping[str, Any] = stream_schemas()[stream]["properties"]
        refers = ((name, str(each.get("x-references", ""))) for name, each in properties.items())
        self._fields[stream] = tuple((name, of) for name, of in refers if of in WHO)
        for name, _ in self._fields[stream]:
            del self._found[stream, name], self._unknown[stream, name]
        return bool(self._fields[stream])

    def with_ids(self, record: Record) -> Record:
        """Return the record with ids in place of names that one provider, or one of the staff, answers to."""
        known = self._known or {}
        changed: dict[str, str] = {}
        for name, of in self._fields[record.stream]:
            text = record.data.get(name)
            if not isinstance(text, str) or f"#{text}" in known.get(of, ()):
                continue
            found = self._one(of, text) if of in known else None
            if found is not None:
                changed[name] = found
                self._found[record.stream, name] += 1
            elif reads_as_name(text):
                self._unknown[record.stream, name] += 1
        return replace(record, data={**record.data, **changed}) if changed else record

    def findings(self) -> Iterator[Finding]:
        """Yield how many were found by name, and how many were not; complete once the streams were read."""
        for (stream, name), count in sorted(self._found.items()):
            if count:
                message = (
                    f"{stream}: {name} held names or abbreviations; the ids were found in the table of these people."
                )
                yield Finding("named_people_found", message, "info", stream, count)
        for (stream, name), count in sorted(self._unknown.items()):
            if count:
                message = (
                    f"{stream}: {name} holds names to which nobody in the export's tables answers, or several. The "
                    "name is kept as text; the fallback user owns what they would own. Export the column with ids."
                )
                yield Finding("named_people_unknown", message, "warning", stream, count)

    def _one(self, of: str, text: str) -> str | None:
        known = self._known or {}
        keys = [f"={text.casefold()}", " ".join(_plain(text))]
        return next((found for key in keys if key.strip() and (found := known[of].get(key))), None)

    def _learn(self) -> dict[str, dict[str, str | None]]:
        """Return per stream whom each id (`#id`), abbreviation (`=ab`) and name stands for, None where for several."""
        learned: dict[str, dict[str, str | None]] = {}
        for stream in WHO:
            try:
                records = [item for item in self._read(stream) if isinstance(item, Record)]
            except KeyError:
                continue
            names: dict[str, set[str]] = {}
            for record in records:
                for key in _names(record.data):
                    names.setdefault(key, set()).add(record.id)
            book: dict[str, str | None] = {
                key: next(iter(ids)) if len(ids) == 1 else None for key, ids in names.items() if key
            }
            learned[stream] = book | {f"#{record.id}": record.id for record in records}
        return learned


def _names(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield all that a provider or one of the staff may be called: abbreviation, first and last name, last name."""
    first, last = (_plain(str(data.get(name) or "")) for name in ("first_name", "last_name"))
    if abbreviation := str(data.get("abbreviation") or "").strip():
        yield f"={abbreviation.casefold()}"
        yield " ".join(_plain(abbreviation))
    whole = _plain(str(data.get("name") or ""))
    comma = str(data.get("name") or data.get("last_name") or "").partition(",")
    if comma[1]:  # `Quill, Ann` in one column
        yield " ".join((*_plain(comma[2]), *_plain(comma[0])))
    for words in (whole, last, (*first, *last), (*last, *first), (*(word[0] for word in first), *last)):
        yield " ".join(words)


def _plain(text: str) -> tuple[str, ...]:
    """Return a name's words without case, titles and degrees."""
    words = tuple(_WORD.findall(text.casefold()))
    return tuple(word for word in words if word not in _TITLES) or words
