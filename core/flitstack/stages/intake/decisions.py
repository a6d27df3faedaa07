"""Decisions: what a person said about single records, in a file they edited; the journal remembers it afterwards.

The file is CSV with the columns `decision, record, other`; further columns are for the reader. A record is named
`STREAM:ID`. `merge A, B`: A is one person with B, and all that hangs on A hangs on B. `keep A`: A stays by itself.
`skip A`: A and what hangs on it stay behind. `adopt A, NUMBER`: A is the account's record of that id. `create A`: it is
none of the account's. `keep A, OBJECT.FIELD`: what somebody changed there in the account stays; `overwrite A,
OBJECT.FIELD`: what the export says is written over it, once (OBJECT alone means all its fields).
"""

from __future__ import annotations

import csv
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from flitstack.errors import UsageError
from flitstack.protocols import source_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flitstack.journal import Journal
    from flitstack.matching import Group

ABOUT = {"merge": "source", "keep": "source", "skip": "source", "adopt": "account", "create": "account",
         "overwrite": "conflict"}  # fmt: skip
CONFLICT = "conflict:"
COLUMNS = ("decision", "record", "other")
MORE = ("proposed", "reasons")

About: TypeAlias = tuple[str, str, str]
"""(stream, id, `source` or `account`)."""
Decided: TypeAlias = tuple[str, str]
"""(decision, what it names: the survivor's id, or the id in the account; "" for nothing)."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What holds in this run: the file's lines, and for what they do not speak of, what the journal remembers.

    :param file: the path it was read from, "" without one; `sha256` of its bytes.
    :param merged: stream to (id to the id it is merged into, which is merged into none).
    """

    by_record: Mapping[About, Decided] = field(default_factory=dict)
    file: str = ""
    sha256: str = ""
    merged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def skips(self, stream: str, record_id: str) -> bool:
        """Tell whether a record is to stay behind."""
        return self.by_record.get((stream, record_id, "source"), ("", ""))[0] == "skip"

    def of_account(self, stream: str, record_id: str) -> Decided | None:
        """Return `adopt` or `create` with what it names, None when nobody decided."""
        return self.by_record.get((stream, record_id, "account"))

    def on_conflict(self, stream: str, record_id: str, object_: str, field: str) -> str:
        """Return `keep` or `overwrite`, the closest line counting: of the field, the object, the record; else ""."""
        for of in (f"{object_}.{field.removeprefix('@')}", object_, ""):
            if (found := self.by_record.get((stream, record_id, f"{CONFLICT}{of}"))) is not None:
                return found[0]
        return ""

    def lasting(self) -> dict[About, Decided]:
        """Return what the journal is to remember: a decision on a conflict is about that one, and done with it."""
        return {about: decided for about, decided in self.by_record.items() if not about[2].startswith(CONFLICT)}

    def counts(self) -> dict[str, int]:
        """Return how many there are of each decision; those on conflicts are told where the conflicts are."""
        counted: dict[str, int] = {}
        for (_, _, about), (decision, _) in self.by_record.items():
            if about.startswith(CONFLICT):
                continue
            counted[decision] = counted.get(decision, 0) + 1
        return counted

    def told(self) -> list[str]:
        """Return what a gate says of them."""
        if not self.counts():
            return []
        counts = ", ".join(f"{count:,} {decision}" for decision, count in sorted(self.counts().items()))
        source = f"file {self.file}, sha256 {self.sha256[:16]}, and earlier ones" if self.file else "earlier files"
        return [f"Decisions about single records: {counts} ({source})."]


def settle_decisions(journal: Journal, path: str | None) -> Decisions:
    """Return the decisions of the file over those of the journal.

    :raises UsageError: the file cannot be read, or a line of it says nothing that can be done; names file and line.
    """
    by_record = journal.decisions.kept()
    sha256 = ""
    if path is not None:
        try:
            content = Path(path).read_bytes()
        except OSError as exc:
            raise UsageError(f"decisions: {path} cannot be read. Check the path.") from exc
        sha256 = hashlib.sha256(content).hexdigest()
        by_record |= dict(_lines(path, content, journal))
    return Decisions(by_record, path or "", sha256, _survivors(by_record))


