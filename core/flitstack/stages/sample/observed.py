"""One migrated record beside what it was made of: what the field-level diff and its checks look at."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal import Journal
    from flitstack.mapping import Spec
    from flitstack.protocols import JSON, Schema

ROWS = 25
"""Of one stream at most this many rows are looked at beside one record."""
HOPS = 2
REMEMBERED = 20_000
TAG = re.compile(r"<[^>]*>")
SPACE = re.compile(r"\s+")


class Row(NamedTuple):
    """A source record: its stream, id and data."""

    stream: str
    id: str
    data: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Observed:
    """A record as it should be and as it was read back, with the source rows it was made of.

    :param held: fields as read back; as wanted where nothing was read back. :param wanted: as the map made them.
    :param links: field to (object, key) as the map made them; `led` the ids that they lead to.
    :param differing: fields that were not read back as wanted.
    :param kept: fields that an adopted record keeps as the account had them: nobody compares them.
    :param main: the rows it stands for; `folded` those gathered in it; `beside` those they refer to.
    """

    entry: str
    object: str
    key: str
    part: str
    held: Mapping[str, JSON]
    wanted: Mapping[str, JSON]
    links: Mapping[str, tuple[str, str]]
    led: Mapping[str, str]
    differing: frozenset[str]
    main: tuple[Row, ...]
    folded: tuple[Row, ...] = ()
    beside: tuple[Row, ...] = ()
    kept: Mapping[str, JSON] = field(default_factory=dict)

    def without(self, names: frozenset[str]) -> Observed:
        """Return the same with some fields set aside, and links (`@name`) that lead where they led before."""
        return replace(
            self,
            held={name: value for name, value in self.held.items() if name not in names},
            wanted={name: value for name, value in self.wanted.items() if name not in names},
            links={name: link for name, link in self.links.items() if f"@{name}" not in names},
            led={name: led for name, led in self.led.items() if f"@{name}" not in names},
            differing=self.differing - names,
            kept={name: value for name, value in self.held.items() if name in names},
        )

    def there(self, name: str) -> JSON:
        """Return what the account holds in a field, written or kept."""
        return self.held.get(name, self.kept.get(name))

    def rows(self) -> Iterator[Row]:
        """Yield all rows, its own first."""
        yield from self.main
        yield from self.folded
        yield from self.beside

    def own(self) -> Iterator[Row]:
        """Yield the rows it stands for or gathers."""
        yield from self.main
        yield from self.folded

    def columns(self) -> dict[str, list[JSON]]:
        """Return `stream.field` to its values that are there, in order; of its own stream only its own rows count."""
        found: dict[str, list[JSON]] = {}
        own = {row.stream for row in self.main}
        for row in (*self.main, *self.folded, *(row for row in self.beside if row.stream not in own)):
            for name, value in row.data.items():
                if value is not None and value != "":
                    found.setdefault(f"{row.stream}.{name}", []).append(value)
        return found


class Beside:
    """Finds the source rows that a desired record was made of, looked up, or refers to."""

    def __init__(self, journal: Journal, spec: Spec, schemas: Mapping[str, Schema]) -> None:
        self._journal = journal
        self._entries = {entry.name: entry for entry in spec.entries}
        self.references = {stream: references_of(schema) for stream, schema in schemas.items()}
        self._known: dict[tuple[str, str], Mapping[str, JSON] | None] = {}

    def rows(self, entry: str, made_of: Sequence[tuple[str, str, str]]) -> tuple[tuple[Row, ...], ...]:
        """Return main, folded and other rows; `made_of` are (stream, id, role)."""
        main = [row for stream, id_, role in made_of if role != "folded" and (row := self._row(stream, id_))][:ROWS]
        folded: list[Row] = []
        per_stream: dict[str, int] = {}
        for stream, id_, role in made_of:
            per_stream[stream] = per_stream.get(stream, 0) + (role == "folded")
            if role == "folded" and per_stream[stream] <= ROWS and (row := self._row(stream, id_)):
                folded.append(row)
        folded.sort(key=lambda row: (row.stream, _rank(row)))
        beside = [*self._collected(entry, main, {row.stream for row in folded})]
        seen = {(row.stream, row.id) for row in (*main, *folded, *beside)}
        ahead = [*main, *folded]
        for _ in range(HOPS):
            ahead = [row for row in self._referred(ahead) if (row.stream, row.id) not in seen]
            for row in ahead:
                if (row.stream, row.id) not in seen:
                    seen.add((row.stream, row.id))
                    beside.append(row)
        return tuple(main), tuple(folded), tuple(beside)

    def _collected(self, entry: str, main: Sequence[Row], folded: set[str]) -> Iterator[Row]:
        """Yield rows that an entry gathers without folding them in."""
        for collect in self._entries[entry].collects if entry in self._entries and main else ():
            stream = collect.shape.stream
            if collect.of is None and not collect.fold and stream not in folded:
                found = self._journal.staging.referring(stream, collect.by, main[0].id)
                yield from (Row(stream, id_, data) for id_, data in islice(found, ROWS))

    def _referred(self, rows: Sequence[Row]) -> Iterator[Row]:
        for row in rows:
            for column, stream in self.references.get(row.stream, {}).items():
                value = row.data.get(column)
                if isinstance(value, str) and (found := self._row(stream, value)):
                    yield found

    def _row(self, stream: str, id_: str) -> Row | None:
        name = (stream, id_)
        if name not in self._known:
            if len(self._known) > REMEMBERED:
                self._known.clear()
            self._known[name] = self._journal.staging.get(stream, id_)
        data = self._known[name]
        return None if data is None else Row(stream, id_, data)


def _rank(row: Row) -> Any:
    """Return by what rows of one kind are ordered: their rank, or nothing."""
    rank = next((row.data[name] for name in ("rank", "ordinal") if isinstance(row.data.get(name), int)), 0)
    return rank


def references_of(schema: Schema) -> dict[str, str]:
    """Return field to the stream that it refers to."""
    return {n: p["x-references"] for n, p in schema.get("properties", {}).items() if "x-references" in p}


def texts_of(value: JSON) -> list[str]:
    """Return a value of the destination as texts: of a list one each, of an amount its figure."""
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    if isinstance(value, dict):
        return texts_of(value.get("value"))
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [str(value)]


def is_id(name: str) -> bool:
    """Tell whether a column holds ids."""
    return name == "id" or name.endswith("_id")


def plain(text: str) -> str:
    """Return a text without markup, its white space evened out."""
    if "<" in text or "&" in text:
        text = html.unescape(TAG.sub(" ", text))
    return SPACE.sub(" ", text).strip()


def digits(text: str) -> str:
    """Return the digits of a text."""
    return "".join(ch for ch in text if ch.isdigit())


def words(name: str) -> frozenset[str]:
    """Return the words of a field's or column's name, without suffixes such as `__c`."""
    name = re.sub(r"__c\Z", "", name.rpartition(".")[2])
    return frozenset(re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " ").casefold().split()) - {"id", "of"}
