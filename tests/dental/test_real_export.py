"""The Open Dental export of 1,000 invented patients, where FLITSTACK_EXPORTS says that it is at hand."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import pytest

from flitstack.protocols import Record
from flitstack_dental.reader import open_export

EXPORTS = os.environ.get("FLITSTACK_EXPORTS")
pytestmark = pytest.mark.skipif(not EXPORTS, reason="FLITSTACK_EXPORTS does not name a folder of exports")

ONE_FILE_ONE_STREAM = {
    "appointment": "appointments",
    "carrier": "insurance_carriers",
    "commlog": "communications",
    "document": "documents",
    "insplan": "insurance_plans",
    "inssub": "insurance_subscriptions",
    "patient": "patients",
    "patplan": "patient_insurance",
    "recall": "recalls",
    "refattach": "patient_referrals",
}


def test_every_row_is_accounted_for_and_no_secret_is_in_any_record() -> None:
    folder = Path(EXPORTS or "", "opendental-1k")
    written = {path.stem: _rows(path) for path in folder.glob("*.csv")}
    secrets = {row["SSN"] for row in written["patient"]} | {row["NationalProvID"] for row in written["provider"]}
    reader = open_export(str(folder), {})

    counts: dict[str, int] = {}
    for stream in reader.streams():
        counts[stream.name] = 0
        for item in reader.read(stream.name):
            counts[stream.name] += 1
            if isinstance(item, Record):
                text = repr(item.data)
                assert not re.search(r"(?<![\d\-])\d{3}-\d{2}-\d{4}(?![\d\-])", text), item.where
                assert not secrets & set(item.data.values())

    for name, stream_name in ONE_FILE_ONE_STREAM.items():
        assert counts[stream_name] == len(written[name]), name
    assert counts["procedures"] + counts["treatment_plan_items"] == len(written["procedurelog"])
    assert counts["ledger"] == len(written["payment"]) + len(written["adjustment"])
    assert {file.name.removesuffix(".csv"): file.rows for file in reader.inventory() if file.rows is not None} == {
        name: len(rows)
        for name, rows in written.items()
        if name not in {"employer", "operatory", "patientlink", "zipcode"}
    }
    reader.close()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
