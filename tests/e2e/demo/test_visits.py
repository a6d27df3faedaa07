"""Rows 4, 7, 13 and 14: appointments, clinical notes, procedures and recalls, field by field."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tests.e2e.demo.conftest import AS_OF, PRACTICE_ZONE, Landed, Practice, lines, utc

if TYPE_CHECKING:
    from tests.e2e.conftest import Doc
    from tests.e2e.demo.conftest import Row

NO_TIME = {"planned", "unscheduled"}
MIDNIGHT = f"{AS_OF}T00:00:00"


def _appointments(practice: Practice) -> dict[str, Row]:
    """Return the appointments that become activities: those with a time, not deleted, of a patient who moves."""
    left_out = NO_TIME | {"deleted", "not_appointment"}
    return {row["id"]: row for row in practice.moving("appointments") if row["status"] not in left_out}


def _outcome(row: Row) -> str | None:
    """Return what the practice's own words do not say of a visit."""
    ahead = row["starts_at"] >= MIDNIGHT
    if row["status"] in {"scheduled", "arrived"} and not ahead:
        return "Unresolved"
    return {"no_show": "No-show", "cancelled": "Cancelled"}.get(row["status"])


def test_row_4_each_appointment_is_one_activity(practice: Practice, landed: Landed) -> None:
    wanted = _appointments(practice)

    assert landed.keys("activity", "appointments") == set(wanted)
    statuses = {"completed", "scheduled", "no_show", "cancelled", "arrived"}
    assert {row["status"] for row in wanted.values()} == statuses
    assert {_outcome(row) for row in wanted.values()} == {None, "Unresolved", "No-show", "Cancelled"}


def test_row_4_its_type_is_the_appointments_and_its_time_is_utc(practice: Practice, landed: Landed) -> None:
    for number, row in _appointments(practice).items():
        activity = landed.one("activity", "appointments", number)
        starts = utc(row["starts_at"], PRACTICE_ZONE)
        assert landed.type_name(activity) == row["type_name"], number
        assert activity["due_date"] == f"{starts:%Y-%m-%d}", number
        assert activity["due_time"] == f"{starts:%H:%M:%S}", number
        hours, minutes = divmod(int(row["duration_minutes"]), 60)
        assert activity["duration"] == f"{hours:02d}:{minutes:02d}:00", number


def test_row_4_an_hour_that_never_was_is_the_one_after_the_clocks_went_forward(
    practice: Practice, landed: Landed
) -> None:
    (gap,) = [entry["id"] for entry in practice.ledger if entry["kind"] == "dst_gap"]

    activity = landed.one("activity", "appointments", gap)

    assert (activity["due_date"], activity["due_time"]) == ("2026-03-08", "08:30:00")


def test_row_4_done_comes_from_the_status_and_the_day_of_the_export(practice: Practice, landed: Landed) -> None:
    open_ = set()
    for number, row in _appointments(practice).items():
        waits = row["status"] in {"scheduled", "arrived"} and row["starts_at"] >= MIDNIGHT
        assert landed.one("activity", "appointments", number)["done"] is not waits, number
        open_ |= {row["status"]} if waits else set()
    assert open_ == {"scheduled", "arrived"}


def test_row_4_status_type_and_times_of_the_source_stand_in_its_note(practice: Practice, landed: Landed) -> None:
    clinics = practice.by_id("clinics")
    for number, row in _appointments(practice).items():
        told = lines(landed.one("activity", "appointments", number)["note"])
        wanted = {
            "Status": row["status"].replace("_", " "),
            "Status in the source": row["original_status"],
            "Type": row["type_name"],
            "Starts": f"{_minute(row['starts_at'])} {PRACTICE_ZONE}",
            "Outcome": _outcome(row),
            "Arrived": _minute(row["arrived_at"]),
            "Seated": _minute(row["seated_at"]),
            "Dismissed": _minute(row["dismissed_at"]),
            "Booked": _minute(row["created_at"]),
            "Provider": practice.provider(row["provider_id"]),
            "Hygienist": practice.provider(row["hygienist_id"]),
            "Clinic": clinics[row["clinic_id"]]["name"],
            "Operatory": row["operatory"],
            "Reason": row["reason"],
            "Note": row["note"],
        }
        assert {label: _after(label, told) for label in wanted} == wanted, number


