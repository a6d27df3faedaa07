"""The example practice: an invented export in the neutral layout, the same bytes for the same number and seed.

Ratios, status mixes, heavy tails and defect rates follow figures published about real practices; every defect planted
is foretold in `defects.ledger.json` beside the files. People, places and wording are invented.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

from flitstack.errors import UsageError
from flitstack_dental.example.accounts import write_insurance, write_money
from flitstack_dental.example.chart import write_chart
from flitstack_dental.example.export import DIALECTS, PLAIN, SECRET_COLUMNS, Export, stream_columns
from flitstack_dental.example.papers import OWN_FILES, write_pool
from flitstack_dental.example.people import (
    Case,
    families,
    mailing_address,
    patient_row,
    patient_shape,
    person_of,
    write_contacts,
    write_ties,
)
from flitstack_dental.example.practice import AS_OF, PRACTICE_NAME, SMALL, TIME_ZONE, practice_of, write_practice
from flitstack_dental.example.visits import planned_visits, write_recalls, write_visits

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack_dental.example.defects import Fields, RowDefect
    from flitstack_dental.example.people import Family
    from flitstack_dental.example.practice import Practice
    from flitstack_dental.example.visits import Visit

__all__ = ["SMALL", "write_example"]


def write_example(out: Path, patients: int, seed: int) -> None:
    """Write the example practice under `out`: a CSV file per stream, documents, a manifest and the defects' ledger.

    Memory stays the same however many patients; with few of them the heavy streams are thinned.

    :param out: a folder; made when it is absent, files of an earlier example in it are written over.
    :raises UsageError: fewer than one patient, or the folder holds something else or cannot be written.
    """
    if patients < 1:
        raise UsageError("The example needs at least one patient: give --patients a number from 1.")
    practice = practice_of(patients, seed)
    try:
        out.mkdir(parents=True, exist_ok=True)
        _refuse_others_files(out)
        _write_manifest(out, patients)
        with Export(out) as export:
            _write_all(export, practice)
    except OSError as exc:
        raise UsageError(
            f"{out}: the example cannot be written there ({exc.strerror}). Choose another folder."
        ) from exc


def _refuse_others_files(out: Path) -> None:
    """Refuse a folder that holds something and no earlier example: its files might be a practice's own."""
    if any(out.iterdir()) and not (out / "defects.ledger.json").is_file():
        raise UsageError(f"{out}: not empty, and no earlier example is in it. Choose another folder.")


def _write_manifest(out: Path, patients: int) -> None:
    formats = {stream: DIALECTS.get(stream, PLAIN).date_format for stream in stream_columns()}
    manifest = {
        "practice": PRACTICE_NAME,
        "as_of": AS_OF.isoformat(),
        "time_zone": TIME_ZONE,
        "patients": patients,
        "date_formats": formats,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (out / "export_manifest.json").write_text(text, encoding="utf-8", newline="\n")


def _write_all(export: Export, practice: Practice) -> None:
    write_practice(export, practice, random.Random(f"{practice.seed}:practice"))  # noqa: S311 - repeatable test data
    for column in SECRET_COLUMNS["patients"]:
        export.note_secret_column("patients", column)
    if practice.patients > OWN_FILES:
        write_pool(export.out)
    for family in families(practice):
        row = {"id": family.id, "guarantor_id": family.guarantor, "name": f"{family.last_name} household"}
        export.emit("families", row)
        for number in range(family.first, family.first + family.size):
            _write_patient(export, practice, family, number)
            if number == (practice.patients + 1) // 2:
                export.repeat_header("ledger")
    export.write_totals("account_balances", {"id": "Total", "balance": "12,345.67", "outstanding": "23,456.78"})


def _write_patient(export: Export, practice: Practice, family: Family, number: int) -> None:
    rng = random.Random(f"{practice.seed}:{number}")  # noqa: S311 - repeatable test data
    case = Case(person_of(family, number, practice, rng), rng, export, practice)
    visits = planned_visits(case)
    kept = [visit.starts_at.date() for visit in visits if visit.status == "completed" and visit.starts_at is not None]
    first, last = (kept[0], kept[-1]) if kept else (None, None)
    row = patient_row(case, first, last)
    shape = patient_shape(case.person, row["guarantor_id"])
    defect = export.emit("patients", row, rng if case.person.ordinary else None, shape)
    if defect is not None:
        _write_lost(case, visits, defect)
        return
    write_contacts(case)
    write_insurance(case)
    write_ties(case)
    write_money(case, last)
    completed = write_visits(case, visits)
    write_recalls(case, visits)
    write_chart(case, completed)


def _write_lost(case: Case, visits: list[Visit], defect: RowDefect) -> None:
    """Write the little that hangs on a patient whose own row cannot move, so that its fate shows."""
    owner = {"patient_id": case.person.id}
    address = {"id": case.export.next_id("addresses", "A"), **owner, **mailing_address(case.person)}
    case.export.emit_lost("addresses", address, defect)
    for visit in visits[:1]:
        if visit.starts_at is not None:
            appointment: Fields = {"starts_at": visit.starts_at, "status": "completed", "original_status": "Complete"}
            row: Fields = {"id": case.export.next_id("appointments", "AP"), **owner, **appointment}
            case.export.emit_lost("appointments", row, defect)
