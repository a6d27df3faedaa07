"""Looks at maps: what is wrong in a file that a person edited, and what a journal's map says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.errors import ConfigurationError, FlitError, MappingError, UsageError
from flitstack.journal import Journal
from flitstack.mapping import load_spec, load_template
from flitstack.mapping.template import SUFFIX
from flitstack.mapping.yamltext import read_yaml
from flitstack.protocols import Stream
from flitstack.stages.proposal.propose import proposing_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from flitstack.protocols import MapProposing, Schema, SourcePlugin
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


def check_file(registry: Registry, source: SourcePlugin, path: Path) -> tuple[str, list[str]]:
    """Return what kind of file it is in words, and what is wrong in it, a sentence each.

    :raises UsageError: it is neither a layout nor a template nor a spec.
    """
    if path.name.endswith(SUFFIX):
        return "mapping template", _complaints(lambda: load_template(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"{path}: cannot be read ({type(exc).__name__}). It must be a UTF-8 text file.") from exc
    try:
        data = read_yaml(text, path.name).data
    except MappingError as exc:
        return "map", str(exc).splitlines()
    if not isinstance(data, dict):
        return "map", [f"{path.name}: neither a layout nor a mapping spec, which begin with keys such as `name:`."]
    parts = proposing_of(source)
    if "entries" in data or "template" in data:
        return "mapping spec", _spec_problems(registry, parts, path, text)
    return "layout", _with_lines(parts.check(path), path, text)


def _spec_problems(registry: Registry, parts: MapProposing, path: Path, text: str) -> list[str]:
    schemas = parts.schemas() if parts.schemas else None
    streams = {name: Stream(name, schema) for name, schema in (schemas or _of_targets(parts)).items()}
    objects = [
        name
        for each in registry.destinations()
        for behaviours in (registry.destination(each).behaviours,)
        for name in (*behaviours.objects, behaviours.user)
    ]
    return _complaints(
        lambda: load_spec(
            text, streams=streams, transforms=registry.transforms(), objects=objects, file=path.name,
            strict_streams=schemas is not None,
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