def _lines(path: str, content: bytes, journal: Journal) -> Iterator[tuple[About, Decided]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UsageError(f"decisions: {path} is not UTF-8. Save it as CSV UTF-8.") from exc
    rows = csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.partition("\n")[0] else ",")
    if not set(COLUMNS) <= set(rows.fieldnames or ()):
        raise UsageError(f"decisions: {path} needs the columns {', '.join(COLUMNS)} in its first line.")
    told: dict[About, int] = {}
    for row in rows:
        place = f"decisions: {path} line {rows.line_num}"
        line = _line(place, row, journal)
        if line is None:
            continue
        if line[0] in told:
            raise UsageError(f"{place}: line {told[line[0]]} decides the same already. Leave one of them.")
        told[line[0]] = rows.line_num
        yield line


def _line(place: str, row: Mapping[str, str | None], journal: Journal) -> tuple[About, Decided] | None:
    """Return what a line says; None when nobody decided."""
    decision, record, other = ((row.get(name) or "").strip() for name in COLUMNS)
    if not decision:
        return None
    about = ABOUT.get(decision.casefold())
    if about is None:
        raise UsageError(f'{place}, column "decision": say one of {", ".join(ABOUT)}, or leave it empty.')
    decision = decision.casefold()
    if decision == "overwrite" or (decision == "keep" and other):
        stream, record_id = _in_conflict(place, record, journal)
        return (stream, record_id, f"{CONFLICT}{other}"), (decision, other)
    stream, record_id = _record(place, "record", record, journal)
    if decision == "merge":
        other_stream, other_id = _record(place, "other", other, journal)
        if other_stream != stream or other_id == record_id:
            raise UsageError(f'{place}, column "other": a record is merged into another of the same stream.')
        return (stream, record_id, about), (decision, other_id)
    if decision == "adopt" and not other:
        raise UsageError(f'{place}, column "other": say the id that the record has in the account.')
    return (stream, record_id, about), (decision, other if decision == "adopt" else "")


def _record(place: str, column: str, text: str, journal: Journal) -> tuple[str, str]:
    stream, colon, record_id = text.partition(":")
    if not colon or journal.staging.state(stream, record_id) is None:
        raise UsageError(f'{place}, column "{column}": no record of the export is named so. Write STREAM:ID.')
    return stream, record_id


def _in_conflict(place: str, text: str, journal: Journal) -> tuple[str, str]:
    """Return a record that was in conflict at any time; what a group of records made has a name of its own."""
    stream, colon, record_id = text.partition(":")
    source_id = journal.runs.meta("source id") or ""
    if not colon or not journal.conflicts.of_key(source_key(source_id, stream, record_id)):
        raise UsageError(
            f'{place}, column "record": no conflict is known of a record named so. `flit conflicts` lists them, and '
            "`flit conflicts --export FILE` writes the lines to edit."
        )
    return stream, record_id


def _survivors(by_record: Mapping[About, Decided]) -> dict[str, dict[str, str]]:
    """Return, per stream, each merged record with the one that stays in the end.

    :raises UsageError: merges lead in a circle, or into a record that is skipped.
    """
    into = {(stream, id_): other for (stream, id_, _), (word, other) in by_record.items() if word == "merge"}
    merged: dict[str, dict[str, str]] = {}
    for stream, start in into:
        path, last = {start}, into[stream, start]
        while (stream, last) in into:
            path.add(last)
            last = into[stream, last]
            if last in path:
                raise UsageError(f"decisions: {stream}:{start} is merged into itself by way of others. Correct one.")
        if by_record.get((stream, last, "source"), ("", ""))[0] == "skip":
            raise UsageError(f"decisions: {stream}:{start} is merged into {stream}:{last}, which is skipped.")
        merged.setdefault(stream, {})[start] = last
    return merged


# --- drafts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line of a draft: what is proposed, and why, never a value; the decision itself is left to a person.

    :param decision: filled in where nothing speaks against the proposal; "" where somebody has to look.
    """

    decision: str
    record: str
    other: str
    proposed: str
    reasons: Sequence[str]


def draft_duplicates(stream: str, groups: Iterable[Group]) -> Iterator[DraftLine]:
    """Yield the lines that would decide on probable duplicates of a stream: each into the first of its group."""
    for group in groups:
        first = f"{stream}:{group.ids[0]}"
        for other in group.ids[1:]:
            yield DraftLine("", f"{stream}:{other}", first, group.handling, group.reasons)


def write_draft(path: Path, lines: Iterable[DraftLine]) -> int:
    """Write a decisions file for a person to edit, readable by its owner alone; return how many lines it has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f)
        writer.writerow((*COLUMNS, *MORE))
        for line in lines:
            writer.writerow((line.decision, line.record, line.other, line.proposed, "; ".join(line.reasons)))
            count += 1
    return count