def test_row_4_it_hangs_on_its_person_and_belongs_to_its_provider(practice: Practice, landed: Landed) -> None:
    for number, row in _appointments(practice).items():
        activity = landed.one("activity", "appointments", number)
        outcome = _outcome(row)
        subject = " - ".join(filter(None, (row["type_name"], row["reason"], outcome)))
        assert activity["subject"] == subject, number
        assert _person(activity) == landed.person(row["patient_id"])["id"], number
        emails = practice.provider_emails(row["provider_id"] or row["hygienist_id"])
        assert activity["owner_id"] == landed.user(emails), number


def test_row_7_each_clinical_note_is_a_note_with_its_time_and_text(practice: Practice, landed: Landed) -> None:
    wanted = {row["id"]: row for row in practice.moving("clinical_notes")}
    masked = {entry["id"] for entry in practice.ledger if entry["kind"] == "secret"}
    (repaired,) = [entry["id"] for entry in practice.ledger if entry["kind"] == "unescaped_quotes"]

    assert {key.partition("#")[0] for key in landed.keys("note", "clinical_notes")} == set(wanted)
    for number, row in wanted.items():
        parts = landed.parts("note", "clinical_notes", number)
        assert {part["add_time"] for part in parts} == {f"{utc(row['written_at']):%Y-%m-%d %H:%M:%S}"}, number
        assert {part["person_id"] for part in parts} == {landed.person(row["patient_id"])["id"]}, number
        assert all(len(part["content"]) <= 100_000 for part in parts), number
        shown = "\n".join("\n".join(lines(part["content"])) for part in parts)
        if number in masked:
            assert "[removed]" in shown, number
        elif number == repaired:  # the csv module reads those quotes otherwise than the writer meant them
            assert 'The patient said "better" and left' in shown
        else:
            assert _dense(row["text"]) in _dense(shown), number


def test_row_7_markup_is_shown_as_it_was_written_and_not_run(practice: Practice, landed: Landed) -> None:
    (entry,) = [entry for entry in practice.ledger if entry["kind"] == "html_note"]

    (note,) = landed.parts("note", "clinical_notes", entry["id"])

    assert "<script" not in note["content"]
    assert "&lt;script&gt;" in note["content"]


def test_row_7_a_note_beyond_the_limit_is_split_and_whole(practice: Practice, landed: Landed) -> None:
    (entry,) = [entry for entry in practice.ledger if entry["kind"] == "oversize_note"]

    parts = landed.parts("note", "clinical_notes", entry["id"])

    assert len(parts) > 1
    text = practice.by_id("clinical_notes")[entry["id"]]["text"]
    assert len(text) > 100_000
    assert _dense(text) in _dense("".join("".join(lines(part["content"])) for part in parts))


def test_row_7_its_author_is_a_user_or_stands_in_the_first_line(practice: Practice, landed: Landed) -> None:
    staff = practice.by_id("staff")
    ways = set()
    for row in practice.moving("clinical_notes"):
        author = staff.get(row["author_id"] or "")
        provider = author["provider_id"] if author else row["provider_id"]
        emails = practice.staff_emails(row["author_id"]) + practice.provider_emails(provider)
        named = author["name"] if author else practice.provider(row["provider_id"])
        parts = landed.parts("note", "clinical_notes", row["id"])
        first = lines(parts[0]["content"])[0]
        assert {part["user_id"] for part in parts} == {landed.user(emails)}, row["id"]
        known = landed.known(emails)
        by_line = [f"By {named}, {row['written_at'][:10]}"] if named and not known else []
        assert first in by_line if by_line else not first.startswith("By "), row["id"]
        ways.add("user" if known else "line" if by_line else "nobody")
    assert {"user", "line"} <= ways


