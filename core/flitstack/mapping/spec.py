"""Loads a mapping spec: validated against its published schema, every expression checked and compiled."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jsonschema import Draft202012Validator

from flitstack.mapping.entries import Entry, OwnerSource
from flitstack.mapping.entry_loader import EntryLoader, SpecContext
from flitstack.mapping.expressions import ExpressionCompiler
from flitstack.mapping.kinds import Kind, OneRecord, Scalar
from flitstack.mapping.records import shapes_of
from flitstack.mapping.reporting import Reporting, read_reporting
from flitstack.mapping.sandbox import ExpressionEnvironment
from flitstack.mapping.words import Problems, nearest
from flitstack.mapping.yamltext import YamlText, read_yaml
from flitstack.protocols import SchemaItem

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

    from flitstack.protocols import Stream, Transform


@dataclass(frozen=True, slots=True)
class SkippedStream:
    """A stream that is left out as a whole, under a named rule."""

    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Spec:
    """A mapping spec, ready to evaluate.

    :param text: as rendered; `sha256` of it in UTF-8, hexadecimal.
    :param schema: wanted items in order of creation; settings include `type`, `options`, `priority`, `key`, `label`.
    :param overflow: name of the field that takes what has no slot, or None.
    :param entries: in order of writing.
    :param references: stream to the reason why it is only looked up.
    :param report: what the final report shows of it beside counts.
    """

    text: str
    sha256: str
    template: str
    time_zone: str | None
    values: Mapping[str, Any]
    schema: tuple[SchemaItem, ...]
    overflow: str | None
    entries: tuple[Entry, ...]
    references: Mapping[str, str]
    skip_streams: Mapping[str, SkippedStream]
    owners: tuple[OwnerSource, ...]
    compromises: tuple[str, ...]
    report: Reporting

    def streams(self) -> frozenset[str]:
        """Return every stream that is read, collected from, looked up or left out."""
        read = {entry.stream for entry in self.entries} | {owner.stream for owner in self.owners}
        collected = {collect.shape.stream for entry in self.entries for collect in entry.collects}
        return frozenset({*read, *collected, *self.references, *self.skip_streams})


def load_spec(
    text: str,
    *,
    streams: Mapping[str, Stream],
    transforms: Sequence[Transform],
    objects: Collection[str],
    file: str = "mapping spec",
    strict_streams: bool = True,
    user: str = "user",
    first_line: int = 1,
) -> Spec:
    """Return the spec.

    :param streams: the schemas of all streams the source knows, whether this export holds them or not.
    :param transforms: what plugins registered; the built-in ones need not be among them.
    :param objects: everything an entry may write or a link point to, the object of users included.
    :param file: name for messages.
    :param strict_streams: a stream without a schema is an error; otherwise its fields are taken as they come.
    :param user: which of the objects is the one of users (`Behaviours.user`).
    :param first_line: number of the text's first line in the file.
    :raises MappingError: one line per problem: file, line, place, what is wrong and the nearest known name.
    """
    document = read_yaml(text, file, first_line)
    problems = Problems(file)
    _validate(document, problems)
    problems.check()
    data = document.data
    zone = data.get("time_zone")
    values = {**({"time_zone": zone} if zone else {}), **(data.get("values") or {})}
    _check_zones(document, problems, {"time_zone": zone, "values.time_zone": values.get("time_zone")})
    known = streams if strict_streams else None
    compiler = ExpressionCompiler(ExpressionEnvironment(transforms), document, problems, values, known)
    items = _items(data.get("schema") or [], objects, document, problems)
    context = SpecContext(compiler, shapes_of(streams), objects, items, strict_streams, user)
    entries = tuple(EntryLoader(context, at, entry).load() for at, entry in enumerate(data["entries"]))
    _check_entries(context, entries)
    spec = Spec(
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        template=data["template"],
        time_zone=zone,
        values=values,
        schema=tuple(items.values()),
        overflow=data.get("overflow"),
        entries=entries,
        references=_references(context, data.get("references") or {}),
        skip_streams=_skipped_streams(context, data.get("skip_streams") or {}),
        owners=_owners(context, (data.get("owners") or {}).get("from") or []),
        compromises=tuple(data.get("compromises") or ()),
        report=_reporting(context, data.get("report"), entries),
    )
    problems.check()
    return spec


@cache
def spec_schema() -> Mapping[str, Any]:
    """Return the published JSON Schema of a mapping spec."""
    text = resources.files("flitstack.mapping").joinpath("mapping-spec.schema.json").read_text("utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema


def _validate(document: YamlText, problems: Problems) -> None:
    for error in Draft202012Validator(spec_schema()).iter_errors(document.data):
        path = tuple(error.absolute_path)
        message, key = _said(error)
        where = (*path, key) if key else path
        problems.add(document.line(where), ".".join(str(part) for part in where), message)


def _said(error: ValidationError) -> tuple[str, str | None]:
    """Return what is wrong in words, and the key at fault when it is one below the error's path."""
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        extra = next(str(key) for key in error.instance if key not in known)
        return f'unknown key "{extra}".{nearest(extra, known)}', extra
    if error.validator == "required" and isinstance(error.validator_value, list):
        instance = error.instance if isinstance(error.instance, Mapping) else {}
        missing = [name for name in error.validator_value if name not in instance]
        return f"missing: {', '.join(missing)}", None
    if error.validator == "oneOf":
        return "a link needs either stream and id, or name (of a schema item)", None
    if error.validator == "pattern":
        return "a name has lower case letters, digits and underscores only, and begins with a letter", None
    if error.validator == "type" and isinstance(error.instance, Mapping | list):
        return "an expression must be text. Quote it when it begins with a brace or bracket", None
    return error.message[:200], None


