"""An undo in an account where people work: what they made theirs stays, the rest goes in batches and may come again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from tests.hubspot.moved import Moved, moved

from flitstack_dental.example import write_example
from flitstack_hubspot.sandbox.account import Switches

if TYPE_CHECKING:
    from pathlib import Path


def kept(report: Any) -> set[tuple[str, str, str]]:
    """Return what stays: object, record and reason."""
    return {(one["object"], one["key"].split(":", 1)[-1], one["code"]) for one in report["conflicts"]}


def test_all_of_it_goes_by_the_hundred_and_comes_again(full: Moved) -> None:
    before = full.keys()
    first = len(full.sandbox.log)

    code, report, words = full.rollback()

    assert (code, report["conflicts"]) == (0, []), words
    assert not full.keys()
    assert [one["label"] for one in full.sandbox.dump()["pipeline"] if not one["archived"]] == ["Sales Pipeline"]
    sent = Counter(path for method, path, _ in full.sandbox.log[first:] if path.endswith("/batch/archive"))
    assert sent["/crm/v3/objects/notes/batch/archive"] == -(-report["objects"]["note"]["deleted"] // 100)
    assert 0.6 < report["tokens"]["predicted"] / report["tokens"]["spent"] < 1.2
    assert full.run()[0] == 0
    assert full.keys() == before
    assert full.flit("verify")[0] == 0


def test_what_somebody_filled_in_that_no_map_knows_keeps_its_record(full: Moved) -> None:
    key, contact = next(iter(full.held("contacts", "patients").items()))
    full.edit("contacts", contact["id"], jobtitle="Baker")

    code, report, words = full.rollback()

    assert code == 1, words
    assert ("contact", key.split(":", 1)[-1], "changed") in kept(report)
    (still,) = full.sandbox.dump()["contacts"]
    assert still["properties"]["jobtitle"] == "Baker"


def test_it_is_seen_among_more_properties_than_an_address_holds(account: Moved) -> None:
    group = {"groupName": "contactinformation", "type": "string", "fieldType": "text"}
    for number in range(160):
        account.post("/crm/v3/properties/contacts", {"name": f"own_{number}", "label": f"Own {number}", **group})
    assert account.run()[0] == 0
    key, contact = next(iter(account.held("contacts", "patients").items()))
    account.edit("contacts", contact["id"], own_159="theirs")

    code, report, words = account.rollback()

    assert code == 1, words
    assert ("contact", key.split(":", 1)[-1], "changed") in kept(report)


def test_what_hung_on_somebody_who_was_deleted_goes_all_the_same(full: Moved) -> None:
    contacts = full.held("contacts", "patients")
    ends = {end["id"] for note in full.held("notes").values() for end in note["associations"]}
    gone = next(one for one in contacts.values() if one["id"] in ends)
    full.sandbox.api.records.archive("contacts", gone["id"])

    code, report, words = full.rollback()

    assert (code, report["conflicts"]) == (0, []), words
    assert not full.keys()


def test_a_file_beside_ours_keeps_the_note_and_both_files(full: Moved) -> None:
    name, note = next(
        (key, one) for key, one in full.held("notes").items() if one["properties"].get("hs_attachment_ids")
    )
    ours = note["properties"]["hs_attachment_ids"]
    full.edit("notes", note["id"], hs_attachment_ids=f"987654321;{ours}")

    code, report, words = full.rollback()

    assert code == 1, words
    assert ("note", name.split(":", 1)[-1], "changed") in kept(report)
    assert ours in {one["id"] for one in full.sandbox.dump()["file"]}


def test_a_deal_of_somebody_in_our_pipeline_keeps_its_stage_and_the_pipeline(full: Moved) -> None:
    pipeline = next(one for one in full.sandbox.dump()["pipeline"] if one["label"] == "Treatment Plans")
    stage = pipeline["stages"][0]["id"]
    full.make("deals", {"dealname": "Theirs", "pipeline": pipeline["id"], "dealstage": stage})

    code, report, words = full.rollback()

    assert code == 1, words
    assert {(one["object"], one["code"]) for one in report["conflicts"]} == {
        ("stage", "in_use"),
        ("pipeline", "in_use"),
    }
    left = next(one for one in full.sandbox.dump()["pipeline"] if one["label"] == "Treatment Plans")
    assert [one["id"] for one in left["stages"] if not one["archived"]] == [stage]


@pytest.mark.parametrize(("ours", "theirs"), [("companies", "contacts"), ("contacts", "companies")])
def test_somebody_of_the_accounts_own_keeps_what_they_are_associated_with(full: Moved, ours: str, theirs: str) -> None:
    key, record = next(iter(full.held(ours).items()))
    (own,) = full.make(theirs, {"name": "Theirs"} if theirs == "companies" else {"lastname": "Theirs"})
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 280 if theirs == "companies" else 279}]
    pair = {"from": {"id": own}, "to": {"id": record["id"]}, "types": types}
    full.post(f"/crm/v4/associations/{theirs}/{ours}/batch/create", {"inputs": [pair]})

    code, report, words = full.rollback()

    assert code == 1, words
    assert {key} == set(full.held(ours))
    assert {(one["key"].split(":", 1)[-1], one["code"]) for one in report["conflicts"] if ":" in one["key"]} >= {
        (key.split(":", 1)[-1], "something_hangs_on_it")
    }


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "drop_before"])
def test_deletes_without_an_answer_are_found_out_about(full: Moved, kind: str) -> None:
    sent = full.sandbox.writes
    full.sandbox.faults.update({sent + number: kind for number in range(1, 60, 5)})

    code, report, words = full.rollback()

    assert (code, report["conflicts"]) == (0, []), words
    assert not full.keys()


def test_a_contact_of_the_account_with_the_same_address_is_named(full: Moved, tmp_path: Path) -> None:
    address = next(
        one["properties"]["email"] for one in full.held("contacts").values() if one["properties"].get("email")
    )
    assert full.rollback()[0] == 0
    full.make("contacts", {"email": address, "firstname": "Zoe", "lastname": "Other"})

    code, report, _ = full.run()

    assert code == 1
    (refused,) = [one for one in report["rejections"] if one["code"] == "destination_taken"]
    assert (refused["count"], '"email"' in refused["reason"]) == (1, True)
    assert sum(one["properties"].get("email") == address for one in full.sandbox.dump()["contacts"]) == 1


def test_a_small_subscription_folds_what_it_has_no_property_for(
    tmp_path: Path, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moved(tmp_path, export, monkeypatch, Switches(burst=5_000, properties=20)) as account:
        code, report, words = account.run()

        assert (code, report["verified"]["mismatched"]) == (0, 0), words
        assert account.sandbox.api.definitions.custom() <= 20
        assert any(one["properties"].get("dental_reference") for one in account.held("contacts").values())


def test_without_room_for_a_pipeline_nothing_is_written(
    tmp_path: Path, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moved(tmp_path, export, monkeypatch, Switches(burst=5_000, pipelines=1)) as account:
        code, _, words = account.run()

        assert (code, account.sandbox.writes) == (4, 0)
        assert "pipeline" in words


def test_two_spellings_of_an_address_are_one_and_nobody_is_refused(
    account: Moved, tmp_path: Path, export: Path
) -> None:
    lines = (export / "contact_points.csv").read_text("utf-8").splitlines()
    place = lines[0].split(",").index("value")
    spellings = iter(("Family@Post.Example", "family@post.example", "FAMILY@POST.EXAMPLE", "family@post.example"))
    later = tmp_path / "later"
    write_example(later, patients=8, seed=5)
    seen: set[str] = set()
    for at, line in enumerate(lines):
        cells = line.split(",")
        if "@" in cells[place] and cells[1] not in seen and len(seen) < 4:
            seen.add(cells[1])
            cells[place] = next(spellings)
            lines[at] = ",".join(cells)
    (later / "contact_points.csv").write_text("\n".join(lines) + "\n", "utf-8")

    code, report, words = account.run(later)

    assert (code, [one for one in report["rejections"] if one["code"] == "destination_taken"]) == (0, []), words
    addresses = Counter(one["properties"].get("email") for one in account.held("contacts").values())
    assert addresses["family@post.example"] == 1
