"""The demo, run once; its export read by a reader of our own, and its account by source key and in plain text."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import pytest
from tests.e2e.conftest import FLIT, OUTSIDE, Doc, Ended, State, ended, key_in

from flitstack_pipedrive.sandbox.app import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

Row: TypeAlias = dict[str, Any]
AS_OF = date(2026, 6, 30)
ODD_ENCODINGS = {"addresses": "utf-8-sig", "prescriptions": "cp1252", "communications": "utf-16"}
ODD_FORMS: dict[str, dict[str, Any]] = {
    "prescriptions": {"delimiter": ";"},
    "communications": {"delimiter": "\t"},
    "custom_columns": {"quotechar": "~"},
    "insurance_plans": {"delimiter": ";"},
}
PRACTICE_ZONE = "America/Chicago"
"""What the example's manifest and every clinic of it state; the demo's account is in another zone."""


@dataclass(frozen=True)
class Practice:
    """The example as it stands on disk, read without flit."""

    out: Path

    @cached_property
    def ledger(self) -> list[Row]:
        """The planted defects."""
        loaded: list[Row] = json.loads((self.out / "defects.ledger.json").read_text("utf-8"))
        return loaded

    @cached_property
    def _lost(self) -> dict[str, dict[int, str]]:
        """Stream to line to bucket of the rows that do not move."""
        lost: dict[str, dict[int, str]] = defaultdict(dict)
        for entry in self.ledger:
            if entry["bucket"] in {"rejected", "skipped", "blocked"}:
                lost[entry["stream"]][entry["line"]] = entry["bucket"]
        return lost

    @cached_property
    def _read(self) -> dict[str, list[Row]]:
        return {}

    def rows(self, stream: str) -> list[Row]:
        """Return the rows that nothing keeps from moving, defects of the ledger left out."""
        if stream not in self._read:
            lost = self._lost[stream]
            self._read[stream] = [row for line, row in self._lines(stream) if line not in lost]
        return self._read[stream]

    def _lines(self, stream: str) -> list[tuple[int, Row]]:
        text = (self.out / f"{stream}.csv").read_bytes().decode(ODD_ENCODINGS.get(stream, "utf-8"))
        source = io.StringIO(text, newline="")
        begins = 1
        if text.startswith("sep="):
            source.readline()
            begins = 2
        reader = csv.reader(source, **ODD_FORMS.get(stream, {}))
        found: list[tuple[int, Row]] = []
        header: list[str] | None = None
        ahead = begins - 1
        for cells in reader:
            if header is None:
                header = cells
            else:
                row = dict(zip(header, map(_clean, cells), strict=False))
                found.append((begins, _iso(row) if stream == "prescriptions" else row))
            begins = reader.line_num + 1 + ahead
        return found

    def by_id(self, stream: str) -> dict[str, Row]:
        """Return the rows by their id."""
        return {row["id"]: row for row in self.rows(stream)}

    @cached_property
    def people(self) -> dict[str, Row]:
        """The patients who move: who is not deleted and not dead."""
        return {
            row["id"]: row
            for row in self.rows("patients")
            if row["status"] not in {"deleted", "deceased"} and not row["death_date"]
        }

    def of(self, stream: str, patient: str) -> list[Row]:
        """Return one patient's rows, in the file's order."""
        return [row for row in self.rows(stream) if row["patient_id"] == patient]

    def moving(self, stream: str) -> list[Row]:
        """Return the rows of patients who move."""
        return [row for row in self.rows(stream) if row["patient_id"] in self.people]

    def cell(self, entry: Row) -> str:
        """Return the cell that an entry of the ledger speaks of, as it is written."""
        path = self.out / entry["file"]
        text = path.read_bytes().decode(ODD_ENCODINGS.get(entry["stream"], "utf-8"))
        rows = csv.reader(io.StringIO(text, newline=""), **ODD_FORMS.get(entry["stream"], {}))
        header = next(rows)
        return next(row for row in rows if row[0] == entry["id"])[header.index(entry["field"])]

    def secrets(self) -> set[str]:
        """Return every value that must stand nowhere: the cells of dropped columns, and what is masked in texts."""
        found: set[str] = set()
        for entry in self.ledger:
            if entry["kind"] == "secret_column":
                found |= {row[entry["field"]] for _, row in self._lines(entry["stream"]) if row.get(entry["field"])}
            elif entry["kind"] == "secret_custom_column":
                found |= {row["value"] for line, row in self._lines("custom_columns") if line == entry["line"]}
            elif entry["kind"] == "secret":
                found |= set(re.findall(r"\d{3}-\d{2}-\d{4}|(?:\d{4} ){3}\d{4}", self.cell(entry)))
        return found

    def name(self, row: Row) -> str:
        """Return a person's name as the account should show it."""
        words = " ".join(row[part] for part in ("first_name", "last_name", "suffix") if row.get(part))
        return " ".join((words or row["preferred_name"]).split())

    def provider(self, number: str | None) -> str | None:
        """Return a provider's name for people."""
        row = self.by_id("providers").get(number or "")
        if row is None:
            return None
        words = " ".join(row[part] for part in ("title", "first_name", "last_name", "suffix") if row[part])
        return words if row["first_name"] else row["last_name"]

    def staff_emails(self, *staff: str | None) -> list[str]:
        """Return the e-mails by which members of staff are known, in their order."""
        rows = self.by_id("staff")
        found = [rows[number]["email"] for number in staff if number]
        return [email for email in found if email]

    def provider_emails(self, provider: str | None) -> list[str]:
        """Return the e-mails by which a provider is known: as a member of staff, then as a provider."""
        own = [row["id"] for row in self.rows("staff") if provider and row["provider_id"] == provider]
        email = self.by_id("providers").get(provider or "", {}).get("email")
        return self.staff_emails(*own) + ([email] if email else [])

    def patient_emails(self, patient: str) -> list[str]:
        """Return the e-mails of who looks after a patient: the staff responsible, then the provider."""
        owners = [row["staff_id"] for row in self.of("patient_owners", patient)]
        return self.staff_emails(*owners) + self.provider_emails(self.people[patient]["primary_provider_id"])


