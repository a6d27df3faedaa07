"""A migration into an account that people work in, taken back: it holds what it would had only they worked there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from tests.e2e.test_existing import seed, write_export

from flitstack.journal import Journal
from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.hand import Hand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MakeSite: TypeAlias = "Callable[..., Any]"


def open_account(site: Any) -> Sandbox:
    """Return the site's account, opened."""
    return Sandbox(str(site.account), plan=site.plan, seats=site.seats, switches=Switches(burst=100_000))


def hand_of(sandbox: Sandbox) -> Hand:
    """Return the hand of an admin."""
    return Hand(sandbox.account, next(iter(sandbox.account.members.values())))


def work_before(sandbox: Sandbox) -> None:
    """What people at the practice do with their own records at any time, migration or not."""
    hand = hand_of(sandbox)
    people = sandbox.account.store.docs("person")
    hand.edit("person", people[0]["id"], {"name": "Ava Stone-Miller"})
    hand.edit("person", people[40]["id"], {"phones": [{"value": "(312) 555-7777", "label": "work", "primary": True}]})
    hand.add("note", {"content": "Called back.", "person_id": people[1]["id"]})
    hand.add("activity", {"subject": "Lunch", "participants": [{"person_id": people[50]["id"], "primary": True}]})
    hand.add("person", {"name": "Wendy Walk-In"})
    hand.delete("person", people[60]["id"])


def put_stages_in(sandbox: Sandbox) -> None:
    """Put into the newest pipeline what some accounts do when they make one: stages of their own."""
    store, hand = sandbox.account.store, hand_of(sandbox)
    pipeline = store.docs("pipeline")[-1]
    for name in ("Qualified", "Contact made"):
        id = hand.do("POST", "/api/v2/stages", {"name": name, "pipeline_id": pipeline["id"]})["id"]
        row = store.find("stage", [("id = ?", (id,))])
        assert row is not None
        row.doc |= {"add_time": pipeline["add_time"], "update_time": None}
        with store.transaction():
            store.put("stage", row)


def later_export(site: Any) -> None:
    """Let the practice's own system move on: somebody has another e-mail address."""
    file = site.export / "contact_points.csv"
    file.write_text(file.read_text("utf-8").replace("person211@mail.example", "other211@mail.example"), "utf-8")


def undo(site: Any, *more: str, agree: bool = True) -> Any:
    """Take the site's migration back."""
    from tests.e2e.conftest import FLIT, ended

    sets = [part for setting in site.settings if setting.startswith("dest.") for part in ("--set", setting)]
    approval = ("--approve-unseen", "test") if agree else ()
    command = [*FLIT, "rollback", "--json", "--journal", str(site.journal), *sets, *approval, *more]
    return ended(command, cwd=site.folder, env=site.env())


@pytest.fixture
def sites(tmp_path: Path, make_site: MakeSite) -> tuple[Any, Any]:
    """Two accounts of the same 200 people: one that a migration goes into, and one in which people alone work."""
    found = []
    for name in ("migrated", "left_alone"):
        site = make_site(tmp_path / name)
        site.folder.mkdir()
        with open_account(site) as sandbox:
            seed(sandbox)
        found.append(site)
    write_export(found[0].export)
    return found[0], found[1]


def fingerprints(*sites: Any) -> list[dict[str, list[Any]]]:
    """Return what the accounts hold, without numbers and times."""
    states = []
    for site in sites:
        with open_account(site) as sandbox:
            states.append(sandbox.canonical())
    return states


def test_the_account_is_as_if_only_people_had_worked_in_it(sites: tuple[Any, Any]) -> None:
    migrated, left_alone = sites
    done = migrated.run()
    assert done.code == 0, done.err
    with open_account(migrated) as sandbox:
        put_stages_in(sandbox)
    for site in sites:
        with open_account(site) as sandbox:
            work_before(sandbox)
    later_export(migrated)
    delta = migrated.run()
    assert delta.code == 0, delta.err
    assert delta.report["objects"]["person"]["updated"] == 1

    shown = undo(migrated, "--dry-run", agree=False)
    ended = undo(migrated)

    assert shown.code == 0, shown.err
    assert shown.report["objects"]["person"] == {"deleted": 6, "restored": 30, "gone": 0, "kept": 0}
    assert ended.code == 0, ended.err
    assert ended.report["conflicts"] == []
    assert ended.report["verified"]["expected"] == ended.report["verified"]["found"]
    found, wanted = fingerprints(migrated, left_alone)
    assert found == wanted
    assert (migrated.folder / ended.report["reports"]["html"]).exists()


def test_taking_back_twice_writes_nothing_and_a_run_begins_anew(sites: tuple[Any, Any]) -> None:
    migrated, left_alone = sites
    assert migrated.run().code == 0
    assert undo(migrated).code == 0
    held = migrated.state()

    again = undo(migrated, agree=False)
    asked = migrated.run(approve=False)

    assert again.code == 0, again.err
    assert migrated.state() == held
    assert asked.code == 3
    assert "== existing ==" in asked.err
    assert migrated.run().code == 0
    assert undo(migrated).code == 0
    found, wanted = fingerprints(migrated, left_alone)
    assert found == wanted


