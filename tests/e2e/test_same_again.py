"""The same command again writes nothing, a change writes just that, and a stopped run is carried on exactly once."""

from __future__ import annotations

import csv
import io
import shutil
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.conftest import Served, Site, keys_of

from flitstack_pipedrive.sandbox.faults import Fault, FaultRule

if TYPE_CHECKING:
    from collections import Counter

    from tests.e2e.conftest import Serve

STREAMS = sorted(path.name.removesuffix(".json") for path in (files("flitstack_dental") / "streams").iterdir())
MADE_OF_THE_MANIFEST = "practice"
MANIFEST = "export_manifest.json"
FILES = (
    *(f"{stream}.csv" for stream in STREAMS if stream != MADE_OF_THE_MANIFEST),
    "files",
    "defects.ledger.json",
    MANIFEST,
)

THREE = Path(__file__).with_name("practice_of_three")
"""A practice of three patients in Open Dental's tables and columns; invented."""


@pytest.fixture(scope="module")
def loaded_tables(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The practice of three, migrated; copy it before running it again."""
    site = Site(tmp_path_factory.mktemp("tables"))
    shutil.copytree(THREE, site.export)
    done = site.run()
    assert done.code == 0, done.err
    assert done.writes > 40
    return site


def _assert_nothing_new(site: Site, *more: str) -> None:
    """Run again: exit 0, no write by the run's own account, and the destination as it was to the letter."""
    before = site.state()

    done = site.run(*more)

    assert done.code == 0, done.err
    assert done.writes == 0, {name: count for name, count in done.report["objects"].items() if count["updated"]}
    assert done.report["verified"]["mismatched"] == 0
    assert site.state() == before


def test_the_same_command_again_writes_nothing(loaded: Site, tmp_path: Path) -> None:
    _assert_nothing_new(loaded.copy(tmp_path / "again"))


def test_a_month_later_the_same_command_writes_nothing(loaded: Site, tmp_path: Path) -> None:
    site = loaded.copy(tmp_path / "again")
    later = datetime.now(UTC) + timedelta(days=31)

    _assert_nothing_new(replace(site, environment={"FLITSTACK_NOW": later.isoformat()}))


def test_a_practice_of_open_dental_is_migrated_and_again_writes_nothing(loaded_tables: Site, tmp_path: Path) -> None:
    names = {doc["name"] for doc in loaded_tables.state()["person"]}
    assert {"Ada Thornbury", "Abel Thornbury", "Bess Yarrow"} == names
    _assert_nothing_new(loaded_tables.copy(tmp_path / "again"))


@pytest.mark.parametrize("name", FILES)
def test_without_one_of_the_files_nothing_is_written(loaded: Site, tmp_path: Path, name: str) -> None:
    site = loaded.copy(tmp_path / "again")
    gone = site.export / name
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()

    _assert_nothing_new(site)


def test_every_file_of_the_export_was_missing_once(export: Path) -> None:
    assert {path.name for path in export.iterdir()} == set(FILES)


@pytest.mark.parametrize("table", sorted(path.name for path in THREE.iterdir()))
def test_without_one_of_the_tables_nothing_is_written(loaded_tables: Site, tmp_path: Path, table: str) -> None:
    site = loaded_tables.copy(tmp_path / "again")
    (site.export / table).unlink()

    _assert_nothing_new(site)


def test_a_phone_that_changed_is_exactly_one_write(loaded: Site, tmp_path: Path) -> None:
    site = loaded.copy(tmp_path / "again")
    before = {doc["id"]: doc for doc in site.state()["person"]}
    path = site.export / "contact_points.csv"
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))
    first = next(row for row in rows if row[2] == "mobile" and row[6] == "1")
    first[3] = "(608) 555-0199"
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    path.write_text(out.getvalue(), "utf-8")

    done = site.run()

    assert done.code == 0, done.err
    assert done.writes == 1
    assert done.report["objects"]["person"]["updated"] == 1
    changed = [doc for doc in site.state()["person"] if doc != before[doc["id"]]]
    (person,) = changed
    assert person["by_name"]["Source_System_ID__c"] == f"dental:patients:{first[1]}"
    assert person["phones"][0]["value"] == "(608) 555-0199"
    differing = {name for name in person if person[name] != before[person["id"]][name]}
    assert differing == {"phones", "update_time"}


@pytest.fixture(scope="module")
def wanted(loaded: Site) -> Counter[tuple[str, str]]:
    """What the account holds when nobody stops the run."""
    return keys_of(loaded.state())


@pytest.mark.parametrize(
    ("share", "asked"), [(0.1, signal.SIGINT), (0.4, signal.SIGTERM), (0.6, signal.SIGHUP), (0.8, signal.SIGINT)]
)
def test_a_run_that_was_interrupted_is_carried_on_without_duplicate_or_gap(
    site: Site, serve: Serve, wanted: Counter[tuple[str, str]], share: float, asked: signal.Signals
) -> None:
    with serve(site.folder / "account.db") as served:
        code, out = _stop_at(served, site, int(share * wanted.total()), asked)

        assert code == 130
        assert '"status": "interrupted"' in out
        _assert_finished_once(served, site, wanted)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.6, 0.8])
def test_a_run_that_was_killed_is_carried_on_without_duplicate_or_gap(
    site: Site, serve: Serve, wanted: Counter[tuple[str, str]], share: float
) -> None:
    with serve(site.folder / "account.db") as served:
        code, out = _stop_at(served, site, int(share * wanted.total()), signal.SIGKILL)

        assert (code, out) == (-signal.SIGKILL, "")
        _assert_finished_once(served, site, wanted)


def _stop_at(served: Served, site: Site, records: int, number: signal.Signals) -> tuple[int, str]:
    """Start the run, send the signal once the account holds so many records, and return how it ended."""
    served.sandbox.set_faults([FaultRule(Fault("latency", 0.04), method="POST")])
    running = served.site(site.folder).start()
    deadline = time.monotonic() + 60
    while keys_of(served.sandbox.dump()).total() < records and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(number)
    out, _ = running.communicate(timeout=60)
    served.sandbox.set_faults([])
    return running.returncode, out


def _assert_finished_once(served: Served, site: Site, wanted: Counter[tuple[str, str]]) -> None:
    held = keys_of(served.sandbox.dump())
    assert held.total() < wanted.total(), "the signal came in the middle"

    done = served.site(site.folder).run()

    assert done.code == 0, done.err
    found = keys_of(served.sandbox.dump())
    assert found - wanted == {}
    assert wanted - found == {}