def _clean(cell: str) -> str | None:
    return cell.replace("\u200b", "").replace("\0", "").strip() or None


def _iso(row: Row) -> Row:
    day, month, year = row["prescribed_on"].split("/")
    return {**row, "prescribed_on": f"{year}-{month}-{day}"}


@dataclass(frozen=True)
class Landed:
    """What the account holds after the demo, by source key."""

    state: State
    run: Ended
    folder: Path

    @cached_property
    def _keyed(self) -> dict[str, dict[str, Doc]]:
        keyed: dict[str, dict[str, Doc]] = defaultdict(dict)
        for name in ("person", "organization", "deal", "lead"):
            for doc in self.state[name]:
                keyed[name][_short(str(doc["by_name"]["Source_System_ID__c"]))] = doc
        for name, text in (("activity", "note"), ("note", "content")):
            for doc in self.state[name]:
                keyed[name][_short(key_in(doc[text]))] = doc
        return keyed

    def keys(self, object_: str, stream: str) -> set[str]:
        """Return the ids of a stream's records that have become such an object."""
        return {key.partition(":")[2] for key in self._keyed[object_] if key.startswith(f"{stream}:")}

    def one(self, object_: str, stream: str, record: str) -> Doc:
        """Return the record that carries this source key; there is one."""
        return self._keyed[object_][f"{stream}:{record}"]

    def parts(self, object_: str, stream: str, record: str) -> list[Doc]:
        """Return the records into which one was split, in their order."""
        found = {key: doc for key, doc in self._keyed[object_].items() if key.partition("#")[0] == f"{stream}:{record}"}
        return [found[key] for key in sorted(found, key=lambda key: int(key.partition("#")[2] or 0))]

    def person(self, patient: str) -> Doc:
        """Return the person a patient has become."""
        return self.one("person", "patients", patient)

    def type_name(self, activity: Doc) -> str:
        """Return the name of an activity's type."""
        return next(str(t["name"]) for t in self.state["activity_type"] if t["key_string"] == activity["type"])

    def user(self, emails: list[str]) -> int:
        """Return who owns what belongs to these: the first who is an active user, else the token's own."""
        active = {user["email"]: int(user["id"]) for user in self.state["user"] if user["active_flag"]}
        return active[self.known(emails) or "alex.admin@practice.example"]

    def known(self, emails: list[str]) -> str | None:
        """Return the first e-mail that an active user has."""
        active = {user["email"] for user in self.state["user"] if user["active_flag"]}
        return next((email.lower() for email in emails if email.lower() in active), None)


def _short(key: str) -> str:
    """Return a source key without the source's own id."""
    source, _, rest = key.partition(":")
    assert source == "dental", key
    return rest


def lines(text: str) -> list[str]:
    """Return the lines that a person reads in a note of the account, its marker left out."""
    body = re.sub(r"<p>flit-id: [^<]+</p>\s*\Z", "", text)
    return [html.unescape(line) for line in body.split("<br>")]


def utc(local: str, zone: str = PRACTICE_ZONE) -> datetime:
    """Return a local time of the export in UTC."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    """The demo as README has it, run to its end."""
    folder = tmp_path_factory.mktemp("demo")
    done = ended(
        [*FLIT, "run", "--source", "dental", "--dest", "pipedrive", "--demo", "--json"], cwd=folder, env=OUTSIDE
    )
    assert done.code == 0, done.err
    kept = folder / "flit-demo" / "dental-to-pipedrive"
    with Sandbox(str(kept / "pipedrive-sandbox.db"), plan="ultimate", seats=5) as sandbox:
        return Landed(sandbox.dump(), done, kept)


@pytest.fixture(scope="session")
def practice(landed: Landed) -> Practice:
    """The export that the demo has made."""
    return Practice(landed.folder / "example-practice")
