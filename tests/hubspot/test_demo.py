"""The demo into HubSpot, read back from the sandbox's own state and compared with the export, row kind by row kind.

The export is read by the reader that the demo's other tests have; nothing here asks the plugin or the engine.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from tests.e2e.demo.conftest import PRACTICE_ZONE, Practice

from flitstack.cli import cli
from flitstack_hubspot.files import contact_of, key_of
from flitstack_hubspot.sandbox.app import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Record = dict[str, Any]


def run(folder: Path, *more: str) -> tuple[int, Record]:
    """Return the exit code and the report of the demo run in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(cli, ["run", "--source", "dental", "--dest", "hubspot", "--demo", "--json", *more])
    return result.exit_code, json.loads(result.stdout)


class Held:
    """What the account holds after the demo."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "flit-demo" / "dental-to-hubspot"
        with Sandbox(str(self.out / "hubspot-sandbox.db")) as sandbox:
            self.state = sandbox.dump()

    @cached_property
    def practice(self) -> Practice:
        """The export."""
        return Practice(self.out / "example-practice")

    def keyed(self, object: str, stream: str) -> dict[str, Record]:
        """Return source id to properties of the records of an object that came from a stream."""
        found: dict[str, Record] = {}
        for record in self.state[object]:
            key = str(record["properties"].get("source_system_id", ""))
            if key.startswith(f"dental:{stream}:"):
                found[key.removeprefix(f"dental:{stream}:")] = record["properties"] | {"@": record}
        return found

    def ends(self, record: Record, to: str, label: str = "") -> list[str]:
        """Return the source keys of what a record is associated with."""
        ids = {one["id"] for one in record["@"]["associations"] if (one["to"], one["label"]) == (to, label)}
        return [str(one["properties"].get("source_system_id")) for one in self.state[to] if one["id"] in ids]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return where the demo ran once."""
    place = tmp_path_factory.mktemp("demo")
    code, report = run(place)
    assert code == 0, report
    assert report["verified"]["mismatched"] == 0
    assert all(one["rejected"] == 0 for one in report["objects"].values() if "rejected" in one)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def held(folder: Path) -> Held:
    """Return the account after the demo."""
    return Held(folder)


def moment(text: str) -> datetime:
    """Return a local time of the export as a moment."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(PRACTICE_ZONE)).astimezone(UTC)


def amount(text: str) -> Decimal:
    """Return an amount of the export, with or without signs around it."""
    plain = re.sub(r"[^0-9.]", "", text)
    return Decimal(f"-{plain}" if set(text) & set("-(") else plain)


def shown(text: str) -> str:
    """Return what a reader sees of HTML, white space joined."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def test_row_1_every_patient_is_a_contact_once(held: Held) -> None:
    contacts = held.keyed("contacts", "patients")

    assert set(contacts) == set(held.practice.people)
    assert len(contacts) == sum(
        str(one["properties"].get("source_system_id", "")).startswith("dental:patients:")
        for one in held.state["contacts"]
    )
    for id, patient in held.practice.people.items():
        assert contacts[id].get("birth_date") == patient["birth_date"]
        assert contacts[id].get("firstname") == (patient["first_name"] or patient["preferred_name"])
        name = " ".join(part for part in (patient["last_name"], patient["suffix"]) if part)
        assert " ".join(contacts[id].get("lastname", "").split()) == " ".join(name.split())


def test_row_2_the_mailing_address_is_the_contacts_own(held: Held) -> None:
    contacts = held.keyed("contacts", "patients")
    rows = [row for row in held.practice.moving("addresses") if row["kind"] == "mailing"]

    assert rows
    for row in rows:
        first = next(one for one in rows if one["patient_id"] == row["patient_id"])
        if row is first:
            assert contacts[row["patient_id"]].get("city", "") == row["city"].strip()
            assert contacts[row["patient_id"]].get("zip", "") == row["postal_code"].strip()


def test_row_3_each_number_and_address_stands_somewhere_and_no_email_twice(held: Held) -> None:
    contacts = held.keyed("contacts", "patients")
    emails = [one["email"] for one in contacts.values() if one.get("email")]

    assert len(emails) == len(set(emails))
    for row in held.practice.moving("contact_points"):
        contact = contacts[row["patient_id"]]
        places = (
            ("email", "additional_emails") if row["kind"] == "email" else ("phone", "mobilephone", "additional_phones")
        )
        there = " ".join(str(contact.get(place, "")) for place in places).casefold()
        plain = re.sub(r"\W", "", row["value"]).casefold()
        assert plain in re.sub(r"\W", "", there), row["id"]