def _check_zones(document: YamlText, problems: Problems, zones: Mapping[str, Any]) -> None:
    for place, name in zones.items():
        if name is None:
            continue
        try:
            ZoneInfo(str(name))
        except (KeyError, ValueError, OSError):
            path = tuple(place.split("."))
            problems.add(document.line(path), place, f'no time zone "{name}". Use an IANA name: America/Chicago.')


def _items(
    data: Sequence[Mapping[str, Any]], objects: Collection[str], document: YamlText, problems: Problems
) -> dict[str, SchemaItem]:
    items: dict[str, SchemaItem] = {}
    for at, given in enumerate(data):
        line, place = document.line(("schema", at)), f"schema.{at}"
        settings = {name: value for name, value in given.items() if name not in ("object", "name", "of")}
        item = SchemaItem(given["object"], given["name"], given.get("of", ""), settings)
        if item.object not in objects:
            problems.add(line, place, f'the destination has no object "{item.object}".{nearest(item.object, objects)}')
        above = {other.name for other in items.values()}
        if item.of and item.of not in objects and item.of not in above:
            known = nearest(item.of, {*objects, *above})
            problems.add(line, place, f'"{item.of}" is neither an object nor an item above.{known}')
        if item.key in items:
            problems.add(line, place, f'{item.object} "{item.name}" stands here twice. Remove one.')
        items[item.key] = item
    return items


def _check_entries(context: SpecContext, entries: Sequence[Entry]) -> None:
    seen: set[str] = set()
    filled = {(entry.fields_of, name) for entry in entries for name in entry.lineage}
    wanted = {(item.of, item.name) for item in context.items.values() if not item.settings.get("key")}
    for at, entry in enumerate(entries):
        if entry.name in seen:
            context.problem(("entries", at, "entry"), f'two entries are called "{entry.name}". Rename one.')
        seen.add(entry.name)
        unfilled = {name for of, name in wanted if of == entry.fields_of and (of, name) not in filled}
        for field in entry.lineage:
            if (entry.fields_of, field) in wanted:
                continue
            # Any name may be a native field; only one that all but spells a field nobody fills is surely a slip.
            if difflib.get_close_matches(field, unfilled, n=1, cutoff=0.85):
                message = f'the schema has no field "{field}".{nearest(field, unfilled)}'
                context.problem(("entries", at, "fields", field), message)


def _references(context: SpecContext, data: Mapping[str, str]) -> Mapping[str, str]:
    for stream in data:
        context.shape(("references", stream), stream)
    return dict(data)


def _skipped_streams(context: SpecContext, data: Mapping[str, Any]) -> dict[str, SkippedStream]:
    for stream in data:
        context.shape(("skip_streams", stream), stream)
    return {
        stream: SkippedStream(given, "")
        if isinstance(given, str)
        else SkippedStream(given["rule"], given.get("why", ""))
        for stream, given in data.items()
    }


def _reporting(context: SpecContext, data: Mapping[str, Any] | None, entries: Sequence[Entry]) -> Reporting:
    report = read_reporting(data)
    fields = {entry.name: entry.lineage for entry in entries}
    named = [("upkeep", at, one.entry, one.fields) for at, one in enumerate(report.upkeep)]
    named += [("sign", at, one.entry, (one.field,)) for at, one in enumerate(report.sign)]
    for kind, at, entry, names in named:
        if entry not in fields:
            context.problem(("report", kind, at, "entry"), f'no entry is called "{entry}".{nearest(entry, fields)}')
            continue
        for name in names:
            if name not in fields[entry]:
                message = f'the entry {entry} has no field "{name}".{nearest(name, fields[entry])}'
                context.problem(("report", kind, at), message)
    asked = [("by_hand", at, one.stream, [one.field]) for at, one in enumerate(report.by_hand) if one.stream]
    asked += [("sign", at, one.stream, [one.amount, one.newest]) for at, one in enumerate(report.sign)]
    for kind, at, stream, read in asked:
        shape = context.shape(("report", kind, at, "stream"), stream)
        for name in filter(None, read):
            if not shape.open and name not in shape.kinds:
                message = f'the stream {stream} has no field "{name}".{nearest(name, shape.kinds)}'
                context.problem(("report", kind, at), message)
    return report


def _owners(context: SpecContext, data: Sequence[Mapping[str, Any]]) -> tuple[OwnerSource, ...]:
    sources = []
    for at, given in enumerate(data):
        path = ("owners", "from", at)
        shape = context.shape((*path, "stream"), given["stream"])
        names: dict[str, Kind] = {given["as"]: OneRecord(shape), "as_of": Scalar("datetime")}
        expressions = [
            context.compiler.expression((*path, part), f"owners.{part}", given.get(part), names)
            for part in ("email", "name", "active")
        ]
        sources.append(OwnerSource(given["stream"], given["as"], shape, context.compiler.unit(expressions)))
    return tuple(sources)
