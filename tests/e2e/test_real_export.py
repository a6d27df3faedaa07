"""The Open Dental export of 1,000 invented patients, migrated whole, where FLITSTACK_EXPORTS says it is at hand.

One test does it all: loading takes most of the time, and workers side by side would each load the export again.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.conftest import Ended, Site

from flitstack.journal import BUCKETS

if TYPE_CHECKING:
    from tests.e2e.conftest import Serve

EXPORT = Path(os.environ.get("FLITSTACK_EXPORTS") or "nowhere", "opendental-1k")
TABLES = sorted(path.name for path in EXPORT.glob("*.csv"))
pytestmark = pytest.mark.skipif(not TABLES, reason="FLITSTACK_EXPORTS does not name a folder of exports")

LONG = pytest.mark.skipif(os.environ.get("FLITSTACK_LONG") != "1", reason="takes minutes; FLITSTACK_LONG=1 runs it")

NUMBER = re.compile(rb"(?=(\d{3}-\d{2}-\d{4}))")

ONE_TABLE_ONE_STREAM = {
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
    "referral": "referral_sources",
}


def _rows(table: str) -> list[dict[str, str]]:
    with (EXPORT / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> tuple[Site, Ended]:
    """The export in an account of its own, and what the run said; copy the site before running it again."""
    site = Site(tmp_path_factory.mktemp("real"))
    shutil.copytree(EXPORT, site.export)
    with serve(site.account) as served:
        done = served.site(site.folder).run()
    return site, done


def test_the_export_is_migrated_whole_read_back_and_the_same_again_writes_nothing(
    migrated: tuple[Site, Ended], tmp_path: Path
) -> None:
    site, done = migrated

    _assert_read_back(done)
    _assert_each_row_is_in_one_bucket(done)
    _assert_each_patient_and_appointment_is_there_once(site)
    _assert_no_secret_number_is_anywhere(site, done)
    _assert_nothing_new(site.copy(tmp_path / "again"))


@LONG
@pytest.mark.parametrize("table", TABLES)
def test_without_one_of_the_tables_nothing_is_written(migrated: tuple[Site, Ended], tmp_path: Path, table: str) -> None:
    site = migrated[0].copy(tmp_path / "again")
    (site.export / table).unlink()

    _assert_nothing_new(site)
    shutil.rmtree(site.folder)


def _assert_read_back(done: Ended) -> None:
    assert done.code == 0, done.err
    assert done.report["status"] == "done"
    assert done.report["verified"]["mismatched"] == 0
    assert done.report["verified"]["checked"] > 12_000
    assert done.report["verified"]["fields"] > 100_000


def _assert_each_row_is_in_one_bucket(done: Ended) -> None:
    streams = done.report["streams"]

    for name, counts in streams.items():
        assert sum(counts[bucket] for bucket in BUCKETS) == counts["read"], name
        assert counts["pending"] == counts["in_doubt"] == counts["conflict"] == 0, name
    for table, name in ONE_TABLE_ONE_STREAM.items():
        assert streams[name]["read"] == len(_rows(table)), table


def _assert_each_patient_and_appointment_is_there_once(site: Site) -> None:
    state = site.state()

    keys = sorted(str(doc["by_name"]["Source_System_ID__c"]) for doc in state["person"])
    assert keys == sorted(f"dental:patients:{row['PatNum']}" for row in _rows("patient"))
    visits = sorted(doc["note"].rpartition("flit-id: ")[2].removesuffix("</p>") for doc in state["activity"])
    own = {f"dental:appointments:{row['AptNum']}" for row in _rows("appointment")}
    assert [key for key in visits if key in own] == sorted(own)


def _assert_no_secret_number_is_anywhere(site: Site, done: Ended) -> None:
    secrets = {row["SSN"] for row in _rows("patient")} | {row["NationalProvID"] for row in _rows("provider")}
    searched = {value.encode() for value in secrets if value not in {"", "NULL"}}

    places = {path.name: path.read_bytes() for path in site.folder.iterdir() if path.is_file()}
    places |= {"stdout": done.out.encode(), "stderr": done.err.encode()}

    assert len(searched) > 900
    tables = b"".join((EXPORT / f"{table}.csv").read_bytes() for table in ("patient", "provider"))
    assert searched <= _numbers(tables), "what is searched for can be found"
    assert {"flit.db", "account.db"} <= places.keys()
    assert not [name for name, content in places.items() if not searched.isdisjoint(_numbers(content))]


def _numbers(content: bytes) -> set[bytes]:
    """Return all that has the shape of the numbers searched for, wherever it begins, within longer numbers too."""
    return {found[1] for found in NUMBER.finditer(content)}


def _assert_nothing_new(site: Site) -> None:
    done = site.run()

    assert done.code == 0, done.err
    assert done.writes == 0, {name: count for name, count in done.report["objects"].items() if count["updated"]}
    assert done.report["verified"]["mismatched"] == 0