def test_row_4_an_appointment_is_a_meeting_at_its_time_with_its_type_and_outcome(held: Held) -> None:
    meetings = held.keyed("meetings", "appointments")
    types = held.practice.by_id("appointment_types")
    outcomes = {"no_show": "NO_SHOW", "cancelled": "CANCELED"}

    assert meetings
    for id, meeting in meetings.items():
        row = held.practice.by_id("appointments")[id]
        starts = meeting["hs_meeting_start_time"]
        assert datetime.fromisoformat(starts) == moment(row["starts_at"])
        assert starts == meeting["hs_timestamp"]
        kind = types.get(row["type_id"], {}).get("name") or row["type_name"] or "Appointment"
        assert meeting["appointment_type"] == kind
        assert held.ends(meeting, "contacts") == [f"dental:patients:{row['patient_id']}"]
        if row["status"] in outcomes:
            assert meeting["hs_meeting_outcome"] == outcomes[row["status"]]
    wanted = {
        row["id"] for row in held.practice.moving("appointments")
        if row["starts_at"] and row["status"] not in {"deleted", "not_appointment", "unscheduled", "planned"}
    }  # fmt: skip
    assert set(meetings) == wanted


def test_row_5_a_treatment_plan_is_a_deal_in_a_stage_that_is_won_or_lost_with_it(held: Held) -> None:
    deals = held.keyed("deals", "treatment_plans")
    (pipeline,) = [one for one in held.state["pipeline"] if one["label"] == "Treatment Plans"]
    stages = {one["id"]: one for one in pipeline["stages"]}

    assert set(deals) == {row["id"] for row in held.practice.moving("treatment_plans")}
    for id, deal in deals.items():
        row = held.practice.by_id("treatment_plans")[id]
        stage = stages[deal["dealstage"]]
        assert deal["pipeline"] == pipeline["id"]
        assert bool(deal.get("closedate")) == (stage["metadata"]["isClosed"] == "true")
        assert held.ends(deal, "contacts") == [f"dental:patients:{row['patient_id']}"]
        assert Decimal(deal["amount"]) >= 0
        if row["status"] == "rejected":
            assert stage["label"] == "Lost"


def test_row_6_insurance_stands_on_the_contact(held: Held) -> None:
    contacts = held.keyed("contacts", "patients")
    first = [row for row in held.practice.moving("patient_insurance") if row["ordinal"] == "1" and row["policy_number"]]

    current = [row for row in first if not row["terminated_on"]]
    assert current
    for row in current:
        assert contacts[row["patient_id"]].get("insurance_details")


def test_row_7_a_clinical_note_is_a_note_at_its_time(held: Held) -> None:
    notes = held.keyed("notes", "clinical_notes")
    whole = {id: note for id, note in notes.items() if "#" not in id}

    assert whole
    for id, note in whole.items():
        row = held.practice.by_id("clinical_notes")[id]
        assert datetime.fromisoformat(note["hs_timestamp"]) == moment(row["written_at"])
        assert held.ends(note, "contacts") == [f"dental:patients:{row['patient_id']}"]
        assert " ".join(row["text"].split()[:3]) in shown(note["hs_note_body"])


def test_row_8_the_latest_prescription_stands_on_the_contact(held: Held) -> None:
    contacts = held.keyed("contacts", "patients")

    for row in held.practice.moving("prescriptions"):
        newest = max(one["prescribed_on"] for one in held.practice.of("prescriptions", row["patient_id"]))
        assert contacts[row["patient_id"]]["prescription_date"] == newest
        assert row["drug"] in contacts[row["patient_id"]]["prescription_notes"]


def test_row_9_a_referrer_is_a_company_or_a_contact_under_a_label(held: Held) -> None:
    contacts, sources = held.keyed("contacts", "patients"), held.practice.by_id("referral_sources")
    companies = held.keyed("companies", "referral_sources")

    assert set(companies) == {id for id, row in sources.items() if not row["patient_id"]}
    from_ = [row for row in held.practice.moving("patient_referrals") if row["direction"] == "from"]
    assert from_
    for row in from_:
        contact, source = contacts[row["patient_id"]], sources.get(row["source_id"])
        if source is None or len([one for one in from_ if one["patient_id"] == row["patient_id"]]) > 1:
            continue
        if source["patient_id"]:
            wanted = [f"dental:patients:{source['patient_id']}"] if source["patient_id"] in contacts else []
            assert held.ends(contact, "contacts", "Referring patient") == wanted
        else:
            assert held.ends(contact, "companies", "Referral source") == [f"dental:referral_sources:{source['id']}"]