def test_nothing_goes_unless_somebody_agrees(sites: tuple[Any, Any]) -> None:
    migrated, _ = sites
    assert migrated.run().code == 0
    held = migrated.state()

    ended = undo(migrated, agree=False)

    assert ended.code == 3
    assert "delete 6 person" in ended.err
    assert "put back 30 person" in ended.err
    assert "What no undo takes back" in ended.err
    assert migrated.state() == held


def test_what_people_made_of_our_records_stays_and_is_listed_without_a_value(sites: tuple[Any, Any]) -> None:
    migrated, _ = sites
    assert migrated.run().code == 0
    with open_account(migrated) as sandbox:
        hand, ours = hand_of(sandbox), [d for d in sandbox.account.store.docs("person")][-6:]
        hand.edit("person", ours[0]["id"], {"phones": [{"value": "(773) 555-0000", "label": "home", "primary": True}]})
        hand.add("note", {"content": "Secretly afraid of needles.", "person_id": ours[1]["id"]})
        hand.add("deal", {"title": "Whitening", "person_id": ours[2]["id"]})
        adopted = next(d for d in sandbox.dump()["person"] if d["by_name"].get("Date_Of_Birth__c"))
        hand.edit("person", adopted["id"], {"fields": {"Date_Of_Birth__c": "1999-09-09"}})

    ended = undo(migrated)

    listed = {(c["key"], c["field"], c["code"]) for c in ended.report["conflicts"] if c["object"] == "person"}
    assert ended.code == 1, ended.err
    assert {code for _, _, code in listed} == {"changed", "something_hangs_on_it"}
    assert {field for _, field, _ in listed} == {"phones", "Date_Of_Birth__c", ""}
    assert len([d for d in migrated.state()["person"]]) == 200 + 3
    assert "needles" not in ended.out + ended.err
    assert "1999-09-09" not in ended.out + ended.err
    with Journal.existing(migrated.journal) as journal:
        assert journal.conflicts.counts("undo")["person"] == 4
        assert journal.audit.broken_at() is None


def test_one_run_of_two_is_taken_back(sites: tuple[Any, Any]) -> None:
    migrated, _ = sites
    assert migrated.run().code == 0
    (before,) = fingerprints(migrated)
    later_export(migrated)
    second = migrated.run()
    assert second.writes == 1, second.err

    ended = undo(migrated, "--run", second.report["run_id"])

    assert ended.code == 0, ended.err
    assert ended.report["objects"]["person"]["restored"] == 1
    (after,) = fingerprints(migrated)
    assert after == before


def test_keys_come_from_a_file(sites: tuple[Any, Any]) -> None:
    migrated, _ = sites
    assert migrated.run().code == 0
    (migrated.folder / "keys.txt").write_text("# two of ours\npatients:P030\ndental:patients:P031\n", "utf-8")

    ended = undo(migrated, "--keys", "keys.txt")

    assert ended.code == 0, ended.err
    assert ended.report["objects"] == {"person": {"deleted": 2, "restored": 0, "gone": 0, "kept": 0}}
    assert undo(migrated, "--keys", "nobody:1").code == 2


def test_an_empty_address_that_could_not_be_emptied_again_is_not_filled(tmp_path: Path, make_site: MakeSite) -> None:
    """Pipedrive has no way to empty an organization's address."""
    from flitstack_pipedrive.behaviours import behaviours

    assert "address" in behaviours().objects["organization"].cannot_clear
    assert "phones" not in behaviours().objects["person"].cannot_clear


def test_a_rebuilt_journal_deletes_no_person_of_whom_it_does_not_know_who_created_them(sites: tuple[Any, Any]) -> None:
    migrated, _ = sites
    assert migrated.run().code == 0
    for path in migrated.folder.glob("flit.db*"):
        path.unlink()
    assert migrated.run().code == 0

    ended = undo(migrated)

    assert ended.code == 1, ended.err
    codes = {c["code"] for c in ended.report["conflicts"] if c["object"] == "person"}
    assert codes == {"origin_unknown"}
    assert len(migrated.state()["person"]) == 206


def test_json_is_one_object_and_the_page_names_no_value(sites: tuple[Any, Any]) -> None:
    migrated, _ = sites
    assert migrated.run().code == 0

    ended = undo(migrated)

    page = (migrated.folder / ended.report["reports"]["html"]).read_text("utf-8")
    kept = json.loads((migrated.folder / ended.report["reports"]["json"]).read_text("utf-8"))
    assert kept["run_id"] == ended.report["run_id"]
    assert ended.report["verified"]["found"] in page
    assert "mail.example" not in page
