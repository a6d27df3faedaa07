"""The defects that the example plants, at the rates measured in real practices, and the ledger that foretells them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TextIO

Cell: TypeAlias = str | int | bool | date | datetime | None
Row: TypeAlias = "dict[str, Cell]"
Fields: TypeAlias = "Mapping[str, Cell]"
Change: TypeAlias = "Callable[[Row], Row]"

NOWHERE = "P999999"
"""A patient's id that no export of ours holds."""


@dataclass(frozen=True, slots=True)
class RowDefect:
    """One kind of defect of one stream.

    :param bucket: where the row ends when all goes as it should.
    :param code: the stable rejection code or the skip rule; None when the row moves all the same.
    :param rate: share of the stream's ordinary rows, about two thirds of all; where a real share is known, this one
        is set so that all rows together have it.
    :param first_at: the ordinary row, counted from 1, that gets it in any case; 0 for none.
    :param change: makes the row defective.
    :param again: makes a second row out of the first; the ledger then speaks of the second.
    :param mangle: spoils the finished text of the row, its line ending included.
    :param cut: cells that are missing at the row's end.
    :param extra: cells too many at the row's end.
    :param has_id: the row can be named by its id; else by file and line only.
    """

    kind: str
    bucket: str
    code: str | None
    note: str
    field: str | None = None
    rate: float = 0.0
    first_at: int = 0
    change: Change | None = None
    again: Change | None = None
    mangle: Callable[[str], str] | None = None
    cut: int = 0
    extra: tuple[str, ...] = ()
    has_id: bool = True

    def changed(self, row: Row) -> Row:
        """Return the row with the defect in it."""
        return row if self.change is None else self.change(row)


class Ledger:
    """`defects.ledger.json`, written entry by entry: a JSON list of objects.

    Each has `kind, stream, id, file, line, field, bucket, code_or_rule, note`; `id` is null when the row has no
    usable one, `line` counts physical lines from 1. Secrets are named by place, never by value.
    """

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._separator = "[\n"

    def add(self, defect: RowDefect, stream: str, record_id: str | None, file: str, line: int | None) -> None:
        """Enter one planted defect."""
        entry = {
            "kind": defect.kind,
            "stream": stream,
            "id": record_id if defect.has_id else None,
            "file": file,
            "line": line,
            "field": defect.field,
            "bucket": defect.bucket,
            "code_or_rule": defect.code,
            "note": defect.note,
        }
        self._handle.write(self._separator + json.dumps(entry, ensure_ascii=False))
        self._separator = ",\n"

    def add_secret_column(self, stream: str, file: str, column: str) -> None:
        """Enter a column that a reader must drop whole."""
        defect = RowDefect("secret_column", "dropped", "secret_column", "Dropped while parsing.", field=column)
        self.add(defect, stream, None, file, None)

    def close(self) -> None:
        """End the list."""
        self._handle.write("[]\n" if self._separator == "[\n" else "\n]\n")


def _sets(**values: Cell) -> Change:
    return lambda row: {**row, **values}


