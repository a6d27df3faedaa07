"""Core's own checks over invented records of no business in particular, by what their schemas say alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.journal import Journal
from flitstack.protocols import Record, Stream, Where
from flitstack.stages.intake.validate import StagedRecords
from flitstack.validators import CHECKS, generic_validators
from flitstack.validators.contact import of_email, of_phone, of_postal_code
from flitstack.validators.texts import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flitstack.protocols import Finding

TEXT = {"type": ["string", "null"]}
DAY = {**TEXT, "format": "date", "x-type": "date"}
MEMBERS = {
    "x-people": "person",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "first": {**TEXT, "x-person": "given"},
        "last": {**TEXT, "x-person": "family"},
        "born": {**DAY, "x-person": "birth_date"},
        "mail": {**TEXT, "x-person": "emails"},
        "call": {**TEXT, "x-person": "phones"},
        "zip": {**TEXT, "x-holds": "postal_code"},
        "joined": DAY,
        "club_id": {**TEXT, "x-references": "clubs"},
        "remark": TEXT,
    },
}
CLUBS = {"properties": {"id": {"type": "string"}, "name": TEXT}}
FEES = {
    "x-section": "money",
    "required": ["id", "member_id"],
    "properties": {
        "id": {"type": "string"},
        "member_id": {"type": "string", "x-references": "members", "x-as": "member"},
        "paid_on": DAY,
    },
}


@dataclass
class Club:
    """Staged records of an invented club, and what the checks find among them."""

    journal: Journal
    streams: dict[str, Stream] = field(default_factory=dict)
    snapshot: int = 0

    def stage(self, stream: str, schema: dict[str, Any], *rows: dict[str, Any]) -> None:
        """Stage rows of one stream."""
        made = Stream(stream, schema)
        self.streams[stream] = made
        self.snapshot = self.snapshot or self.journal.staging.begin("r", "t")
        self.journal.staging.add_stream(self.snapshot, made)
        records = [Record(stream, str(row["id"]), row, Where("f.csv", n)) for n, row in enumerate(rows, start=2)]
        self.journal.staging.add(self.snapshot, records, frozenset())

    def findings(self, check: str) -> dict[str, Finding]:
        """Return what a check finds, by code."""
        self.journal.staging.complete(self.snapshot, "t", "2026-06-30", [], "x")
        return {found.code: found for found in CHECKS[check](StagedRecords(self.journal, self.streams))}


@pytest.fixture
def club(tmp_path: Path) -> Iterator[Club]:
    with Journal(tmp_path / "flit.db") as journal:
        yield Club(journal)


def members(count: int, change: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": str(n), "first": "Ada", "last": "Byron", **change(n)} for n in range(count)]


def test_references_that_lead_nowhere_are_told_by_how_much_they_matter(club: Club) -> None:
    club.stage("clubs", CLUBS, {"id": "c"})
    club.stage("members", MEMBERS, {"id": "1", "club_id": "c"}, {"id": "2", "club_id": "gone"}, {"id": "3"})
    club.stage("fees", FEES, {"id": "1", "member_id": "1"}, {"id": "2", "member_id": "9"})

    found = club.findings("references")

    assert (found["reference_missing"].keys, found["reference_missing"].severity) == (("2",), "warning")
    assert (found["orphan"].keys, found["orphan"].severity, found["orphan"].of) == (("2",), "error", 2)
    assert found["orphan"].section == "money"
    assert found["reference_missing"].section == "records"


def test_what_refers_to_a_row_that_cannot_move_waits_and_is_no_orphan(club: Club) -> None:
    from flitstack.protocols import Rejection

    club.stage("members", MEMBERS, {"id": "1"})
    club.journal.staging.add(club.snapshot, [Rejection("members", "2", "bad_date", "No day.", "Mend it.")], frozenset())
    club.stage("fees", FEES, {"id": "1", "member_id": "2"})

    found = club.findings("references")

    assert set(found) == {"refers_to_rejected"}


def test_a_column_that_kept_only_the_year_is_told(club: Club) -> None:
    club.stage("members", MEMBERS, *members(30, lambda n: {"born": f"{1950 + n}-01-01"}))

    found = club.findings("dates")

    assert (found["days_of_one_kind"].count, found["days_of_one_kind"].of) == (30, 30)
    assert "01-01" in found["days_of_one_kind"].message


@pytest.mark.parametrize(
    "change",
    [
        lambda n: {"born": f"{1950 + n}-{1 + n % 12:02d}-{1 + n % 28:02d}"},
        lambda n: {"joined": "2020-01-01"},
        lambda n: {"born": "1990-01-01"} if n == 0 else {},
    ],
    ids=["ordinary days", "a list typed in at once", "too few to say"],
)
def test_ordinary_days_are_not(club: Club, change: Callable[[int], dict[str, Any]]) -> None:
    club.stage("members", MEMBERS, *members(30, change))

    assert club.findings("dates") == {}


def test_a_birth_date_in_the_wrong_column_and_a_day_far_ahead_are_told(club: Club) -> None:
    days = {0: "1949-05-06", 1: "2050-01-01"}
    club.stage(
        "members", MEMBERS, *members(30, lambda n: {"joined": days.get(n, f"20{10 + n % 16}-03-{n % 28 + 1:02d}")})
    )

    found = club.findings("dates")

    assert {code: line.keys for code, line in found.items()} == {"ancient_date": ("0",), "far_date": ("1",)}


def test_who_cannot_be_reached_is_told(club: Club) -> None:
    club.stage(
        "members",
        MEMBERS,
        {"id": "1", "mail": "a@b.example", "call": "312 555 0143"},
        {"id": "2", "mail": "a@b.example"},
        {"id": "3", "call": "312 555 0144"},
        {"id": "4"},
    )

    found = club.findings("contact")

    assert {code: found[code].keys for code in ("no_email", "no_phone", "unreachable", "shared_email")} == {
        "no_email": ("3", "4"), "no_phone": ("2", "4"), "unreachable": ("4",), "shared_email": ("1", "2"),
    }  # fmt: skip


def test_nobody_is_called_unreachable_where_no_contact_is_known_at_all(club: Club) -> None:
    schema = {**MEMBERS, "properties": {"id": {"type": "string"}, "first": {**TEXT, "x-person": "given"}}}
    club.stage("members", schema, {"id": "1", "first": "Ada"})

    assert club.findings("contact") == {}


def test_names_and_birth_dates_that_cannot_be_meant_are_told(club: Club) -> None:
    club.stage(
        "members",
        MEMBERS,
        {"id": "1", "born": "1990-02-03"},
        {"id": "2", "first": "ADA", "last": "BYRON", "born": "1899-01-01"},
        {"id": "3", "last": "Byron, Ada", "born": "2027-01-01"},
        {"id": "4", "first": "Test", "last": "Byron Jr."},
        {"id": "5", "first": "李", "last": "王", "born": "1990-02-03"},
    )

    found = club.findings("people")

    assert {code: line.keys for code, line in found.items() if line.keys} == {
        "name_missing": ("1",), "birth_date_missing": ("4",), "birth_date_impossible": ("2", "3"),
        "name_in_capitals": ("2",), "name_in_one_cell": ("3",), "suffix_in_name": ("4",), "test_person": ("4",),
    }  # fmt: skip
    assert found["births"].spread == (("1890s", 1), ("1990s", 2), ("2020s", 1))


def test_only_ten_ids_are_named_however_many_there_are(club: Club) -> None:
    club.stage("members", MEMBERS, *members(25, lambda n: {}))

    found = club.findings("people")

    assert (found["birth_date_missing"].count, len(found["birth_date_missing"].keys)) == (25, 10)


def test_texts_are_looked_at_and_numbers_to_call_are_not(club: Club) -> None:
    club.stage(
        "members", MEMBERS, {"id": "1", "call": "+1 312 555 0143", "remark": "=1+1"}, {"id": "2", "remark": "fine"}
    )

    found = club.findings("texts")

    assert {code: line.keys for code, line in found.items()} == {"formula_cell": ("1",)}


def test_the_checks_of_every_source_are_named_for_it() -> None:
    assert [validator.name for validator in generic_validators("club")] == list(CHECKS)
    assert {validator.source for validator in generic_validators("club")} == {"club"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain words", []),
        ("-5", []),
        ("- a list", []),
        ("+1 for the chairs", ["formula_cell"]),
        ("=HYPERLINK(1)", ["formula_cell"]),
        ("@SUM(A1)", ["formula_cell"]),
        ("seen <b>today</b>", ["markup"]),
        ("5 < 6 and 7 > 6", []),
        ("R&D", []),
        (r"{\rtf1 x}", ["rich_text"]),
        ("CafÃ©", ["letters_broken"]),
        ("Café", []),
        ("bell\x07", ["control_character"]),
        ("two\nlines", ["line_break"]),
        ('"so"', ["quotation_mark"]),
        ("שלום", ["right_to_left"]),
        ("\U0001f600", ["emoji"]),
        ("lost \ufffd", ["letters_gone"]),
    ],
)
def test_a_text_is_what_it_holds(text: str, found: list[str]) -> None:
    assert list(kinds(text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(312) 555-0143", ""),
        ("+44 20 7946 0958", ""),
        ("555-0147", "local_number"),
        ("312.555.0156x7468", "extension"),
        ("001-832-695-7550 ext. 851", "extension"),
        ("(312) 555-0143 call wife", "note_in_phone"),
        ("call wife", "invalid_phone"),
        ("(312) 555-0144 / (312) 555-0145", "two_numbers"),
        ("312 555 0144 or 312 555 0145", "two_numbers"),
        ("12", "invalid_phone"),
        ("1234567890123456", "invalid_phone"),
    ],
)
def test_a_phone_number_is_looked_at(text: str, found: str) -> None:
    assert of_phone(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [("a@b.example", ""), ("a b@c.example", "invalid_email"), ("a@b", "invalid_email"), ("nathan@x.example", ""),
     ("none@none.com", "placeholder_email"), ("no-email@x.example", "placeholder_email")],
)  # fmt: skip
def test_an_email_address_is_looked_at(text: str, found: str) -> None:
    assert of_email(text) == found


@pytest.mark.parametrize(
    ("text", "country", "found"),
    [("02199", "US", ""), ("2199", "US", "lost_zero"), ("2199", None, "lost_zero"), ("02199-1234", None, ""),
     ("A1A 1A1", "Canada", ""), ("A1A 1A1", None, ""), ("SW1A 1AA", None, ""), ("12-34", "US", "invalid_postal_code"),
     ("1010", "AT", ""), (None, None, "")],
)  # fmt: skip
def test_a_postal_code_is_looked_at_by_its_country(text: str | None, country: str | None, found: str) -> None:
    assert of_postal_code(text, country) == found


def test_the_export_s_own_day_is_a_date(club: Club) -> None:
    club.stage("clubs", CLUBS, {"id": "c"})
    club.journal.staging.complete(club.snapshot, "t", "2026-06-30", [], "x")

    assert StagedRecords(club.journal, club.streams).as_of() == date(2026, 6, 30)