def test_row_10_the_balance_is_the_practices_own(held: Held) -> None:
    contacts = held.keyed("contacts", "patients")

    rows = [row for row in held.practice.moving("account_balances") if row["balance"]]
    assert rows
    for row in rows:
        if len(held.practice.of("account_balances", row["patient_id"])) == 1:
            assert Decimal(contacts[row["patient_id"]]["account_balance"]) == amount(row["balance"])


def test_rows_11_and_12_owners_are_found_by_email_and_the_others_have_the_fallback(held: Held) -> None:
    owners = {one["id"]: one["email"] for one in held.state["owner"]}

    found = {owners[one["hubspot_owner_id"]] for one in held.keyed("contacts", "patients").values()}

    assert "alex.admin@practice.example" in found
    assert "dana.departed@practice.example" not in found
    assert len(found) > 1


def test_row_13_a_completed_procedure_is_a_note_at_its_day_with_code_and_tooth(held: Held) -> None:
    notes = held.keyed("notes", "procedures")
    done = {row["id"]: row for row in held.practice.moving("procedures") if row["status"] == "completed"}

    assert set(done) <= {id.partition("#")[0] for id in notes}
    for id, row in done.items():
        note = notes.get(id) or notes[f"{id}#1"]
        assert datetime.fromisoformat(note["hs_timestamp"]) == moment(row["performed_on"])
        assert note.get("tooth") == row["tooth"]
        assert note.get("surface") == row["surface"]
        assert note["procedure_code"]


def test_row_14_an_open_recall_is_a_task_due_on_its_day(held: Held) -> None:
    tasks = held.keyed("tasks", "recalls")

    assert tasks
    for id, task in tasks.items():
        row = held.practice.by_id("recalls")[id]
        assert datetime.fromisoformat(task["hs_timestamp"]) == moment(row["due_on"])
        assert (task["hs_task_status"], held.ends(task, "contacts")) == (
            "NOT_STARTED",
            [f"dental:patients:{row['patient_id']}"],
        )


def test_talks_are_calls_emails_messages_and_meetings_or_else_notes(held: Held) -> None:
    where = {"call": "calls", "email": "emails", "text": "communications", "meeting": "meetings"}
    found = {object: held.keyed(object, "communications") for object in {*where.values(), "notes"}}

    for row in held.practice.moving("communications"):
        talk = found[where.get(row["kind"], "notes")].get(row["id"]) or found["notes"].get(f"{row['id']}#1")
        assert talk is not None, row["id"]
        assert datetime.fromisoformat(talk["hs_timestamp"]) == moment(row["happened_at"])


def test_a_document_is_a_file_and_the_note_that_carries_it_hangs_on_its_patient(held: Held) -> None:
    files = {key_of(one["path"]): one for one in held.state["file"]}
    notes = held.keyed("notes", "document_notes")
    contacts = {id: one["@"]["id"] for id, one in held.keyed("contacts", "patients").items()}

    assert len(files) == len(held.state["file"]) == len(notes) > 0
    for id, note in notes.items():
        row = held.practice.by_id("documents")[id]
        file = files[f"dental:documents:{id}"]
        assert note["hs_attachment_ids"] == file["id"]
        assert row["size"] in (None, str(file["size"]))
        assert file["access"] == "PRIVATE"
        if row["patient_id"]:
            assert contact_of(file["path"]) == contacts[row["patient_id"]]
            assert held.ends(note, "contacts") == [f"dental:patients:{row['patient_id']}"]


def test_guarantors_are_found_under_their_label(held: Held) -> None:
    contacts, families = held.keyed("contacts", "patients"), held.practice.by_id("families")

    seen = 0
    for id, patient in held.practice.people.items():
        wanted = patient["guarantor_id"] or families.get(patient["family_id"], {}).get("guarantor_id", "")
        if wanted and wanted != id and wanted in contacts:
            assert held.ends(contacts[id], "contacts", "Guarantor") == [f"dental:patients:{wanted}"]
            seen += 1
    assert seen


def test_no_secret_of_the_export_is_in_the_account(held: Held) -> None:
    everything = json.dumps(held.state, ensure_ascii=False)

    assert not [secret for secret in held.practice.secrets() if secret in everything]


def test_once_more_writes_nothing_and_verifies_everything(folder: Path) -> None:
    before = _records(Held(folder).state)

    code, report = run(folder)

    assert code == 0
    assert report["verified"]["mismatched"] == 0
    assert not any(one["created"] or one["updated"] for one in report["objects"].values())
    assert _records(Held(folder).state) == before


def _records(state: dict[str, Any]) -> Sequence[Any]:
    return [state[name] for name in ("contacts", "companies", "deals", "meetings", "notes", "tasks", "file")]
