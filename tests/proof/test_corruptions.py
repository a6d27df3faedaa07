"""What is spoilt in the account is found, named with its key and field, and put where it belongs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.proof.conftest import Moved

Doc = dict[str, Any]
Spot = tuple[str, str, str, str]
"""Object, key, kind, field ("" for the whole record)."""


def change(table: str, field: str, do: Callable[[Doc], None], pick: Callable[[Doc], bool]) -> Callable[[Moved], Spot]:
    """Return what spoils one field of the first record that is fit for it."""

    def plant(moved: Moved) -> Spot:
        doc = next(doc for doc in ours(moved, table) if pick(doc))
        moved.spoil(table, number(moved, table, doc), do)
        return table, moved.key(table, doc["id"]), "altered", field

    return plant


def remove(table: str) -> Callable[[Moved], Spot]:
    """Return what takes one record away."""

    def plant(moved: Moved) -> Spot:
        doc = ours(moved, table)[0]
        key = moved.key(table, doc["id"])
        moved.spoil(table, number(moved, table, doc), gone, gone=True)
        return table, key, "missing", ""

    return plant


def gone(doc: Doc) -> None:
    """Mark as deleted."""
    doc["is_deleted" if "is_deleted" in doc else "active_flag"] = "is_deleted" in doc


def ours(moved: Moved, table: str) -> list[Doc]:
    """Return the records that were migrated."""
    return [doc for doc in moved.docs(table) if doc.get("id") is not None]


def number(moved: Moved, table: str, doc: Doc) -> int:
    """Return the row of a record."""
    with moved.account() as sandbox:
        column = "uid" if table == "lead" else "id"
        row = sandbox._account.store.find(table, [(f"{column} = ?", (doc["id"],))])
        assert row is not None
        return int(row.id)


def set_(name: str, value: Any) -> Callable[[Doc], None]:
    """Return what sets a key of a document; of a function, to what it makes of the value there."""

    def do(doc: Doc) -> None:
        doc[name] = value(doc[name]) if callable(value) else value

    return do


def custom(moved: Moved, entity: str, name: str) -> Doc:
    """Return a custom field."""
    with moved.account() as sandbox:
        docs: list[Doc] = list(sandbox._account.store.docs("field", [("entity = ? AND deleted = 0", (entity,))]))
    return next(doc for doc in docs if doc["field_name"] == name)


def balance_off(moved: Moved) -> Spot:
    """Another balance on the first person who has one."""
    code = custom(moved, "person", "Account_Balance__c")["field_code"]
    doc = next(doc for doc in ours(moved, "person") if doc["custom_fields"].get(code))

    def do(doc: Doc) -> None:
        amount = doc["custom_fields"][code]
        doc["custom_fields"][code] = {**amount, "value": float(amount["value"]) + 100}

    moved.spoil("person", doc["id"], do)
    return "person", moved.key("person", doc["id"]), "altered", "Account_Balance__c"


def option_lost(moved: Moved) -> Spot:
    """A choice of a field is gone."""
    doc = custom(moved, "person", "Patient_Status__c")
    with moved.account() as sandbox:
        store = sandbox._account.store
        row = store.find("field", [("field_code = ?", (doc["field_code"],))])
    assert row is not None
    moved.spoil("field", row.id, set_("options", lambda options: options[1:]))
    return "field", "schema:field/person/Patient_Status__c", "differs", "options"


def wrong_field_type(moved: Moved) -> Spot:
    """A field of another type."""
    doc = custom(moved, "person", "Patient_Details__c")
    with moved.account() as sandbox:
        row = sandbox._account.store.find("field", [("field_code = ?", (doc["field_code"],))])
    assert row is not None
    moved.spoil("field", row.id, set_("field_type", "varchar"))
    return "field", "schema:field/person/Patient_Details__c", "differs", "type"


def doubled(moved: Moved) -> Spot:
    """The same activity a second time."""
    doc = ours(moved, "activity")[0]
    with moved.account() as sandbox:
        account = sandbox._account
        row = account.new_row("activity", {name: value for name, value in doc.items() if name != "id"})
        with account.store.transaction():
            account.store.put("activity", row)
    return "activity", moved.key("activity", doc["id"]), "doubled", ""


def wrong_stage(moved: Moved) -> Spot:
    """A deal in another stage of its pipeline."""
    doc = ours(moved, "deal")[0]
    other = next(
        stage["id"]
        for stage in moved.docs("stage")
        if stage["pipeline_id"] == doc["pipeline_id"] and stage["id"] != doc["stage_id"]
    )
    moved.spoil("deal", doc["id"], set_("stage_id", other))
    return "deal", moved.key("deal", doc["id"]), "altered", "stage_id"


def wrong_type(moved: Moved) -> Spot:
    """An activity of another type."""
    doc = ours(moved, "activity")[0]
    other = next(type_["key_string"] for type_ in moved.docs("activity_type") if type_["key_string"] != doc["type"])
    moved.spoil("activity", doc["id"], set_("type", other))
    return "activity", moved.key("activity", doc["id"]), "altered", "type"


CORRUPTIONS: dict[str, Callable[[Moved], Spot]] = {
    "changed field": change("person", "name", set_("name", "Somebody Else"), bool),
    "lost link": change("deal", "person_id", set_("person_id", None), lambda d: bool(d["person_id"])),
    "wrong owner": change("person", "owner_id", set_("owner_id", lambda held: 1 if held != 1 else 2), bool),
    "missing note": remove("note"),
    "truncated text": change(
        "note", "content", set_("content", lambda held: held[:20] + held[held.index("<p>flit-id") :]),
        lambda d: d["content"].find("<p>flit-id") > 40,
    ),
    "shifted time": change("activity", "due_time", set_("due_time", "04:45:00"), lambda d: bool(d["due_time"])),
    "doubled activity": doubled,
    "wrong stage": wrong_stage,
    "deleted person": remove("person"),
    "missing file": remove("file"),
    "changed file size": change("file", "size", set_("file_size", lambda held: held + 1), bool),
    "wrong type": wrong_type,
    "lost option": option_lost,
    "wrong field type": wrong_field_type,
    "money total off": balance_off,
    "plan value off": change("deal", "value", set_("value", lambda held: held + 250), lambda d: d["value"] > 0),
    "lost second phone": change(
        "person", "phones", set_("phones", lambda held: held[:1]), lambda d: len(d["phones"]) > 1
    ),
    "activity of nobody": change(
        "activity", "person_id", lambda doc: doc.update(participants=[], person_id=None),
        lambda d: bool(d["participants"]),
    ),
    "done undone": change("activity", "done", set_("done", False), lambda d: bool(d["done"])),
    "lost marker": change(
        "note", "key", set_("content", lambda held: held[: held.index("<p>flit-id")]),
        lambda d: "<p>flit-id" in d["content"],
    ),
    "deleted lead": remove("lead"),
    "deleted deal": remove("deal"),
    "day of birth gone": lambda moved: custom_gone(moved, "Date_Of_Birth__c"),
    "other guarantor": lambda moved: custom_gone(moved, "Guarantor__c"),
}  # fmt: skip


def custom_gone(moved: Moved, name: str) -> Spot:
    """A custom field of the first person who has it is empty."""
    code = custom(moved, "person", name)["field_code"]
    doc = next(doc for doc in ours(moved, "person") if doc["custom_fields"].get(code))
    moved.spoil("person", doc["id"], lambda doc: doc["custom_fields"].update({code: None}))
    return "person", moved.key("person", doc["id"]), "altered", name


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_caught_and_named(moved: Moved, name: str) -> None:
    object_, key, kind, field = CORRUPTIONS[name](moved)

    found = moved.read_back()

    assert (found.status, found.exit_code) == ("mismatched", 6)
    named = [(one.object, one.key, one.kind) for one in found.verification.differences]
    assert (object_, key, kind) in named
    (spot,) = [one for one in found.verification.differences if (one.object, one.key) == (object_, key)]
    assert not field or field in spot.fields
    assert not field or field in spot.what


def test_a_clean_account_reports_nothing(moved: Moved) -> None:
    found = moved.read_back(hash_files=True, strict=True)

    assert (found.status, found.exit_code) == ("verified", 0)
    assert found.verification.differences == []
    assert found.verification.total("mismatched") == found.verification.total("drifted") == 0
    assert found.verification.hashed > 0
    assert len(found.verification.totals) == 4
    assert all(one.agrees for one in found.verification.totals)
    assert all(one.source is not None and one.source != 0 for one in found.verification.totals[:1])


def test_all_corruptions_at_once_are_each_named(moved: Moved) -> None:
    spots = [
        plant(moved) for name, plant in CORRUPTIONS.items() if not name.startswith(("missing", "deleted", "lost m"))
    ]

    found = moved.read_back()

    for object_, key, _, field in spots:
        named = [one.fields for one in found.verification.differences if (one.object, one.key) == (object_, key)]
        assert named
        assert not field or field in {name for fields in named for name in fields}


def test_a_total_of_money_that_is_off_is_told_with_both_sums(moved: Moved) -> None:
    before = {one.name: one for one in moved.read_back().verification.totals}
    balance_off(moved)

    after = {one.name: one for one in moved.read_back().verification.totals}

    changed = [name for name, one in after.items() if not one.agrees]
    assert changed
    assert set(changed) <= {"Owed by patients", "In credit"}
    assert sum(after[name].held - before[name].held for name in ("Owed by patients", "In credit")) == 100
    assert all(after[name].written == before[name].written for name in after)
    assert not any(after[name].changed for name in changed)


def test_what_people_edit_is_listed_as_theirs_and_fails_only_when_asked(moved: Moved) -> None:
    people, talks = ours(moved, "person"), ours(moved, "activity")
    with moved.hand() as hand:
        for doc in people:
            hand.do("PATCH", f"/api/v2/persons/{doc['id']}", {"name": "Edited By Hand"})
        for doc in talks[: 100 - len(people)]:
            hand.do("PATCH", f"/api/v2/activities/{doc['id']}", {"subject": "Edited by hand"})
    edited = {("person", moved.key("person", doc["id"]), ("name",)) for doc in people}
    edited |= {("activity", moved.key("activity", d["id"]), ("subject",)) for d in talks[: 100 - len(people)]}

    found, strict = moved.read_back(), moved.read_back(strict=True)

    listed = {(one.object, one.key, one.fields) for one in found.verification.differences}
    assert edited <= listed
    assert {one.kind for one in found.verification.differences} == {"changed"}
    assert (found.status, found.exit_code) == ("drifted", 0)
    assert (strict.status, strict.exit_code) == ("drifted", 6)
    assert "Edited" not in json.dumps(found.as_json())


def test_a_sum_that_people_changed_is_told_as_theirs(moved: Moved) -> None:
    deal = next(doc for doc in ours(moved, "deal") if doc["value"])
    with moved.hand() as hand:
        hand.do("PATCH", f"/api/v2/deals/{deal['id']}", {"value": float(deal["value"]) + 10})

    found = moved.read_back()

    (plans,) = [one for one in found.verification.totals if not one.agrees]
    assert (plans.name, int(plans.held - plans.written), plans.changed) == ("Treatment plans", 10, True)
    assert found.exit_code == 0


def test_what_cannot_be_compared_is_named_with_the_reason(moved: Moved) -> None:
    few, all_ = moved.read_back(), moved.read_back(hash_files=True)

    assert any(name == "bytes" and "--hash-files" in why for _, name, why in few.verification.uncompared) is (
        len(moved.docs("file")) > 10
    )
    assert not any("--hash-files" in why for _, _, why in all_.verification.uncompared)


def test_records_are_counted_as_the_account_has_them_and_as_ours(moved: Moved) -> None:
    with moved.hand() as hand:
        hand.add("person", {"name": "Walk In"})

    counted = moved.read_back().verification.objects["person"]

    assert counted.held == counted.checked + 1
    assert counted.left_alone == 1
