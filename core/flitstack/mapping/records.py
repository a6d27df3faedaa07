"""How expressions see source records: typed values by name, and other records through references."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Protocol

from flitstack.errors import Fatal, FlitError
from flitstack.mapping.canonical import exact
from flitstack.protocols import JSON, source_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flitstack.protocols import Stream


class SourceRecord(Protocol):
    """What is needed of a record: its id in its stream, and its data under neutral names."""

    @property
    def id(self) -> str: ...

    @property
    def data(self) -> Mapping[str, JSON]: ...


def _nobody(stream: str, record_id: str) -> bool:
    """Return that nobody was found."""
    return False


def _ignore(stream: str, record_id: str) -> None:
    """Take note of nothing."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may reach besides its own record.

    :param source_id: first part of every source key.
    :param as_of: the snapshot's own time, aware, in the business's zone; the only clock there is.
    :param lookup: (stream, id) to the record's data, None when there is none.
    :param referring: (stream, field, id) to the records whose `field` holds that id, as (id, data), in the stream's
        order.
    :param used: called with (stream, id) each time a reference was followed to a record.
    :param has_user: whether the person of (stream, id) is matched with a user of the destination.
    """

    source_id: str
    as_of: datetime
    lookup: Callable[[str, str], Mapping[str, JSON] | None]
    referring: Callable[[str, str, str], Sequence[tuple[str, Mapping[str, JSON]]]]
    used: Callable[[str, str], None] = _ignore
    has_user: Callable[[str, str], bool] = _nobody
    kept: dict[int, dict[str, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def names(self, shapes: Mapping[str, Shape]) -> dict[str, Any]:
        """Return what every expression of an entry may name besides its record, as far as it hangs on the scope."""
        found = self.kept.get(id(shapes))
        if found is None:
            found = {"as_of": self.as_of, "has_user": self.is_matched, "referring": partial(self._views, shapes)}
            self.kept[id(shapes)] = found
        return found

    def is_matched(self, stream: str, record_id: str | None) -> bool:
        """Return whether the person of (stream, id) is matched with a user; nobody is not."""
        return record_id is not None and bool(asked(self.has_user, stream, str(record_id)))

    def _views(self, shapes: Mapping[str, Shape], stream: str, field: str, record_id: str | None) -> list[RecordView]:
        if record_id is None:
            return []
        shape = shapes.get(stream) or open_shape(stream, shapes)
        found: Sequence[tuple[str, Mapping[str, JSON]]] = asked(self.referring, stream, field, str(record_id))
        views = [RecordView(shape, number, data, self) for number, data in found]
        for view in views:
            asked(self.used, stream, view.id)
        return views


@dataclass(frozen=True, slots=True)
class Shape:
    """What the records of one stream look like to an expression.

    :param kinds: property to kind: an `x-type`, else `text`, `integer`, `decimal`, `boolean` or `any`.
    :param plain: properties whose JSON value is what expressions see.
    :param references: name to (property that holds the id, stream it belongs to).
    :param open: nothing is known of the stream: every name is allowed and untyped.
    :param peers: all shapes by stream, this one among them.
    """

    stream: str
    kinds: Mapping[str, str]
    plain: frozenset[str]
    references: Mapping[str, tuple[str, str]]
    open: bool
    peers: Mapping[str, Shape]

    @property
    def names(self) -> frozenset[str]:
        """All names an expression may use after the dot."""
        return frozenset({*self.kinds, *self.references, "id", "key"})


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "local-datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
    "decimal": exact,
}


def shapes_of(streams: Mapping[str, Stream]) -> dict[str, Shape]:
    """Return each stream's shape, read from its schema (`x-type`, `x-references`, `x-as`)."""
    shapes: dict[str, Shape] = {}
    for name, stream in streams.items():
        properties: Mapping[str, Mapping[str, Any]] = stream.schema.get("properties", {})
        kinds = {field: _kind(schema) for field, schema in properties.items()}
        references = {
            schema["x-as"]: (field, schema["x-references"])
            for field, schema in properties.items()
            if "x-as" in schema and "x-references" in schema
        }
        plain = frozenset(field for field, kind in kinds.items() if kind not in CONVERSIONS)
        shapes[name] = Shape(name, kinds, plain, references, False, shapes)
    return shapes


