"""Records come back as they were written, whatever their type, and say what they lead to."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import InDoubt, Rejected

if TYPE_CHECKING:
    from tests.hubspot.conftest import Desk

    from flitstack.protocols import JSON
else:
    Desk = object

WRITTEN: dict[str, JSON] = {
    "firstname": "Ada",
    "lastname": "O'Neil-Ünal 🦷",
    "email": "Ada.Oneil@Post.Example",
    "phone": "+1 (555) 010-0199",
    "recall_type": ["Perio; deep", "Hygiene"],
    "coverage": "PPO",
    "balance": "120.50",
    "born": "1980-02-29",
    "seen_at": "2026-06-30T15:45:00+02:00",
    "consent": False,
    "details": "one\n  two   three\n",
}


def test_each_type_of_property_comes_back_with_the_same_meaning(ready: Desk) -> None:
    id = ready.make("contact", WRITTEN)

    stored = ready.one("contact", id)

    held = ready.writer.comparable("contact", stored.fields)
    assert {name: held.get(name) for name in WRITTEN} == ready.writer.comparable("contact", WRITTEN)
    assert str(stored.key).startswith("practice:contact:")
    assert stored.added is not None


def test_a_value_that_means_something_else_is_not_equal(ready: Desk) -> None:
    for name, other in (("balance", "120.51"), ("born", "1980-03-01"), ("seen_at", "2026-06-30T15:45:00+01:00"),
                        ("consent", True), ("coverage", "Unknown"), ("recall_type", ["Hygiene"])):  # fmt: skip
        one = ready.writer.comparable("contact", {name: WRITTEN[name]})
        assert one != ready.writer.comparable("contact", {name: other}), name


def test_an_update_changes_what_it_names_and_clears_what_is_none(ready: Desk) -> None:
    id = ready.make("contact", WRITTEN)

    (outcome,) = ready.apply(ready.operation("update", "contact", {"phone": None, "balance": "0"}, id=id))

    assert outcome.error is None
    stored = ready.one("contact", id)
    assert "phone" not in stored.fields
    assert (stored.fields["balance"], stored.fields["firstname"]) == ("0", "Ada")


def test_links_under_labels_lead_each_their_own_way(ready: Desk) -> None:
    parent, company = ready.make("contact", {"lastname": "Parent"}), ready.make("company", {"name": "Referrer"})
    links = {"Guarantor": parent, "Referral source": company}

    child = ready.make("contact", {"lastname": "Child"}, links=links)

    assert ready.one("contact", child).links == links
    assert ready.one("contact", parent).links == {}
    assert {one.id: one.links for one in ready.listed("contact")} == {parent: {}, child: links}


def test_a_link_can_be_led_elsewhere_and_ended(ready: Desk) -> None:
    first, second = (ready.make("contact", {"lastname": name}) for name in ("First", "Second"))
    child = ready.make("contact", {"lastname": "Child"}, links={"Guarantor": first})

    ready.apply(ready.operation("update", "contact", {}, links={"Guarantor": second}, id=child))
    assert ready.one("contact", child).links == {"Guarantor": second}

    ready.apply(ready.operation("update", "contact", {}, links={"Guarantor": ""}, id=child))
    assert ready.one("contact", child).links == {}


def test_what_a_person_associated_without_a_label_is_left_alone(ready: Desk) -> None:
    parent = ready.make("contact", {"lastname": "Parent"})
    child = ready.make("contact", {"lastname": "Child"}, links={"Guarantor": parent})

    ready.apply(ready.operation("update", "contact", {}, links={"Guarantor": ""}, id=child))

    ends = next(one for one in ready.sandbox.dump()["contacts"] if one["id"] == child)["associations"]
    assert [(one["id"], one["label"]) for one in ends] == [(parent, "")]


def test_two_people_may_stand_for_each_other(ready: Desk) -> None:
    one = ready.make("contact", {"lastname": "One"})
    other = ready.make("contact", {"lastname": "Other"}, links={"Guarantor": one})

    ready.apply(ready.operation("update", "contact", {}, links={"Guarantor": other}, id=one))

    assert ready.one("contact", one).links == {"Guarantor": other}
    assert ready.one("contact", other).links == {"Guarantor": one}


def test_a_deal_stands_in_its_stage_of_the_right_pipeline(ready: Desk) -> None:
    stage = next(item.id for item in ready.do(ready.writer.schema()) if (item.of, item.name) == ("Plans", "Won"))
    contact = ready.make("contact", {"lastname": "Patient"})

    id = ready.make(
        "deal",
        {"dealname": "Plan", "amount": "1200.00", "closedate": "2026-05-04T00:00:00-04:00"},
        links={"dealstage": str(stage), "contact": contact},
    )

    stored = ready.one("deal", id)
    assert stored.links == {"dealstage": stage, "contact": contact}
    (deal,) = ready.sandbox.dump()["deals"]
    (pipeline,) = [one for one in ready.sandbox.dump()["pipeline"] if one["label"] == "Plans"]
    assert deal["properties"]["pipeline"] == pipeline["id"]
    assert ready.writer.comparable("deal", {"closedate": stored.fields["closedate"]}) == {
        "closedate": "2026-05-04T04:00:00Z"
    }


def test_an_activity_without_a_time_stands_where_it_was_written(ready: Desk) -> None:
    contact = ready.make("contact", {"lastname": "Patient"})

    id = ready.make("note", {"hs_note_body": "<p>Invented</p>"}, links={"contact": contact})

    stored = ready.one("note", id)
    assert str(stored.fields["hs_timestamp"]).startswith(f"{ready.clock.now():%Y-%m-%d}")
    assert stored.links == {"contact": contact}


def test_an_activity_that_hangs_on_nothing_is_refused_before_it_is_sent(ready: Desk) -> None:
    (outcome,) = ready.apply(ready.operation("create", "note", {"hs_note_body": "<p>Invented</p>"}))

    assert isinstance(outcome.error, Rejected)
    assert outcome.error.code == "parent_missing"


def test_a_note_that_leads_elsewhere_leaves_its_first_contact(ready: Desk) -> None:
    first, second = (ready.make("contact", {"lastname": name}) for name in ("First", "Second"))
    note = ready.make("note", {"hs_note_body": "x"}, links={"contact": first})

    ready.apply(ready.operation("update", "note", {}, links={"contact": second}, id=note))

    assert ready.one("note", note).links == {"contact": second}


def test_archived_records_are_gone_from_lists_and_reads(ready: Desk) -> None:
    id = ready.make("contact", {"lastname": "Gone"})

    (outcome,) = ready.apply(ready.operation("delete", "contact", id=id))

    assert outcome.error is None
    assert not ready.listed("contact")
    assert not ready.do(ready.writer.get_many("contact", [id]))


def test_a_record_is_found_by_its_key_alone(ready: Desk) -> None:
    ready.sandbox.account.switches.list_lag_s = 60.0
    id = ready.make("contact", {"lastname": "Here"}, key="practice:patients:7")

    found = ready.do(ready.writer.find("contact", ["practice:patients:7", "practice:patients:8"]))

    assert [(one.id, one.key) for one in found] == [(id, "practice:patients:7")]
    assert not ready.listed("contact")


def test_a_second_record_with_the_same_key_is_in_doubt_and_not_made(ready: Desk) -> None:
    ready.make("contact", {"lastname": "Here"}, key="practice:patients:7")

    (outcome,) = ready.apply(ready.operation("create", "contact", {"lastname": "Here"}, key="practice:patients:7"))

    assert isinstance(outcome.error, InDoubt)
    assert len(ready.sandbox.dump()["contacts"]) == 1


def test_a_document_is_private_under_its_contact_and_comes_back_byte_for_byte(ready: Desk) -> None:
    contact = ready.make("contact", {"lastname": "Patient"})
    sum_ = hashlib.sha256(b"%PDF-1.4 invented").hexdigest()
    fields = {"name": "one.pdf", "path": "documents/one.pdf", "size": 17, "sha256": sum_}

    id = ready.make("file", fields, links={"contact": contact}, key="a b:documents:1/2")

    (stored,) = ready.listed("file")
    assert (stored.id, stored.key, stored.links) == (id, "a b:documents:1/2", {"contact": contact})
    assert (stored.fields["name"], stored.fields["size"]) == ("one.pdf", 17)
    assert ready.do(ready.writer.file_sha256(id)) == sum_
    assert ready.sandbox.dump()["file"][0]["access"] == "PRIVATE"
    assert [one.id for one in ready.do(ready.writer.find("file", ["a b:documents:1/2"]))] == [id]


def test_the_same_document_sent_twice_is_one_file(ready: Desk) -> None:
    contact = ready.make("contact", {"lastname": "Patient"})
    fields = {"name": "one.pdf", "path": "documents/one.pdf"}

    ids = {ready.make("file", fields, links={"contact": contact}, key="p:documents:1") for _ in range(2)}

    assert len(ids) == 1
    assert len(ready.listed("file")) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "no.pdf", "path": "documents/no.pdf"}, "attachment_missing"),
        ({"name": "one.pdf", "path": "documents/one.pdf", "size": 18}, "attachment_differs"),
        ({"name": "one.pdf", "path": "documents/one.pdf", "sha256": "00"}, "attachment_differs"),
    ],
)
def test_a_document_whose_bytes_are_not_as_stated_is_rejected(ready: Desk, fields: dict[str, str], code: str) -> None:
    contact = ready.make("contact", {"lastname": "Patient"})

    (outcome,) = ready.apply(ready.operation("create", "file", fields, links={"contact": contact}))

    assert isinstance(outcome.error, Rejected)
    assert outcome.error.code == code
    assert not ready.listed("file")