def test_row_13_each_completed_procedure_is_one_done_activity(practice: Practice, landed: Landed) -> None:
    done = {row["id"]: row for row in practice.moving("procedures") if row["status"] == "completed"}
    codes = {"120.00": "D0120", "0120": "D0120"}

    assert landed.keys("activity", "procedures") == set(done)
    for number, row in done.items():
        activity = landed.one("activity", "procedures", number)
        assert landed.type_name(activity) == "Procedure"
        assert (activity["due_date"], activity["done"]) == (row["performed_on"], True), number
        assert _person(activity) == landed.person(row["patient_id"])["id"], number
        assert activity["owner_id"] == landed.user(practice.provider_emails(row["provider_id"])), number
        code = codes.get(row["code"], row["code"])
        place = " ".join(filter(None, (row["tooth"], row["surface"])))
        assert activity["subject"] == f"{code} {row['description']}" + (f" (tooth {place})" if place else ""), number
        wanted = {
            "Code": code,
            "Tooth": row["tooth"],
            "Surface": row["surface"],
            "Fee": {"$1,180.00": "1180.00"}.get(row["fee"], row["fee"]),
            "Done": row["performed_on"],
            "Status in the source": row["original_status"],
            "Provider": practice.provider(row["provider_id"]),
            "Note": row["note"],
        }
        told = lines(activity["note"])
        assert {label: _after(label, told) for label in wanted} == wanted, number


def test_row_13_a_person_has_the_codes_of_what_was_done(practice: Practice, landed: Landed) -> None:
    codes = {"120.00": "D0120", "0120": "D0120"}
    for number in practice.people:
        done = [row for row in practice.of("procedures", number) if row["status"] == "completed"]
        wanted = {codes.get(row["code"], row["code"]) for row in done}
        told = landed.person(number)["by_name"].get("Procedure_Code__c")
        found = told.split(", ") if told else []
        assert set(found) == wanted, number
        assert len(found) == len(set(found)), number


def test_row_14_each_recall_that_is_due_is_an_open_activity_of_its_type(practice: Practice, landed: Landed) -> None:
    away = {"inactive", "archived", "deceased"}
    due = {
        row["id"]: row
        for row in practice.moving("recalls")
        if row["disabled"] != "true"
        and not row["scheduled_on"]
        and practice.people[row["patient_id"]]["status"] not in away
    }

    assert landed.keys("activity", "recalls") == set(due)
    for number, row in due.items():
        activity = landed.one("activity", "recalls", number)
        kind = f"Recall: {row['type_name']}" if row["type_name"] else "Recall"
        assert (landed.type_name(activity), activity["subject"]) == (kind, kind), number
        assert (activity["due_date"], activity["due_time"], activity["done"]) == (row["due_on"], None, False), number
        assert _person(activity) == landed.person(row["patient_id"])["id"], number
        assert activity["owner_id"] == landed.user(practice.patient_emails(row["patient_id"])), number
        told = lines(activity["note"])
        assert _after("Due", told) == row["due_on"], number
        assert _after("Interval", told) == row["interval"], number
        assert _after("Last done", told) == row["previous_on"], number
        assert ("Overdue when exported" in told) == (row["due_on"] < str(AS_OF)), number
    assert len({row["type_name"] for row in due.values()}) >= 4
    assert {row["due_on"] < str(AS_OF) for row in due.values()} == {True, False}


def _person(activity: Doc) -> int:
    (participant,) = activity["participants"]
    assert participant["primary"]
    assert participant["person_id"] == activity["person_id"]
    return int(activity["person_id"])


def _minute(local: str | None) -> str | None:
    return None if local is None else f"{datetime.fromisoformat(local):%Y-%m-%d %H:%M}"


def _after(label: str, told: list[str]) -> str | None:
    """Return what a line says after its label."""
    return next((line.removeprefix(f"{label}: ") for line in told if line.startswith(f"{label}: ")), None)


def _dense(text: str) -> str:
    return "".join(text.split())
