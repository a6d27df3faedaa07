"""Writes a proposal as a draft layout that a person edits: what is sure is marked so, and the rest says why."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from flitstack.mapping.proposing import Personal
from flitstack.protocols import SampledColumn
from flitstack_dental.dialect import normalise
from flitstack_dental.layout import SHIPPED, stream_schemas
from flitstack_dental.lexicon import beside, lexicon, meanings, words_of
from flitstack_dental.values import fold_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.protocols import Candidate, ColumnProposal, CustomField, FileProposal, Proposal, SampledExport

_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
"""What would end a remark's line or turn it round, or may not stand in YAML."""
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WORDS = frozenset("y n yes no true false on off null none".split())
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?( ?[AaPp]\.?[Mm]?\.?)?")
_FILE_NAME = re.compile(r"\.[A-Za-z0-9]{2,5}$")
_RECURS = 3
_MOST_CODES = 40
_MOSTLY = 0.9
_REMARK = 100
_HERE = Path(__file__).parent
_NEEDS_TIME = frozenset({"starts_at"})
_PAST = (
    ("appointments", "starts_at", ", when: {status: completed}"),
    ("procedures", "performed_on", ", when: {status: completed}"),
    ("ledger", "posted_on", ""),
    ("communications", "happened_at", ""),
)
"""Fields whose dates lie before the day of the export: stream, field, and on which condition."""
_UNSAID = {"patients": "patient"}
"""What a record's required status becomes where no column says it and that does no harm."""

HEAD = """\
# A draft, proposed by `flit map propose`. Read it, correct it, and then give it with --set source.layout=THIS_FILE.
#   [x]  sure: the header says so word for word, and the cells agree
#   [ ]  look at it: the percentage says how likely it is right, and what else it might be stands behind
# What a layout may say: docs/layouts.md. Whether it is sound: flit map check THIS_FILE.
"""


def write_draft(proposal: Proposal, export: SampledExport) -> str:
    """Return the text of the draft: a layout for the whole export, or the known one with custom columns to choose."""
    if proposal.layout:
        return _known_with_customs(proposal, export)
    codes: dict[str, list[str]] = {}
    files: list[str] = []
    personal = Personal(export, lexicon(), proposal.files)
    for file in proposal.files:
        cells = {
            column.name: column.values for each in export.files if each.name == file.file for column in each.columns
        }
        dropped = next((each.dropped for each in export.files if each.name == file.file), ())
        files += _file(file, cells, dropped, [c for c in proposal.customs if c.file == file.file], codes, personal)
    books = [_BREAKS.sub(" ", line) for name, lines in codes.items() for line in (f"  {_text(name)}:", *lines)]
    return "\n".join(
        [
            HEAD + "name: draft",
            "title: Proposed layout",
            'null_ids: ["0"]',
            *_as_of(proposal, codes),
            *(["codes:", *books] if books else []),
            "files:",
            *(_BREAKS.sub(" ", line) for line in files),
            "",
        ]
    )


