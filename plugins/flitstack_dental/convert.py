"""Compiles a layout's record for one file's columns, once, so that each row costs as little as it can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack_dental import values
from flitstack_dental.dates import DateRules, date_parser, datetime_parser, has_clock, quick_datetime
from flitstack_dental.dialect import normalise
from flitstack_dental.layout import Cell, stream_schemas
from flitstack_dental.sensitive import SHORTEST, holds_ssn, remove_secrets, remove_ssn

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import date

    from flitstack_dental.evidence import Evidence
    from flitstack_dental.layout import Layout, RecordSpec, When
    from flitstack_dental.settings import Settings

Parse: TypeAlias = Callable[[str], Any]
UNKNOWN = "unknown"
MIDNIGHT = "at_midnight"
"""The field that tells a midnight that is meant from a time that is missing; the field of which is its `x-time-of`."""

# Numbers of these fields may by chance pass as a card's, so only the shape of a social security number counts there.
ID_LIKE = frozenset({"policy_number", "group_number", "chart_number", "sha256", "path", "code"})
_NAMED: Mapping[str, Parse] = {
    "cdt": values.cdt,
    "pattern_minutes": values.pattern_minutes,
    "recall_interval": values.recall_interval,
    "perio_depth": values.perio_depth,
    "perio_margin": values.perio_margin,
}
_MENDED: Mapping[str, Callable[[str], str]] = {"decimal": values.mended_amount, "cdt": values.mended_code}
_REPEATING = frozenset({"date", "local-datetime", "decimal", "integer", "ordinal", "boolean", "code", *_NAMED})
_AS_WRITTEN = frozenset({"text", "id"})
_BIRTHS = frozenset({"birth_date"})
_PEOPLES = frozenset({"first_name", "middle_name", "last_name", "preferred_name", "name"})


@dataclass(slots=True)
class Counters:
    """What happened to values on the way, by column: secrets removed, codes read as unknown, names that lost their
    letters, time zones that nobody knows; and what was mended, by its code and column."""

    removed: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    zones: dict[str, int] = field(default_factory=dict)
    mended: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """What a file offers: its columns by normalised name, and what is known about them.

    :param columns: normalised name to position; secret columns are not among them.
    :param headers: position to the name as written, for messages.
    """

    file: str
    columns: Mapping[str, int]
    headers: Mapping[int, str]
    evidence: Evidence
    settings: Settings
    layout: Layout
    reference: date | None
    counters: Counters


@dataclass(frozen=True, slots=True)
class Plan:
    """One record's recipe for one file.

    :param prefix, id_at, suffix: a plain id is the cell at `id_at` with these around it.
    :param id_parts: for an id of several columns: text, position, text, position ... text.
    :param texts: field, position, parser, and what stands for nothing, of those that hold text as it is written.
    :param cells: field, position, parser of the others.
    :param several: field, positions, how to join them, parser.
    :param defaults: values of fields that no cell gives.
    :param midnight: the moment's field, and its positions, whose midnight may be a time that is meant; else None.
    :param when: says whether a row is this record's.
    :param unless_empty: positions, one of which must hold something.
    """

    spec: RecordSpec
    prefix: str
    id_at: int
    suffix: str
    parse_id: Parse
    null_ids: frozenset[str]
    id_parts: tuple[Any, ...]
    texts: tuple[tuple[str, int, Parse, frozenset[str]], ...]
    cells: tuple[tuple[str, int, Parse], ...]
    several: tuple[tuple[str, tuple[int, ...], str | None, Parse], ...]
    defaults: Mapping[str, Any]
    midnight: tuple[str, tuple[int, ...]] | None
    when: Callable[[list[str]], bool] | None
    unless_empty: tuple[int, ...]


def is_readable(spec: RecordSpec, columns: AbstractSet[str]) -> bool:
    """Say whether a file with these normalised columns can have such records at all.

    Without the columns of the id, or of the condition, or any of those of which one must hold something, it cannot;
    that is different from a file that could have them and has none.
    """
    needed = {normalise(column) for column in spec.id[1::2]}
    if spec.when is not None:
        needed |= {normalise(column) for column in (spec.when.column, spec.when.same_as) if column}
    any_of = {normalise(column) for column in spec.unless_empty}
    return needed <= columns and (not any_of or bool(any_of & columns))


def compile_record(spec: RecordSpec, source: Source) -> Plan:
    """Return the recipe; fields whose columns the file lacks are left out of it."""
    texts: list[tuple[str, int, Parse, frozenset[str]]] = []
    cells: list[tuple[str, int, Parse]] = []
    several: list[tuple[str, tuple[int, ...], str | None, Parse]] = []
    defaults = dict(spec.constants)
    for name, cell in spec.fields.items():
        at = _positions(cell.columns, source)
        if cell.empty is not None:
            defaults[name] = cell.empty
        if not at:
            continue
        parse = _parser(spec.stream, name, cell, at[0], source)
        if len(at) == 1 and not cell.prefix and (kind := field_kind(spec.stream, name, cell)) in _AS_WRITTEN:
            nothing = values.NO_TEXT | source.layout.null_ids if kind == "id" else values.NO_TEXT
            texts.append((name, at[0], parse, nothing))
        elif len(at) == 1:
            cells.append((name, at[0], parse))
        else:
            several.append((name, at, cell.join, parse))
    id_at = [_position(column, source) for column in spec.id[1::2]]
    plain = len(id_at) == 1
    parse_id = values.id_parser(_header(id_at[0], source), source.layout.null_ids)
    return Plan(
        spec=spec,
        prefix=spec.id[0],
        id_at=id_at[0],
        suffix=spec.id[-1],
        parse_id=parse_id,
        null_ids=source.layout.null_ids,
        id_parts=() if plain else tuple(zip(spec.id[0::2], [*id_at, -1], strict=True)),
        texts=tuple(texts),
        cells=tuple(cells),
        several=tuple(several),
        defaults=defaults,
        midnight=_midnight(spec, source),
        when=_predicate(spec.when, spec.stream, source) if spec.when else None,
        unless_empty=_positions(spec.unless_empty, source),
    )


def record_id(plan: Plan, cells: list[str]) -> str | None:
    """Return the row's id under a plan, None when a part of it is missing.

    :raises BadCell: the id is damaged, or is a social security number.
    """
    if not plan.id_parts:
        text = cells[plan.id_at]
        if text.isdecimal() and len(text) < SHORTEST and text not in plan.null_ids:  # as nearly all of them are
            return f"{plan.prefix}{text}{plan.suffix}"
        found = _id_cell(plan, cells, plan.id_at)
        return f"{plan.prefix}{found}{plan.suffix}" if found else None
    pieces: list[str] = []
    for text, at in plan.id_parts:
        pieces.append(text)
        if at >= 0:
            found = _id_cell(plan, cells, at)
            if not found:
                return None
            pieces.append(found)
    return "".join(pieces)


def record_data(plan: Plan, cells: list[str], identity: str) -> dict[str, Any]:
    """Return a record's data under neutral names; what is missing is absent.

    :raises BadCell: a cell cannot be read.
    """
    # A short text of letters and digits alone has no white space to strip and no secret to remove.
    data: dict[str, Any] = {
        name: text if text.isalnum() and len(text) < SHORTEST and text not in nothing else parse(text)
        for name, at, parse, nothing in plan.texts
        if (text := cells[at])
    }
    for name, at, parse in plan.cells:
        if text := cells[at]:
            data[name] = parse(text)
    if None in data.values():
        data = {name: value for name, value in data.items() if value is not None}
    if plan.defaults:
        data = {**plan.defaults, **data}
    data["id"] = identity
    for name, positions, join, parse in plan.several:
        if join is not None:
            text = join.join(filter(None, (cells[at].strip() for at in positions)))
            value = parse(text) if text else None
        else:
            value = next((found for at in positions if (found := parse(cells[at])) is not None), None)
        if value is not None:
            data[name] = value
    if plan.midnight is not None:
        moment, positions = plan.midnight
        if str(data.get(moment, ""))[11:19] == "00:00:00" and any(has_clock(cells[at]) for at in positions):
            data[MIDNIGHT] = True
    for name, others in plan.spec.when_missing.items():
        if name not in data:
            data.update(others)
    return data


def _midnight(spec: RecordSpec, source: Source) -> tuple[str, tuple[int, ...]] | None:
    """Return the field and positions of a moment whose column states times: there, 00:00 is one of them."""
    schema = stream_schemas()[spec.stream]["properties"].get(MIDNIGHT, {})
    moment = str(schema.get("x-time-of", ""))
    positions = _positions(spec.fields[moment].columns, source) if moment in spec.fields else ()
    return (moment, positions) if source.evidence.timed.intersection(positions) else None


def codebook(spec: RecordSpec, layout: Layout) -> dict[str, dict[str, str]]:
    """Return field to code to meaning, as the layout states it, for people."""
    return {
        name: {code: str(meaning) for code, (meaning, _) in layout.codes[cell.codes].items()}
        for name, cell in spec.fields.items()
        if cell.codes and not cell.name
    }


def field_kind(stream: str, name: str, cell: Cell) -> str:
    """Return the name of the parser that a field asks for: by the layout, else by its schema."""
    if cell.parse:
        return cell.parse
    if cell.codes:
        return "code"
    schema = stream_schemas()[stream]["properties"][name]
    kind = schema.get("x-type")
    if kind in ("date", "local-datetime", "decimal"):
        return str(kind)
    if "x-references" in schema or name == "id":
        return "id"
    if name == "phone" or (stream, name) == ("contact_points", "value"):
        return "phone"
    if (stream, name) == ("patient_insurance", "ordinal"):
        return "ordinal"
    if "enum" in schema:
        return "code"
    types = schema.get("type", ())
    return next((each for each in ("integer", "boolean") if each in types), "stamp" if kind == "text" else "text")


def _id_cell(plan: Plan, cells: list[str], at: int) -> str | None:
    found: str | None = plan.parse_id(cells[at])
    if found is not None and holds_ssn(found):
        raise values.BadCell(
            "secret_id",
            "id",
            "The id has or holds the shape of a social security number and was not read.",
            "Export the file with another column as its id.",
        )
    return found


def _position(column: str, source: Source) -> int:
    return source.columns[normalise(column)]


def _positions(columns: Sequence[str], source: Source) -> tuple[int, ...]:
    return tuple(source.columns[name] for column in columns if (name := normalise(column)) in source.columns)


def _header(at: int, source: Source) -> str:
    return source.headers.get(at, "")


def _parser(stream: str, name: str, cell: Cell, at: int, source: Source) -> Parse:
    kind = field_kind(stream, name, cell)
    parse = _plain_parser(kind, stream, name, cell, at, source)
    if cell.prefix:
        parse = _prefixed(parse, cell.prefix)
    if kind == "local-datetime":  # seldom the same twice
        return quick_datetime(values.Memo(parse).__getitem__)
    if (mended := _MENDED.get(kind)) is not None:
        return values.Tallying(parse, mended, _header(at, source), source.counters.mended).__getitem__
    return values.Memo(parse).__getitem__ if kind in _REPEATING else parse


def _plain_parser(kind: str, stream: str, name: str, cell: Cell, at: int, source: Source) -> Parse:
    column = _header(at, source)
    if kind in ("date", "local-datetime"):
        rules = _date_rules(name, at, source)
        return date_parser(rules) if kind == "date" else datetime_parser(rules)
    if kind == "decimal":
        return values.decimal_parser(column, source.evidence.decimals.get(at, "unknown"))
    if kind == "code":
        return _code_parser(stream, name, cell, column, source)
    if kind == "id":
        return _without_ssn(values.id_parser(column, source.layout.null_ids), column, source.counters)
    if kind == "integer":
        return values.integer_parser(column)
    if kind == "ordinal":
        return values.ordinal_parser(column)
    if kind in ("boolean", "negated"):
        truth = values.boolean_parser(column)
        return truth if kind == "boolean" else _negated(truth)
    if kind == "stamp":
        return _cleaned(str.strip, column, remove_ssn, source.counters)
    if kind == "text":
        text = _text_parser(column, remove_ssn if name in ID_LIKE else remove_secrets, source.counters)
        return _name_parser(text, column, source.counters) if name in _PEOPLES else text
    if kind == "zone":
        return _zone_parser(column, source.counters)
    if kind == "phone":
        return _phone_parser(column, source.counters)
    return _cleaned(_NAMED[kind], column, remove_ssn, source.counters)


def _date_rules(name: str, at: int, source: Source) -> DateRules:
    order = source.evidence.orders.get(at, "unknown")
    setting = source.settings.date_order
    if setting in ("dmy", "mdy"):
        order = "dmy" if setting == "dmy" else "mdy"
    return DateRules(_header(at, source), order, source.reference, name in _BIRTHS, source.settings.excel_dates)


def _code_parser(stream: str, name: str, cell: Cell, column: str, source: Source) -> Parse:
    setting = f"{stream}.{name}"
    book: dict[str, Any] = {}
    if cell.codes:
        entries = source.layout.codes[cell.codes]
        book = {code: entry[1] if cell.name else entry[0] for code, entry in entries.items()}
    else:
        allowed = stream_schemas()[stream]["properties"][name]["enum"]
        book = {values.fold_code(word): word for word in allowed if word is not None}
    extra = source.settings.codes.get(setting, {})
    book |= {values.fold_code(code): meaning for code, meaning in extra.items()}
    if cell.name:
        named = _cleaned(str.strip, column, remove_secrets, source.counters)
        return lambda text: (book[code] if (code := values.fold_code(text)) in book else named(text)) or None
    otherwise = _otherwise(stream, name, cell)
    parse = values.code_parser(column, book, setting, otherwise)
    if otherwise is None:
        return parse
    return _counting_unknown(parse, book, column, source.counters)


def _otherwise(stream: str, name: str, cell: Cell) -> Any:
    """Return what an unknown code means: as the layout says, else `unknown` where the stream has that word and can do
    without the field. By a required field something is decided, so a code of it is never taken for unknown.
    """
    schema = stream_schemas()[stream]
    known = UNKNOWN in schema["properties"][name].get("enum", ()) and name not in schema.get("required", ())
    return UNKNOWN if cell.otherwise is None and known else cell.otherwise


def _counting_unknown(parse: Parse, book: Mapping[str, Any], column: str, counters: Counters) -> Parse:
    def counting(text: str) -> Any:
        code = values.fold_code(text)
        if code and code not in book and text.strip() not in values.NO_TEXT:
            counters.unknown[column] = counters.unknown.get(column, 0) + 1
        return parse(text)

    return counting


def _name_parser(parse: Parse, column: str, counters: Counters) -> Parse:
    """Return a parser of names that counts those that lost their letters, and those with blanks around them."""
    padded = "padded_text", column

    def counting(text: str) -> Any:
        if values.lost_letters(text):
            counters.lost[column] = counters.lost.get(column, 0) + 1
        if text != text.strip() and not text.isspace():
            counters.mended[padded] = counters.mended.get(padded, 0) + 1
        return parse(text)

    return counting


def _zone_parser(column: str, counters: Counters) -> Parse:
    """Return a parser that takes IANA names only: another name would make every local time a rejection."""

    def parse(text: str) -> str | None:
        zone = text.strip()
        if not zone or values.is_time_zone(zone):
            return zone or None
        counters.zones[column] = counters.zones.get(column, 0) + 1
        return None

    return parse


def _phone_parser(column: str, counters: Counters) -> Parse:
    """Return a parser for numbers that may well pass as a card's, and must not be a social security number."""
    without_ssn = _text_parser(column, remove_ssn, counters)

    def parse(text: str) -> str | None:
        number = values.phone(text)
        return None if number is None else without_ssn(number)

    return parse


