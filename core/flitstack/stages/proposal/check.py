"""Looks at maps: what is wrong in a file that a person edited, and what a journal's map says."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.errors import ConfigurationError, FlitError, MappingError, UsageError
from flitstack.journal import Journal
from flitstack.mapping import load_spec, load_template
from flitstack.mapping.template import SUFFIX
from flitstack.mapping.yamltext import read_yaml
from flitstack.protocols import Record, Stream
from flitstack.settings import parse_sets
from flitstack.stages.proposal.propose import proposing_of, settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.mapping import Template
    from flitstack.mapping.template import Fact
    from flitstack.protocols import DestinationPlugin, MapProposing, Schema, SourcePlugin, SourceReader
    from flitstack.registry import Registry


@dataclass(frozen=True, slots=True)
class MapRow:
    """One field of an object, and what it comes from; `stream` is what the entry reads, `how` its expression."""

    entry: str
    stream: str
    object: str
    field: str
    how: str


@dataclass(frozen=True, slots=True)
class ShownMap:
    """A migration's map.

    :param confirmed: who approved it; "" when nobody has yet.
    :param left: streams that are left out as a whole, with the rule.
    """

    sha256: str
    template: str
    confirmed: str
    rows: tuple[MapRow, ...]
    left: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        rows = [
            {"entry": r.entry, "stream": r.stream, "object": r.object, "field": r.field, "from": r.how}
            for r in self.rows
        ]
        return {
            "spec": self.sha256, "template": self.template, "approved_by": self.confirmed or None, "fields": rows,
            "left_out": dict(self.left),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of looking at a file.

    :param kind: what it is, in words. :param problems: what is wrong in it, a sentence each.
    :param unseen: what could not be looked at, and with what it could; "" when all was.
    """

    kind: str
    problems: Sequence[str]
    unseen: str = ""


