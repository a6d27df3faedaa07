"""The Open Dental export of 1,000 invented patients, migrated whole, where FLITSTACK_EXPORTS says it is at hand."""

from __future__ import annotations

import csv
import os
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


def test_everything_is_written_and_read_back_without_a_difference(migrated: tuple[Site, Ended]) -> None:
    _, done = migrated

    assert done.code == 0, done.err
    assert done.report["status"] == "done"
    assert done.report["verified"]["mismatched"] == 0
    assert done.report["verified"]["checked"] > 12_000
    assert done.report["verified"]["fields"] > 100_000


def test_the_buckets_of_every_stream_add_up_to_what_was_read_to_the_row(migrated: tuple[Site, Ended]) -> None:
    streams = migrated[1].report["streams"]

    for name, counts in streams.items():
        assert sum(counts[bucket] for bucket in BUCKETS) == counts["read"], name
        assert counts["pending"] == counts["in_doubt"] == counts["conflict"] == 0, name
    for table, name in ONE_TABLE_ONE_STREAM.items():
        assert streams[name]["read"] == len(_rows(table)), table


def test_each_patient_and_appointment_is_there_once(migrated: tuple[Site, Ended]) -> None:
    state = migrated[0].state()

    keys = sorted(str(doc["by_name"]["Source_System_ID__c"]) for doc in state["person"])
    assert keys == sorted(f"dental:patients:{row['PatNum']}" for row in _rows("patient"))
    visits = sorted(doc["note"].rpartition("flit-id: ")[2].removesuffix("</p>") for doc in state["activity"])
    own = {f"dental:appointments:{row['AptNum']}" for row in _rows("appointment")}
    assert [key for key in visits if key in own] == sorted(own)


def test_no_social_security_number_of_the_export_is_anywhere(migrated: tuple[Site, Ended]) -> None:
    site, done = migrated
    secrets = {row["SSN"] for row in _rows("patient")} | {row["NationalProvID"] for row in _rows("provider")}
    searched = {value.encode() for value in secrets if value not in {"", "NULL"}}

    places = {path.name: path.read_bytes() for path in site.folder.iterdir() if path.is_file()}
    places |= {"stdout": done.out.encode(), "stderr": done.err.encode()}

    assert len(searched) > 900
    assert {"flit.db", "account.db"} <= places.keys()
    assert not [name for name, content in places.items() if any(secret in content for secret in searched)]


def test_the_same_command_again_writes_nothing(migrated: tuple[Site, Ended], tmp_path: Path) -> None:
    _assert_nothing_new(migrated[0].copy(tmp_path / "again"))


@pytest.mark.parametrize("table", TABLES)
def test_without_one_of_the_tables_nothing_is_written(migrated: tuple[Site, Ended], tmp_path: Path, table: str) -> None:
    site = migrated[0].copy(tmp_path / "again")
    (site.export / table).unlink()

    _assert_nothing_new(site)
    shutil.rmtree(site.folder)


def _assert_nothing_new(site: Site) -> None:
    done = site.run()

    assert done.code == 0, done.err
    assert done.writes == 0, {name: count for name, count in done.report["objects"].items() if count["updated"]}
    assert done.report["verified"]["mismatched"] == 0