def _text_parser(column: str, remove: Callable[[str], str | None], counters: Counters) -> Callable[[str], str | None]:
    def parse(text: str) -> str | None:
        text = text.strip()
        if len(text) < SHORTEST:
            return None if text in values.NO_TEXT else text
        cleaned = remove(text)
        if cleaned != text:
            counters.removed[column] = counters.removed.get(column, 0) + 1
        return cleaned

    return parse


def _cleaned(parse: Parse, column: str, remove: Callable[[str], str | None], counters: Counters) -> Parse:
    """Return the parser with secrets taken out of what it gives, where that is text."""

    def parsed(text: str) -> Any:
        found = parse(text)
        if not isinstance(found, str) or len(found) < SHORTEST or (kept := remove(found)) == found:
            return found
        counters.removed[column] = counters.removed.get(column, 0) + 1
        return kept

    return parsed


def _without_ssn(parse: Parse, column: str, counters: Counters) -> Parse:
    def parsed(text: str) -> Any:
        found = parse(text)
        if found is not None and holds_ssn(found):
            counters.removed[column] = counters.removed.get(column, 0) + 1
            return None
        return found

    return parsed


def _negated(truth: Callable[[str], bool | None]) -> Parse:
    def parse(text: str) -> bool | None:
        value = truth(text)
        return None if value is None else not value

    return parse


def _prefixed(parse: Parse, prefix: str) -> Parse:
    def prefixed(text: str) -> str | None:
        value = parse(text)
        return None if value is None else f"{prefix}{value}"

    return prefixed


def _predicate(when: When, stream: str, source: Source) -> Callable[[list[str]], bool]:
    """Return what says whether a row is a record's; codes are compared by what the codebook says they are."""
    at = _position(when.column, source)
    if when.same_as:
        other = _position(when.same_as, source)
        return lambda cells: cells[at].strip() == cells[other].strip()
    book = source.layout.codes.get(when.codes, {})
    names = {book[code][1] for code in when.among if code in book}
    wanted = when.among | {code for code, entry in book.items() if entry[1] in names}
    negated = when.negated
    folded = values.Memo(values.fold_code)
    return lambda cells: (folded[cells[at]] in wanted) is not negated