def check_file(
    registry: Registry, source: str | None, path: Path, input_: str | None = None, sets: Sequence[str] = ()
) -> Checked:
    """Return what kind of file it is, and what is wrong in it.

    A template is rendered as a run would, with the defaults of its variables, and what comes of it is looked at.

    :param source: where the records come from; a template says it itself. None is the only source that takes part.
    :param input_: an export, which says what streams and fields there are. :param sets: what `--set` would say.
    :raises UsageError: it is neither a layout nor a template nor a spec.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"{path}: cannot be read ({type(exc).__name__}). It must be a UTF-8 text file.") from exc
    if path.name.endswith(SUFFIX) or _HEADER.match(text):
        return _check_template(registry, path, input_, sets)
    plugin = registry.source(source or _only_source(registry))
    try:
        data = read_yaml(text, path.name).data
    except MappingError as exc:
        return Checked("map", str(exc).splitlines())
    if not isinstance(data, dict):
        said = f"{path.name}: neither a layout nor a mapping spec, which begin with keys such as `name:`."
        return Checked("map", [said])
    if "entries" in data or "template" in data:
        known = _known_streams(plugin, input_, sets)
        objects = [name for each in registry.destinations() for name in _objects(registry.destination(each))]
        problems = _spec_problems(registry, known, objects, text, path.name)
        return Checked("mapping spec", problems, "" if known.certain else _UNSEEN.format(source=plugin.name))
    return Checked("layout", _with_lines(proposing_of(plugin).check(path), path, text))


_HEADER = re.compile(r"\s*(?:[^\n]*\n)*?template:[^\n]*\n(?:[^\n]*\n)*?---[ \t]*\n")
_UNSEEN = "Fields were not looked at: what streams {source} has, an export tells. Give one with --input."


@dataclass(frozen=True, slots=True)
class _Streams:
    """The streams of a source; `certain` when these, and no others, are what it has; what a template asks of them."""

    by_name: Mapping[str, Stream]
    certain: bool
    facts: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def _only_source(registry: Registry) -> str:
    names = [name for name in registry.sources() if registry.source(name).proposing is not None]
    if len(names) != 1:
        raise UsageError(f"Say which: --source {' | '.join(names) or 'NAME (no plugin offers one)'}.")
    return names[0]


def _objects(destination: DestinationPlugin) -> list[str]:
    return [*destination.behaviours.objects, destination.behaviours.user]


def _check_template(registry: Registry, path: Path, input_: str | None, sets: Sequence[str]) -> Checked:
    kind = "mapping template"
    try:
        template = load_template(path)
        source, destination = registry.source(template.source), registry.destination(template.destination)
        known = _known_streams(source, input_, sets, template)
        facts = _facts_asked(template)
        values = template.resolve({**_first_choices(template), **parse_sets(sets).variables}, facts, known.facts)
        text = template.render(values, known.facts, {"streams": list(known.by_name)}, facts)
    except FlitError as exc:
        return Checked(kind, str(exc).splitlines())
    unseen = "" if known.certain else _UNSEEN.format(source=source.name)
    name, line = template.lines_of_spec()
    if unseen and line == 1:
        return Checked(kind, [], unseen)  # what it becomes may hang on what an export holds
    objects = _objects(destination)
    return Checked(
        kind, _spec_problems(registry, known, objects, text, name, destination.behaviours.user, line), unseen
    )


def _known_streams(
    source: SourcePlugin, input_: str | None, sets: Sequence[str], template: Template | None = None
) -> _Streams:
    """Return the streams as an export has them, else as the source states them, else as far as targets tell."""
    asked = template.facts if template else {}
    none: dict[str, list[Any]] = {name: [] for name in asked}
    if input_ is not None:
        with closing(source.open(input_, settings_of(source, sets, Path()))) as reader:
            held = {stream.name for stream in reader.streams()}
            facts = {name: _values(reader, fact) if fact.stream in held else [] for name, fact in asked.items()}
            return _Streams({stream.name: stream for stream in reader.known_streams()}, True, facts)
    if source.proposing is None:
        return _Streams({}, False, none)
    parts = source.proposing()
    schemas = parts.schemas() if parts.schemas else None
    streams = {name: Stream(name, schema) for name, schema in (schemas or _of_targets(parts)).items()}
    return _Streams(streams, schemas is not None, none)


def _values(reader: SourceReader, fact: Fact) -> list[Any]:
    rows = (row.data.get(fact.field) for row in reader.read(fact.stream) if isinstance(row, Record))
    return sorted({value for value in rows if value is not None})


def _first_choices(template: Template) -> dict[str, Any]:
    """Return the first choice of each variable that has choices and no default."""
    properties: Mapping[str, Mapping[str, Any]] = template.variables.get("properties", {})
    return {
        name: schema["enum"][0]
        for name, schema in properties.items()
        if "enum" in schema and "default" not in schema and "x-default-from" not in schema
    }


def _facts_asked(template: Template) -> dict[str, Any]:
    """Return a value for each fact of an account from which a variable takes its default."""
    facts: dict[str, Any] = {"currency": "EUR"}
    for schema in template.variables.get("properties", {}).values():
        asked = schema.get("x-default-from", ())
        for each in (asked,) if isinstance(asked, str) else asked:
            name = each.removeprefix("account.")
            facts.setdefault(name, 1000 if schema.get("type") == "integer" else "UTC" if "zone" in name else "example")
    return facts


def _spec_problems(
    registry: Registry, known: _Streams, objects: Sequence[str], text: str, name: str, user: str = "user", line: int = 1
) -> list[str]:
    return _complaints(
        lambda: load_spec(
            text, streams=known.by_name, transforms=registry.transforms(), objects=objects, file=name,
            strict_streams=known.certain, user=user, first_line=line,
        )
    )  # fmt: skip


def _of_targets(parts: MapProposing) -> dict[str, Schema]:
    """Return what is known of the streams of a source that does not state their schemas."""
    by_stream: dict[str, dict[str, Any]] = {}
    for target in parts.targets():
        if not target.beside:
            by_stream.setdefault(target.stream, {})[target.field] = target.schema
    return {name: {"type": "object", "properties": fields} for name, fields in by_stream.items()}


def _complaints(load: Any) -> list[str]:
    try:
        load()
    except FlitError as exc:
        return str(exc).splitlines()
    return []


def _with_lines(problems: Sequence[str], path: Path, text: str) -> list[str]:
    """Return the problems with the line of the place that each names (`layout.yaml, files.a.records[0]: ...`)."""
    document = read_yaml(text, path.name)
    found = []
    for problem in problems:
        head, separator, rest = problem.partition(": ")
        name, comma, place = head.partition(", ")
        if separator and comma and name == path.name:
            problem = f"{name} line {document.line(_path(place))}, {place}: {rest}"
        found.append(problem)
    return found


def _path(place: str) -> tuple[str | int, ...]:
    pieces: list[str | int] = []
    for piece in place.replace("[", ".[").split("."):
        pieces.append(int(piece[1:-1]) if piece.startswith("[") and piece[1:-1].isdigit() else piece)
    return tuple(piece for piece in pieces if piece != "")


def shown_map(path: Path) -> ShownMap:
    """Return the map of the migration in a journal: the approved one, else the last that was rendered.

    :raises ConfigurationError: there is no journal, or no map in it yet.
    """
    with Journal.existing(path) as journal:
        latest = journal.approvals.last_spec()
        approval = journal.approvals.last("map")
    if latest is None:
        raise ConfigurationError(f"{path}: no map was made yet. `flit run` makes one.")
    sha256, text = latest
    data = read_yaml(text, "mapping spec").data
    rows = tuple(row for entry in data["entries"] for row in _rows(entry))
    left = tuple(
        (stream, given if isinstance(given, str) else given["rule"])
        for stream, given in (data.get("skip_streams") or {}).items()
    )
    return ShownMap(sha256, data["template"], approval.by if approval else "", rows, left)


def _rows(entry: Mapping[str, Any]) -> list[MapRow]:
    object_ = str(entry.get("object") or entry.get("fields_of") or "")
    rows = [
        MapRow(entry["entry"], entry["from"], object_, name, " ".join(str(how).split()))
        for name, how in (entry.get("fields") or {}).items()
    ]
    for name, link in (entry.get("links") or {}).items():
        rows.append(MapRow(entry["entry"], entry["from"], object_, name, _link(link)))
    return rows


def _link(link: Any) -> str:
    if isinstance(link, list):
        return " or ".join(map(_link, link))
    if not isinstance(link, dict):
        return str(link)
    to = " ".join(str(link.get(part, "")) for part in ("object", "stream", "id", "name")).split()
    return "link to " + " ".join(to)