def _text_of(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _words(name: str, shape: str) -> Change:
    """Return a change that puts the field's text into `shape` where it says `{}`."""
    return lambda row: {**row, name: shape.replace("{}", _text_of(row, name))}


def _upper(row: Row) -> Row:
    return {**row, "last_name": _text_of(row, "last_name").upper(), "first_name": _text_of(row, "first_name").upper()}


def _name_in_one_cell(row: Row) -> Row:
    last, first = _text_of(row, "last_name"), _text_of(row, "first_name")
    return {**row, "last_name": f"{last}, {first} ({first[:3]})", "first_name": None}


def _same(row: Row) -> Row:
    return row


def _elsewhere(row: Row) -> Row:
    # A name of its own: a reader may look for a file that was moved by its name.
    return {**row, "path": f"files/not-exported/{row['id']}-{_text_of(row, 'name')}"}


def _long_text(row: Row) -> Row:
    line = "Long history copied in from an older system, line {}: nothing remarkable, patient well. <b>&amp;</b> ok.\n"
    return {**row, "text": "".join(line.format(number) for number in range(1, 1151))}


def _kept(bucket: str, kind: str, rate: float, at: int, change: Change, note: str, field: str | None) -> RowDefect:
    return RowDefect(kind, bucket, None, note, field, rate, at, change)


def _rejected(code: str, rate: float, at: int, change: Change, field: str, kind: str | None = None) -> RowDefect:
    return RowDefect(kind or code, "rejected", code, "The row cannot move; its line and column are named.", field, rate,
                     at, change)  # fmt: skip


def _orphan(rate: float, at: int) -> RowDefect:
    note = "Its patient is not in the export."
    return RowDefect("orphan", "rejected", "orphan", note, "patient_id", rate, at, _sets(patient_id=NOWHERE))


def _repeated(rate: float, at: int) -> RowDefect:
    note = "The same row twice, cell by cell; the second is left out."
    return RowDefect("duplicate_row", "skipped", "duplicate_row", note, "id", rate, at, again=_same)


def _other_id(row: Row) -> Row:
    return {**row, "id": f"{row['id']}B", "chart_number": None}


def _twice(rate: float, at: int, **other: Cell) -> RowDefect:
    note = "The id again with other data; the first row stands."
    return RowDefect("duplicate_id", "rejected", "duplicate_id", note, "id", rate, at, again=_sets(**other))


def _nameless(rate: float, at: int) -> RowDefect:
    note = "A row without an id."
    return RowDefect("missing_id", "rejected", "missing_id", note, "id", rate, at, _sets(id=None), has_id=False)


def _short(rate: float, at: int, cut: int) -> RowDefect:
    note = "Cells are missing at the row's end."
    return RowDefect("ragged_row", "rejected", "ragged_row", note, None, rate, at, cut=cut, has_id=False)


def _overlong(rate: float, at: int) -> RowDefect:
    note = "More cells than the header has, as when a comma was not quoted."
    return RowDefect("ragged_row", "rejected", "ragged_row", note, None, rate, at, extra=("and more",), has_id=False)


_BAD_DAY = "2025-02-31"
_EITHER_WAY = "03/04/2025"

_NO_NAME = _sets(last_name=None, first_name=None, middle_name=None, preferred_name=None, salutation=None)

_PATIENTS = (
    _kept("created", "no_birth_date", 0.12, 10, _sets(birth_date=None), "No birth date.", "birth_date"),
    _kept("created", "default_birth_date", 0.0003, 11, _sets(birth_date=date(1900, 1, 1)), "A placeholder date.",
          "birth_date"),
    _kept("created", "all_caps_name", 0.02, 12, _upper, "The name in capitals.", "last_name"),
    _kept("created", "padded_name", 0.01, 13, _words("last_name", "  {}   "), "Blanks around it.", "last_name"),
    _kept("created", "zz_name", 0.005, 14, _words("last_name", "ZZ{}"), "ZZ marks an archived person.", "last_name"),
    _kept("created", "name_in_one_cell", 0.003, 15, _name_in_one_cell, "Last, First (Preferred).", "last_name"),
    _kept("created", "suffix_in_name", 0.005, 16, _words("last_name", "{} Jr."), "The suffix in it.", "last_name"),
    _kept("created", "test_patient", 0.001, 17, _sets(last_name="TEST", first_name="Patient"), "A test.", "last_name"),
    _kept("created", "formula_cell", 0.001, 18, _sets(preferred_name="=1+1"), "Reads as a formula.", "preferred_name"),
    _kept("created", "zero_width", 0.001, 19, _words("first_name", "{}\u200b"), "A zero-width space.", "first_name"),
    RowDefect("probable_duplicate", "created", None, "The same person under two ids.", "id", 0.03, 20,
              again=_other_id),
    _repeated(0.002, 21),
    _rejected("unknown_code", 0.0005, 22, _sets(status="dormant"), "status"),
    _twice(0.001, 23, last_name="Otherwise", birth_date=date(1971, 7, 17)),
    _rejected("bad_date", 0.0005, 24, _sets(birth_date="1980-02-31"), "birth_date"),
    _rejected("ambiguous_date", 0.0005, 26, _sets(birth_date="03/04/1985"), "birth_date"),
    _rejected("missing_name", 0.0005, 25, _NO_NAME, "last_name"),
    _nameless(0.0003, 28),
    _short(0.0003, 30, cut=20),
)  # fmt: skip

_ADDRESSES = (
    _kept("folded", "lost_zero", 0.005, 3, _sets(postal_code="2199"), "A leading zero is lost.", "postal_code"),
    _repeated(0.002, 5),
    _orphan(0.001, 8),
    _rejected("unknown_code", 0.0005, 11, _sets(kind="summer"), "kind"),
)

_CONTACT_POINTS = (
    _kept("folded", "placeholder_email", 0.005, 3, _sets(kind="email", value="none@none.com"), "Nobody's.", "value"),
    _kept("folded", "extension", 0.02, 4, _sets(kind="home", value="312.555.0156x7468"), "An extension.", "value"),
    _kept("folded", "note_in_phone", 0.005, 5, _sets(kind="mobile", value="(312) 555-0143 call wife"), "A note in it.",
          "value"),
    _kept("folded", "local_number", 0.005, 6, _sets(kind="home", value="555-0147"), "No area code.", "value"),
    _kept("folded", "two_numbers", 0.005, 7, _sets(kind="mobile", value="(312) 555-0144 / (312) 555-0145"),
          "Two numbers in one cell.", "value"),
    _rejected("unknown_code", 0.0005, 12, _sets(kind="pigeon"), "kind"),
    _orphan(0.001, 14),
    _twice(0.0005, 16, kind="other", value="(414) 555-0199"),
    _repeated(0.001, 17),
    _rejected("invalid_row", 0.001, 19, _sets(value=None), "value", "missing_value"),
)  # fmt: skip

_APPOINTMENTS = (
    _rejected("unknown_code", 0.0005, 3, _sets(status="maybe"), "status"),
    _orphan(0.001, 5),
    _rejected("bad_date", 0.0005, 7, _sets(starts_at=f"{_BAD_DAY}T09:00:00"), "starts_at"),
    _kept("created", "dst_gap", 0.0005, 9, _sets(starts_at=datetime(2026, 3, 8, 2, 30)), "An hour that never was.",
          "starts_at"),
    _repeated(0.001, 11),
    _twice(0.0005, 13, reason="Booked over another", duration_minutes=15),
    _kept("created", "unknown_provider", 0.003, 15, _sets(provider_id="PR99"), "Nobody of that id.", "provider_id"),
    RowDefect("no_patient", "skipped", "not_an_appointment", "A lunch or block, no patient.", "patient_id", 0.038, 17,
              _sets(patient_id=None, status="not_appointment", original_status="Block", reason="Lunch")),
    _kept("created", "completed_in_future", 0.001, 19, _sets(starts_at=datetime(2027, 2, 1, 9, 0)), "Done, yet ahead.",
          "starts_at"),
    _overlong(0.0005, 21),
)  # fmt: skip

_PROCEDURES = (
    _rejected("unknown_code", 0.0003, 5, _sets(status="X9"), "status"),
    _orphan(0.0005, 7),
    _rejected("bad_date", 0.0003, 9, _sets(performed_on=_BAD_DAY), "performed_on"),
    _rejected("ambiguous_date", 0.0003, 11, _sets(performed_on=_EITHER_WAY), "performed_on"),
    _kept("created", "code_as_number", 0.005, 13, _sets(code="120.00", procedure_code_id=None), "D0120, once.", "code"),
    _kept("created", "code_without_letter", 0.01, 15, _sets(code="0120"), "The letter is lost.", "code"),
    _kept("created", "implausible_tooth", 0.001, 17, _sets(tooth="99"), "No such tooth.", "tooth"),
    _repeated(0.001, 19),
    _twice(0.0003, 21, description="Something else", fee="1.00"),
    _kept("created", "missing_fee", 0.005, 23, _sets(fee=None), "No fee.", "fee"),
    _overlong(0.0002, 25),
    _kept("created", "money_as_text", 0.003, 27, _sets(fee="$1,180.00"), "Currency sign and comma.", "fee"),
    _rejected("bad_number", 0.0002, 29, _sets(fee="see chart"), "fee"),
    _kept("created", "ancient_date", 0.0002, 31, _sets(performed_on=date(1929, 2, 3)), "Looks like a birth date.",
          "performed_on"),
)  # fmt: skip

_HTML = '<p>Seen <b>today</b> &amp; well.</p><script>alert("no")</script><br>Next: 6 months'
_RTF = r"{\rtf1\ansi\deff0 {\fonttbl {\f0 Arial;}}\f0\fs20 Patient well.\par Next: 6 months}"

_RIGHT_TO_LEFT = "المريض بخير.\nהמטופל מרגיש טוב. (#14)"  # noqa: RUF001 - Hebrew

_CLINICAL_NOTES = (
    _kept("created", "oversize_note", 0.00005, 2, _long_text, "Beyond 100,000 characters.", "text"),
    _kept("created", "html_note", 0.01, 3, _sets(text=_HTML), "Markup in the text.", "text"),
    _kept("created", "rtf_note", 0.005, 4, _sets(text=_RTF), "Rich text as it was stored.", "text"),
    _kept("created", "formula_cell", 0.002, 5, _sets(text="=HYPERLINK(1)\n-2+3\n@SUM(A1)"), "A formula.", "text"),
    _kept("created", "emoji_note", 0.01, 6, _sets(text="Very happy 😀🦷 thanks! 👩\u200d⚕️"), "Emoji.", "text"),
    _kept("created", "right_to_left", 0.005, 7, _sets(text=_RIGHT_TO_LEFT), "Right to left.", "text"),
    _kept("created", "mojibake", 0.003, 8, _sets(text="CafÃ© and tea stains, naÃ¯ve about it."), "Decoded wrongly.",
          "text"),
    _kept("created", "nul_byte", 0.0005, 9, _words("text", "{}\x00 end"), "A NUL byte amid the text.", "text"),
    _kept("created", "quotes", 0.01, 10, _sets(text="She said \"no\", then ~maybe~, then 'yes'"), "Quotes.", "text"),
    _kept("created", "secret", 0.002, 11, _words("text", "{} SSN 666-12-3456 on file."), "Masked.", "text"),
    _rejected("invalid_row", 0.0005, 13, _sets(text=None), "text", "missing_value"),
    _kept("created", "secret", 0.001, 14, _words("text", "{} Card 4111 1111 1111 1111."), "Masked.", "text"),
    _orphan(0.0005, 15),
    _rejected("bad_date", 0.0003, 17, _sets(written_at="2025-02-30T10:00:00"), "written_at"),
    RowDefect("unescaped_quotes", "created", None, "Quotes inside the cell are not doubled.", "text", 0.0005, 18,
              _sets(text='The patient said "better" and left'), mangle=lambda line: line.replace('""', '"')),
)  # fmt: skip

STALE_OPEN = RowDefect("stale_open", "created", None, "Marked as scheduled, its day has passed.", "starts_at")
GUARANTOR_GONE = RowDefect("guarantor_gone", "created", None, "Its guarantor is not in the export.", "guarantor_id")
GUARANTOR_CYCLE = RowDefect("guarantor_cycle", "created", None, "Two are each other's guarantor.", "guarantor_id")
EMPTY_PLAN = RowDefect("plan_without_items", "created", None, "A plan without a single item.", "id")
LOOSE_ITEM = RowDefect("item_without_plan", "created", None, "Planned, but in no plan.", "plan_id")
NO_AGEING = RowDefect("balance_without_ageing", "folded", None, "Money is owed, and not since when.", "days_0_30")
SHAPES = (STALE_OPEN, GUARANTOR_GONE, GUARANTOR_CYCLE, EMPTY_PLAN, LOOSE_ITEM, NO_AGEING)
"""Defects that rows have from the way the practice is, not by chance of the row."""

_TEXT_SECRET = _kept(
    "folded", "secret", 0.001, 5, _sets(policy_number="666-98-7654"), "An SSN as policy number.", "policy_number"
)

DEFECTS: Mapping[str, tuple[RowDefect, ...]] = {
    "patients": _PATIENTS,
    "addresses": _ADDRESSES,
    "contact_points": _CONTACT_POINTS,
    "appointments": _APPOINTMENTS,
    "procedures": _PROCEDURES,
    "clinical_notes": _CLINICAL_NOTES,
    "recalls": (
        _orphan(0.001, 4),
        _kept("created", "unknown_type", 0.001, 6, _sets(type_id="RT99", type_name=None), "No such type.", "type_id"),
        _rejected("bad_date", 0.0005, 8, _sets(due_on=_BAD_DAY), "due_on"),
    ),
    "treatment_plan_items": (
        _rejected("unknown_code", 0.0005, 6, _sets(status="perhaps"), "status"),
        _repeated(0.001, 9),
    ),
    "patient_insurance": (
        _kept("folded", "birth_date_as_start", 0.003, 3, _sets(effective_on=date(1961, 4, 12)),
              "A birth date typed into it.", "effective_on"),
        _kept("folded", "ends_before_start", 0.0005, 4,
              _sets(effective_on=date(2025, 1, 1), terminated_on=date(2024, 1, 1)), "Over before it began.",
              "terminated_on"),
        _TEXT_SECRET,
        _orphan(0.001, 7),
    ),
    "prescriptions": (_rejected("bad_date", 0.001, 3, _sets(prescribed_on="31/02/2025"), "prescribed_on"),
                      _orphan(0.001, 5)),
    "patient_referrals": (
        _kept("folded", "unknown_source", 0.09, 2, _sets(source_id="RS99999", direction="from"),
              "No such source.", "source_id"),
        _orphan(0.001, 4),
    ),
    "account_balances": (
        _kept("folded", "money_as_text", 0.002, 3, _sets(balance="(45.00)"), "A credit in brackets.", "balance"),
        _kept("folded", "money_as_text", 0.002, 4, _sets(balance="120.50-"), "A minus behind.", "balance"),
        _kept("folded", "money_as_text", 0.002, 5, _sets(balance="$1,234.56"), "Sign and comma.", "balance"),
        _kept("folded", "balances_disagree", 0.17, 6, _sets(outstanding="13.37"), "Two columns differ.", "outstanding"),
    ),
    "communications": (
        _rejected("unknown_code", 0.001, 3, _sets(kind="telegram"), "kind"),
        _orphan(0.001, 5),
        _kept("created", "formula_cell", 0.002, 7, _sets(note="+1 for the new chairs"), "A formula.", "note"),
    ),
    "documents": (
        RowDefect("bytes_missing", "rejected", "document_missing", "Its bytes are not in the export.", "path", 0.03, 3,
                  _elsewhere),
        _orphan(0.001, 5),
    ),
    "custom_columns": (
        _kept("folded", "formula_cell", 0.002, 3, _sets(value="=2+5"), "A formula.", "value"),
        _kept("folded", "line_break", 0.005, 4, _sets(value="two\nlines"), "A line break in the cell.", "value"),
        _orphan(0.001, 6),
        RowDefect("secret_custom_column", "skipped", "secret_column", "A column of theirs that holds a secret.", "name",
                  0.0005, 8, _sets(name="Driver License", value="X0000000")),
    ),
    "tooth_chart": (_kept("folded", "supernumerary", 0.01, 2, _sets(tooth="AS"), "A tooth too many.", "tooth"),),
    "ledger": (_rejected("bad_date", 0.0003, 4, _sets(posted_on=_BAD_DAY), "posted_on"),),
}  # fmt: skip
