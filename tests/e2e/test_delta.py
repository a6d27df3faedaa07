"""A later export into an account that people work in: what they changed stays, is listed, and is decided on."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.conftest import FLIT, Ended, Site, ended

from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.hand import Hand

if TYPE_CHECKING:
    from collections.abc import Callable

THREE = Path(__file__).with_name("practice_of_three")
PHONE = {"value": "(312) 555-9999", "label": "work", "primary": True}


@pytest.fixture(scope="module")
def loaded_three(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The practice of three, migrated; copy it before using it."""
    site = Site(tmp_path_factory.mktemp("three"))
    shutil.copytree(THREE, site.export)
    done = site.run()
    assert done.code == 0, done.err
    return site


@pytest.fixture
def three(loaded_three: Site, tmp_path: Path) -> Site:
    return loaded_three.copy(tmp_path / "delta")


def change(site: Site, table: str, number: str, **values: str) -> None:
    """Change a row of the export, known by its first column."""
    path = site.export / table
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    next(row for row in rows if next(iter(row.values())) == number).update(values)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def by_hand(site: Site, work: Callable[[Hand, Callable[[str, str], Any]], None]) -> None:
    """Let an admin of the account do something; handed is what finds a record by a text that it holds."""
    with Sandbox(str(site.account), plan=site.plan, seats=site.seats, switches=Switches(burst=100_000)) as sandbox:
        hand = Hand(sandbox.account, next(iter(sandbox.account.members.values())))
        work(hand, lambda kind, text: next(d for d in sandbox.account.store.docs(kind) if text in json.dumps(d)))


def flit(site: Site, *words: str) -> Ended:
    return ended([*FLIT, *words, "--journal", str(site.journal)], cwd=site.folder, env=site.env())


def person(site: Site, name: str) -> Any:
    return next(doc for doc in site.state()["person"] if name in doc["name"])


@pytest.fixture
def torn(three: Site) -> Site:
    """Ada's phones were changed and an appointment deleted in the account, and both changed in a later export."""

    def work(hand: Hand, find: Callable[[str, str], Any]) -> None:
        hand.edit("person", find("person", "Ada Thornbury")["id"], {"phones": [PHONE]})
        hand.delete("activity", find("activity", "dental:appointments:12<")["id"])

    by_hand(three, work)
    change(three, "patient.csv", "1", WirelessPhone="(312) 555-0177", Email="ada.t@mail.example")
    change(three, "appointment.csv", "12", AptDateTime="2026-12-15 11:00:00")
    return three


def test_what_people_changed_stays_and_the_rest_is_written(torn: Site) -> None:
    done = torn.run()

    assert done.code == 1, done.err
    ada = person(torn, "Ada")
    assert [phone["value"] for phone in ada["phones"]] == [PHONE["value"]]
    assert [mail["value"] for mail in ada["emails"]] == ["ada.t@mail.example"]
    assert done.report["verified"]["mismatched"] == 0
    assert done.report["streams"]["patients"]["conflict"] == 1
    held = torn.state()

    again = torn.run()

    assert (again.code, again.writes) == (1, 0)
    assert torn.state() == held


def test_conflicts_are_listed_without_values_exported_and_decided_on(torn: Site) -> None:
    torn.run()

    listed = flit(torn, "conflicts")
    shown = flit(torn, "conflicts", "--show-values", "--json")
    exported = flit(torn, "conflicts", "--export", "decisions.csv")

    assert listed.code == exported.code == 1
    assert "patients:1  person.phones  open" in listed.out
    assert "555" not in listed.out
    values = {one["field"]: one["values"] for one in json.loads(shown.out) if "values" in one}
    assert "3125559999" in json.dumps(values["phones"]["account"])
    assert "3125550177" in json.dumps(values["phones"]["source"])
    decisions = torn.folder / "decisions.csv"
    text = decisions.read_text(encoding="utf-8")
    assert "555" not in text
    lines = text.replace("\r", "").splitlines()
    edited = [line.replace(",", "overwrite,", 1) if line.startswith(",patients") else line.replace(",", "keep,", 1)
              if line.startswith(",") else line for line in lines]  # fmt: skip
    decisions.write_text("\n".join(edited) + "\n", encoding="utf-8")

    asked = torn.run("--set", f"decisions={decisions}", approve=False)
    done = torn.run("--set", f"decisions={decisions}")

    assert asked.code == 3
    assert "written over" in asked.err
    assert done.code == 0, done.err
    assert next(phone["value"] for phone in person(torn, "Ada")["phones"]) == "(312) 555-0177"
    assert done.writes == 1


def test_a_deal_that_somebody_archived_is_left_alone_until_it_comes_back(three: Site) -> None:
    (deal,) = (doc for doc in three.state()["deal"] if not doc["is_archived"])
    by_hand(three, lambda hand, find: hand.edit("deal", deal["id"], {"is_archived": True}))
    change(three, "procedurelog.csv", "22", ProcFee="1200.00")

    done, again = three.run(), three.run()

    assert (done.code, again.code, again.writes) == (1, 1, 0), done.err
    assert done.report["objects"]["deal"]["conflicts"] == 1
    assert "  deal  open" in flit(three, "conflicts").out
    by_hand(three, lambda hand, find: hand.edit("deal", deal["id"], {"is_archived": False}))
    back = three.run()
    assert back.code == 0, back.err
    assert [doc["value"] for doc in three.state()["deal"]] == [1200]


def test_a_prospect_who_becomes_a_patient_keeps_the_lead_archived(tmp_path: Path) -> None:
    site = Site(tmp_path / "prospect")
    shutil.copytree(THREE, site.export)
    change(site, "patient.csv", "3", PatStatus="6")
    assert site.run().code == 0
    (lead,) = site.state()["lead"]
    assert not lead["is_archived"]
    change(site, "patient.csv", "3", PatStatus="0")

    done, again = site.run(), site.run()

    assert done.code == 0, done.err
    (kept,) = site.state()["lead"]
    assert (kept["id"], kept["is_archived"]) == (lead["id"], True)
    assert len(site.state()["person"]) == 3
    assert (again.code, again.writes) == (0, 0)


def test_a_watch_takes_up_a_later_export_and_ends_with_a_validation(three: Site) -> None:
    drop = three.folder / "drop"
    shutil.copytree(three.export, drop / "later")
    moved = Site(drop, settings=three.settings)
    (drop / "later").rename(moved.export)
    change(moved, "patient.csv", "1", Email="ada.t@mail.example")
    moved.export.rename(drop / "later")
    sets = [part for setting in three.settings for part in ("--set", setting)]
    command = ["run", "--source", "dental", "--dest", "pipedrive", "--watch", str(drop), "--until", "13s", *sets]

    done = flit(three, *command, "--approve-unseen", "test", "--json")

    assert done.code == 0, done.err
    assert done.report["picked_up"] == [{"export": "later", "status": "done", "message": ""}]
    assert done.report["objects"]["person"]["updated"] == 1
    assert done.report["final"]["status"] == "verified"