def _as_of(proposal: Proposal, codes: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the lines that say how the export's day is found: the newest of dates that lie in the past."""
    placed = {c.chosen.target for file in proposal.files for c in file.columns if c.chosen is not None}
    lines = [
        f"  - {{stream: {stream}, field: {field}{when}}}"
        for stream, field, when in _PAST
        if f"{stream}.{field}" in placed
        and (not when or any(line.endswith(": completed") for line in codes.get(f"{stream}_status", ())))
    ]
    if not lines:
        return ["# [ ] no column says when the export was made: run with --set source.as_of=YYYY-MM-DD"]
    return ["as_of:  # [ ] the day of the export is the newest of these, unless --set source.as_of=YYYY-MM-DD", *lines]


def _file(
    file: FileProposal,
    cells: Mapping[str, Sequence[str]],
    dropped: Sequence[str],
    customs: Sequence[CustomField],
    codes: dict[str, list[str]],
    personal: Personal,
) -> list[str]:
    role = PurePosixPath(file.file).stem
    if not file.stream:
        near = ", ".join(name for name, _ in file.others)
        why = "; ".join(file.reasons)
        head = f"  {_text(role)}: {{}}  # [ ] {why}; not read." + (f" Near: {near}." if near else "")
        return [head, *_columns_of([*(column.column for column in file.columns), *dropped])]
    mapped = {column.chosen.target: column for column in file.columns if column.chosen is not None}
    others = ", ".join(name for name, _ in file.others)
    lines = [f"  {_text(role)}:  # {file.stream}: {'; '.join(file.reasons)}." + (f" Else: {others}." if others else "")]
    id_text, id_note, needed = _id(file.stream, mapped)
    if not id_text:
        lines.append(f"    # [ ] no column is an id of {file.stream}: say what identifies a row, and map these:")
        return [*lines, *(f"    #   {_plain(each.column)}: {_told(each)}" for each in file.columns)]
    lines += [f"    require: [{', '.join(map(_text, needed))}]"]
    unmapped = [column.column for column in file.columns if column.chosen is None]
    fields, joined = _fields(file, cells, unmapped, codes, personal)
    if left := [*(name for name in unmapped if name not in joined), *dropped]:
        lines.append(f"    ignore: [{', '.join(map(_text, left))}]  # no field found, or a secret; look through them")
    lines += ["    records:", f"      - stream: {file.stream}", f"        id: {id_text}  # {id_note}"]
    lines += [*_unsaid(file.stream, mapped), *fields, *_beside(file, mapped)]
    for column in file.columns:
        if column.chosen is None and column.column not in joined:
            lines.append(f"    # nothing found for {_plain(column.column).rstrip('.')}.{_else(column.others)}")
    return [*lines, *_customs(customs, id_text if file.stream == "patients" else "")]


def _columns_of(names: Sequence[str]) -> Iterator[str]:
    """Yield remarks with the columns of a file that was not placed, so that a person can say what they are."""
    if names:
        told = textwrap.wrap(", ".join(map(_plain, names)), _REMARK, break_long_words=False, break_on_hyphens=False)
        yield f"    # Its columns: {told[0]}"
        yield from (f"    #   {line}" for line in told[1:])


def _fields(
    file: FileProposal,
    cells: Mapping[str, Sequence[str]],
    unmapped: Sequence[str],
    codes: dict[str, list[str]],
    personal: Personal,
) -> tuple[list[str], frozenset[str]]:
    """Return the lines of the row's own fields, and the columns joined to another because they hold its time of day."""
    lines: list[str] = []
    joined: set[str] = set()
    file_column = _file_column(file, cells)
    for column in file.columns:
        if column.chosen is None or column.chosen.target == f"{file.stream}.id":
            continue
        stream, field, part = _parts(column.chosen.target)
        if part:
            continue
        sampled = SampledColumn(column.column, tuple(cells.get(column.column, ())))
        shown = personal.may_be_shown(sampled, choices=True)
        cell, note = _cell(f"{stream}.{field}", sampled, codes, shown=shown), ""
        if _lacks_time(stream, field, cells.get(column.column, ())):
            if time := _time_beside(cells, [name for name in unmapped if name not in joined]):
                cell = f"{{columns: [{_text(column.column)}, {_text(time)}], join: ' '}}"
                joined.add(time)
            elif field in _NEEDS_TIME:
                column, note = replace(column, ticked=False), "its cells say no time of day: midnight is read. "
        if file_column and field == "name" and column.column != file_column:
            field = "description"
        lines.append(f"          {field}: {cell}  # {note}{_said(column)}")
    if file_column:
        other = "path" if any(line.startswith("          name:") for line in lines) else "name"
        lines.append(f"          {other}: {_text(file_column)}  # [ ] a document is called as its file")
    return (["        fields:", *lines] if lines else ["        fields: {}"]), frozenset(joined)


def _file_column(file: FileProposal, cells: Mapping[str, Sequence[str]]) -> str:
    """Return the column of the files' names, by which documents are called too, "" when another does better."""
    chosen = {column.chosen.target: column.column for column in file.columns if column.chosen is not None}
    path, name = chosen.get("documents.path", ""), chosen.get("documents.name", "")
    if not path and name and all(map(_FILE_NAME.search, filter(None, map(str.strip, cells.get(name, ()))))):
        return name
    if not {"documents.name", "documents.description"} - chosen.keys():
        return ""
    folders = any(mark in cell for cell in cells.get(path, ()) for mark in "/\\")
    return path if "documents.name" not in chosen or not folders else ""


def _id(stream: str, mapped: Mapping[str, ColumnProposal]) -> tuple[str, str, list[str]]:
    """Return the id as a layout writes it, what to say of it, and the columns it needs; "" when there is none."""
    if own := mapped.get(f"{stream}.id"):
        return _text(own.column), _said(own), [own.column]
    schema = stream_schemas()[stream]["properties"]
    whose = mapped.get(f"{stream}.patient_id")
    when = [c for name, c in mapped.items() if str(schema.get(name.partition(".")[2], {}).get("x-type", "")) in
            ("date", "datetime", "local-datetime")]  # fmt: skip
    if whose is None:
        return "", "", []
    if stream in ("account_balances",):
        return _text(whose.column), "[ ] one row a patient?", [whose.column]
    if not when:
        return "", "", []
    columns = [whose.column, when[0].column]
    text = _quoted("-".join(f"{{{column}}}" for column in columns))
    return text, "[ ] no id column: these must tell every row from all others", columns


def _unsaid(stream: str, mapped: Mapping[str, ColumnProposal]) -> list[str]:
    schema = stream_schemas()[stream]
    missing = [name for name in schema.get("required", ()) if name != "id" and f"{stream}.{name}" not in mapped]
    if "documents.path" in mapped:
        missing = [name for name in missing if name != "name"]  # it is called as its file
    lines = []
    if stream == "patients" and not any(f"patients.{name}" in mapped for name in ("last_name", "first_name")):
        lines.append("        # [ ] no column is a name: patients without a last or first name are rejected")
    for name in missing:
        allowed = [str(word) for word in schema["properties"][name].get("enum", ()) if word is not None]
        word = _UNSAID.get(stream, "unknown")
        if name == "status" and word in allowed:
            lines.append(f"        set: {{status: {word}}}  # [ ] no column says it")
        else:
            one_of = f": one of {', '.join(allowed)}" if allowed else ""
            lines.append(f"        # [ ] {name} is required and no column says it{one_of}")
    return lines


def _cell(target: str, sampled: SampledColumn, codes: dict[str, list[str]], *, shown: bool) -> str:
    column = sampled.name
    stream, _, field = target.partition(".")
    schema = stream_schemas()[stream]["properties"][field]
    allowed = [str(word) for word in schema.get("enum", ()) if word is not None]
    if not allowed:
        return _text(column)
    book = f"{stream}_{field}"
    while book in codes:
        book += "_2"
    known = {code: meaning for code, meaning in meanings(stream, field).items() if meaning in allowed}
    codes[book] = list(_book(sampled.values, known, allowed, shown=shown))
    return f"{{column: {_text(column)}, codes: {book}}}"


def _lacks_time(stream: str, field: str, days: Sequence[str]) -> bool:
    """Say whether a moment's own column holds days alone."""
    moment = stream_schemas()[stream]["properties"][field].get("x-type") in ("datetime", "local-datetime")
    return moment and bool(days) and not any(":" in cell for cell in days)


def _time_beside(cells: Mapping[str, Sequence[str]], unmapped: Sequence[str]) -> str:
    """Return the unmapped column with the time of day: the only one with times, or the one headed as a start; or ""."""
    times = [
        name for name in unmapped if (found := cells.get(name)) and all(map(_TIME.fullmatch, map(str.strip, found)))
    ]
    starts = [name for name in times if "start" in words_of(name)]
    return times[0] if len(times) == 1 else starts[0] if len(starts) == 1 else ""


def _book(values: Sequence[str], known: Mapping[str, str], allowed: Sequence[str], *, shown: bool) -> Iterator[str]:
    """Yield the lines of a codebook: known words with their meaning, other codes to be explained by a person.

    A single letter is known only where all of them are: beside an H, an M is a woman in Spanish.
    """
    times = Counter(value.strip() for value in values)
    recur = {code for code, n in times.items() if n >= _RECURS}
    if not shown or sum(times[code] for code in recur) < _MOSTLY * times.total():
        recur = set()  # texts that mostly stand once are no codes, and those that recur may be somebody's name
    codes = [code for code in sorted(times) if code in recur or fold_code(code) in known][:_MOST_CODES]
    letters = [code for code in codes if len(code) == 1]
    if any(fold_code(letter) not in known for letter in letters):
        known = {code: meaning for code, meaning in known.items() if len(code) > 1}
    if not any(fold_code(code) in known for code in codes):
        yield f"    {allowed[0]}: {allowed[0]}"
    for code in codes:
        if meaning := known.get(fold_code(code)):
            yield f"    {_quoted(code)}: {meaning}"
        else:
            yield f"    # [ ] {_quoted(code)}: what it means, one of {', '.join(allowed)}"


def _beside(file: FileProposal, mapped: Mapping[str, ColumnProposal]) -> list[str]:
    id_column = mapped.get(f"{file.stream}.id")
    lines: list[str] = []
    for each in beside():
        suffix = f" ({each['part']})"
        found = {name: mapped[key] for name in each["fields"] if (key := f"{each['stream']}.{name}{suffix}") in mapped}
        if each["of"] != file.stream or not found or id_column is None:
            continue
        key = _quoted(f"{{{id_column.column}}}-{each['part']}")
        lines += [f"      - stream: {each['stream']}", f"        id: {key}"]
        lines.append(f"        unless_empty: [{', '.join(_text(column.column) for column in found.values())}]")
        if fixed := each.get("set"):
            lines.append(f"        set: {{{', '.join(f'{name}: {value}' for name, value in fixed.items())}}}")
        lines += ["        fields:", f"          patient_id: {_text(id_column.column)}"]
        for name, column in found.items():
            cell = _text(column.column)
            cell = f"{{column: {cell}, parse: phone}}" if each.get("looks") == "phone" else cell
            lines.append(f"          {name}: {cell}  # {_said(column)}")
    return lines


def _customs(customs: Sequence[CustomField], patient: str) -> list[str]:
    if not customs or not patient:
        return []
    name = json.loads(patient) if patient.startswith('"') else patient
    key = name if "{" in name else f"{{{name}}}"
    lines = ["    # Fields of your own on offer: take the # away from those you want (and the name out of `ignore`)."]
    for each in customs:
        options = f" {len(each.options)}: {', '.join(each.options)}" if each.options else ""
        known = f" {each.account[:1].upper()}{each.account[1:]}." if each.account else ""
        room = " No room is left for it in the account's plan." if each.fits is False else ""
        lines.append(
            f"    # {_plain(each.column)}: {each.type}{options}; {each.fill:.0%} of the rows have it.{room}{known}"
        )
        id_ = _quoted(f"{key}-{normalise(each.column)}")
        lines.append(
            f"    #  - {{stream: custom_columns, id: {id_}, unless_empty: [{_text(each.column)}], "
            f"set: {{name: {_text(each.column)}}}, fields: {{patient_id: {patient}, value: {_text(each.column)}}}}}"
        )
    return lines


def _known_with_customs(proposal: Proposal, export: SampledExport) -> str:
    """Return the known layout, cut down to this export, with its unread columns on offer as custom columns."""
    own = proposal.layout not in SHIPPED
    path = Path(proposal.layout) if own else _HERE / "layouts" / f"{proposal.layout}.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    headers = {file.role: {normalise(c.name) for c in file.columns} for file in export.files if file.role}
    names = {file.role: file.name for file in export.files if file.role}
    files: list[str] = []
    for role, spec in raw.pop("files").items():
        if role not in headers:
            continue
        text = _dumped({role: _cut(spec or {}, headers[role])})
        files += [f"  {line}" for line in text.rstrip().splitlines()]
        customs = [each for each in proposal.customs if each.file == names[role]]
        first: dict[str, Any] = next(iter((spec or {}).get("records", ())), {})
        if first.get("stream") == "patients":
            files += _customs(customs, _text(str(first["id"])))
    return f"{HEAD}{_dumped(raw)}files:\n" + "\n".join(_BREAKS.sub(" ", line) for line in files) + "\n"


class _Indented(yaml.SafeDumper):
    """Writes lists below their key, as a person would."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent a list's items, whatever PyYAML would do."""
        super().increase_indent(flow, False)


def _dumped(data: Any) -> str:
    text: str = yaml.dump(data, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=110)
    return text


def _cut(spec: dict[str, Any], columns: set[str]) -> dict[str, Any]:
    """Return a file's entry in which what this export lacks is optional or gone."""

    def there(name: str) -> bool:
        return normalise(name) in columns

    records = []
    for record in spec.get("records", ()):
        named = re.findall(r"{(\w+)}", record["id"]) or [record["id"]]
        when = record.get("when", {})
        if not all(map(there, [*named, *filter(None, (when.get("column"), when.get("same_as")))])):
            continue
        kept = dict(record)
        if "unless_empty" in kept:
            kept["unless_empty"] = [name for name in kept["unless_empty"] if there(name)]
            if not kept["unless_empty"]:
                continue
        if isinstance(kept.get("fields"), dict):
            kept["fields"] = {name: _optional(cell, columns) for name, cell in kept["fields"].items()}
        if "but" in kept:
            kept["but"] = {name: _optional(cell, columns) for name, cell in kept["but"].items()}
        records.append(kept)
    rest = {key: value for key, value in spec.items() if key != "records"}
    return {**rest, "records": records} if "records" in spec else rest


def _optional(cell: Any, columns: set[str]) -> Any:
    options = {"column": cell} if isinstance(cell, str) else dict(cell)
    named = options.get("columns") or options.get("column")
    named = [named] if isinstance(named, str) else named
    if all(normalise(name) in columns for name in named or ()):
        return cell
    return {**options, "optional": True}


def _said(column: ColumnProposal) -> str:
    it = column.chosen
    if it is None:
        return ""
    mark = "[x]" if column.ticked else "[ ]"
    return f"{mark} {it.confidence:.0%}, {'; '.join(it.reasons)}.{_else(column.others)}"


def _told(column: ColumnProposal) -> str:
    return f"{column.chosen.target} {_said(column)}" if column.chosen else f"nothing found.{_else(column.others)}"


def _else(others: Sequence[Candidate]) -> str:
    if not others:
        return ""
    told = [f"{each.target} {each.confidence:.0%} ({'; '.join(each.reasons)})" for each in others]
    return f" Else: {', '.join(told)}"


def _plain(name: str) -> str:
    """Return a header for a remark: on one line, whatever is in it."""
    return " ".join(name.split())


def _parts(target: str) -> tuple[str, str, str]:
    whole, _, part = target.partition(" (")
    stream, _, field = whole.partition(".")
    return stream, field, part.rstrip(")")


def _text(name: str) -> str:
    """Return a name as YAML writes it, in quotes where it could be read as something else."""
    return name if _PLAIN.fullmatch(name) and name.lower() not in _WORDS else _quoted(name)


def _quoted(text: str) -> str:
    """Return a text in quotes, as YAML reads it; what would turn the direction of the line round stands as a code."""
    return _TURNS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