def open_shape(stream: str, peers: Mapping[str, Shape]) -> Shape:
    """Return the shape of a stream of which nothing is known."""
    return Shape(stream, {}, frozenset(), {}, True, peers)


def _kind(schema: Mapping[str, Any]) -> str:
    stated = schema.get("x-type")
    if isinstance(stated, str):
        return stated
    if "enum" in schema:
        return "text" if all(isinstance(value, str | None) for value in schema["enum"]) else "any"
    types = schema.get("type", "any")
    names = [types] if isinstance(types, str) else [name for name in types if name != "null"]
    if len(names) != 1:
        return "any"
    return {"string": "text", "integer": "integer", "number": "decimal", "boolean": "boolean"}.get(names[0], "any")


class RecordView:
    """One record as expressions see it: read-only, values typed by the schema, references followed when asked for.

    Functions of plugins read it as expressions do: `record.birth_date`, `record.provider.last_name`. A field whose name
    the class itself uses (`data`, `plain`, `read`, `stream`) is `record.read("data")`.
    """

    __slots__ = ("_cache", "_scope", "_shape", "data", "id", "plain")

    def __init__(self, shape: Shape, record_id: str, data: Mapping[str, JSON], scope: Scope) -> None:
        self._shape = shape
        self.id = record_id
        self.data = data
        self.plain = shape.plain  # here, and public, for the sandbox's shortest way to a value
        self._scope = scope
        self._cache: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"<record {self._shape.stream} {self.id}>"

    def __getattr__(self, name: str) -> Any:
        """Return the typed value under `name`, see `read`; names with an underscore in front are never a record's."""
        if name.startswith("_") or name in _OWN:
            raise AttributeError(name)
        return self.read(name)

    @property
    def stream(self) -> str:
        """Its stream's name."""
        return self._shape.stream

    @property
    def key(self) -> str:
        """Its source key."""
        return record_key(self._scope.source_id, self._shape.stream, self.id)

    def read(self, name: str) -> Any:
        """Return the typed value under `name`; None when the record has none.

        :raises AttributeError: the stream has no such name.
        :raises ValueError: the text is not of the kind that the schema states.
        """
        if name in self.plain:
            return self.data.get(name)
        cache = self._cache
        if cache is None:
            cache = self._cache = {}
        elif name in cache:
            return cache[name]
        value = cache[name] = self._read_slowly(name)
        return value

    def _read_slowly(self, name: str) -> Any:
        shape = self._shape
        if name == "id":
            return self.id
        if name == "key":
            return self.key
        kind = shape.kinds.get(name)
        if kind is not None:
            value = self.data.get(name)
            return None if value is None or value == "" else CONVERSIONS[kind](value)
        if name in shape.references:
            return self._follow(*shape.references[name])
        if shape.open:
            return self.data.get(name)
        raise AttributeError(name)

    def _follow(self, field: str, stream: str) -> RecordView | None:
        record_id = self.data.get(field)
        if record_id is None or record_id == "":
            return None
        data = asked(self._scope.lookup, stream, str(record_id))
        if data is None:
            return None
        asked(self._scope.used, stream, str(record_id))
        shape = self._shape.peers.get(stream) or open_shape(stream, self._shape.peers)
        return RecordView(shape, str(record_id), data, self._scope)


_OWN = frozenset(RecordView.__slots__)  # not set yet while a view is being made or copied


def record_key(source_id: str, stream: str, record_id: str) -> str:
    """Return `source_key(...)`, sooner where the id holds nothing that must be encoded."""
    if record_id.isascii() and record_id.isalnum():
        return _key_prefix(source_id, stream) + record_id
    return source_key(source_id, stream, record_id)


@lru_cache(maxsize=1024)
def _key_prefix(source_id: str, stream: str) -> str:
    return source_key(source_id, stream, "")


def asked(question: Callable[..., Any], *arguments: str) -> Any:
    """Return the scope's answer.

    :raises Fatal: it failed otherwise than on purpose. Such a failure is not the record's fault, so it must not be
        taken for a rejection as an expression's own failure is.
    """
    try:
        return question(*arguments)
    except FlitError:
        raise
    except Exception as exc:
        raise Fatal(f"looking up records of {arguments[0]} failed: {type(exc).__name__}") from exc
