"""A dental export in a folder, moved into an account in memory by a small map, run after run."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import TYPE_CHECKING

import pytest

import flitstack_dental
from flitstack.journal import Journal
from flitstack.protocols import source_key
from flitstack.registry import load_plugins
from flitstack.stages.options import RunOptions
from flitstack.stages.rejects.export import export_rejected
from flitstack.stages.rejects.retry import Retried, take_corrections
from flitstack.stages.rejects.sheets import LEADING
from flitstack.stages.run import run_migration
from flitstack.testing.memory import memory_destination
from flitstack.testing.memory_source import MemoryExport, memory_source
from flitstack.testing.migration import UNSEEN, MemoryPlugin, Migration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flitstack.stages.report import RunReport

AT = "2026-07-02T09:00:00.000+00:00"
TEMPLATE = """\
template: dental-to-memory
source: dental
destination: memory
variables:
  type: object
  required: [profile]
  additionalProperties: false
  properties:
    profile: {type: string, enum: [full], description: What moves.}
gates:
  profile: {variable: profile, shows: {full: Moves patients and their visits.}}
---
spec: 1
template: dental-to-memory
time_zone: UTC
schema:
  - {object: field, of: contact, name: Source_Key__c, type: text, key: true, priority: 0}
  - {object: type, name: check}
entries:
  - entry: patients
    object: contact
    from: patients
    as: patient
    reject:
      missing_name: {when: patient.last_name is none, reason: No name., hint: Give one., field: last_name}
    fields: {name: patient.last_name, phone: patient.first_name}
  - entry: visits
    object: visit
    from: appointments
    as: visit
    links:
      contact: {object: contact, stream: patients, id: visit.patient_id, required: true}
      type: {object: type, name: "'check'", required: true}
    fields: {note: visit.note}
"""

PATIENTS = """\
id,last_name,first_name,status,birth_date,ssn
1,Aldous,Ann,patient,1980-02-03,666-12-3456
2,Bell,=1+1,patient,1980-02-31,666-12-3457
3,,Cy,patient,1980-02-04,666-12-3458
"""
VISITS = """\
id,patient_id,status,starts_at,note
A1,1,complete,2026-01-02 09:00,well
A2,9,complete,2026-01-03 09:00,"two
lines, and a comma"
A3,1,complete,2026-01-04 09:00,a,comma too many
"""


class Practice:
    """A migration of a dental export."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.export = folder / "export"
        self.export.mkdir()
        self.site = Migration(folder, template=TEMPLATE)
        self.account, self.journal = self.site.account, self.site.journal
        memory = MemoryPlugin(memory_source(MemoryExport()), memory_destination(self.account, self.site.behaviours))
        self._registry = load_plugins((), {"dental": flitstack_dental, "memory": memory})
        self.write(patients=PATIENTS, appointments=VISITS)

    def write(self, **files: str) -> None:
        """Write files of the export."""
        for name, text in files.items():
            (self.export / f"{name}.csv").write_text(text, encoding="utf-8", newline="")

    def run(self) -> RunReport:
        """Run once, with every gate passed unseen."""
        sets = ("profile=full", "source.as_of=2026-06-30")
        options = RunOptions(
            "dental", "memory", self.journal, str(self.export), str(self.folder / "memory.yaml.j2"), sets, UNSEEN
        )
        walk = run_migration(options, self.site.words, self.site.stop, registry=self._registry, clock=self.site.clock)
        return asyncio.run(walk)

    def sheets(self) -> Path:
        """Export the rejected rows anew; return the folder."""
        with Journal.existing(self.journal) as journal:
            export_rejected(journal, self.folder / "rejected", overwrite=True)
        return self.folder / "rejected"

    def retry(self, place: Path) -> Retried:
        """Take sheets back."""
        with Journal.existing(self.journal) as journal:
            return take_corrections(journal, place, AT, "Dana Cho")

    def edit(self, name: str, change: Callable[[dict[str, str]], dict[str, str] | None], delimiter: str = ",") -> None:
        """Save a sheet as a spreadsheet would: `change` returns a row's cells by column, None to remove the row."""
        sheet, ahead = self.folder / "rejected" / name, len(LEADING)
        header, *rows = csv.reader(io.StringIO(sheet.read_bytes().decode("utf-8-sig"), newline=""))
        saved = [header]
        for row in rows:
            own = change(dict(zip(header[ahead:], row[ahead:], strict=True)))
            if own is not None:
                saved.append([*row[:ahead], *own.values()])
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter).writerows(saved)
        sheet.write_text(text.getvalue(), encoding="utf-8", newline="")

    def rejected(self) -> dict[str, str]:
        """Return key to code of what is rejected."""
        with Journal.existing(self.journal) as journal:
            return {source_key("dental", r.stream, r.id): r.code for r in journal.corrections.rejected()}

    def names(self) -> set[str]:
        """Return the names that the account holds."""
        return {str(each.fields["name"]) for each in self.account.of("contact")}


@pytest.fixture
def practice(tmp_path: Path) -> Practice:
    """A practice whose export was moved once, with what cannot move rejected."""
    made = Practice(tmp_path)
    made.run()
    return made
