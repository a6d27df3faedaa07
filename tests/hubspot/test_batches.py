"""A batch says for each record what became of it, also when some are refused or the answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import InDoubt, Rejected, Unavailable
from flitstack_hubspot.sandbox.errors import ApiError

if TYPE_CHECKING:
    from tests.hubspot.conftest import Desk

    from flitstack.protocols import Operation
else:
    Desk = object


def contacts(desk: Desk, count: int, **more: object) -> list[Operation]:
    """Return so many creates."""
    return [desk.operation("create", "contact", {"lastname": f"Patient {n}", **more}) for n in range(count)]


def test_a_hundred_records_leave_in_one_request(ready: Desk) -> None:
    ready.make("contact", {"lastname": "First"})  # what the plugin reads once of an object is read
    before = ready.client.requests

    outcomes = ready.apply(*contacts(ready, 100))

    assert ready.client.requests == before + 1
    assert len({one.destination_id for one in outcomes if one.error is None}) == 100


def test_one_refused_record_leaves_the_others_alone(ready: Desk) -> None:
    good, bad, also = contacts(ready, 3)
    bad = ready.operation("create", "contact", {"lastname": "Patient", "born": "yesterday"})

    first, second, third = ready.apply(good, bad, also)

    assert first.error is None
    assert third.error is None
    assert isinstance(second.error, Rejected)
    assert second.error.field == "born"
    assert "yesterday" not in str(second.error)
    assert len(ready.sandbox.dump()["contacts"]) == 2


def test_a_shared_email_address_is_refused_by_name_without_the_address(ready: Desk) -> None:
    one, other = contacts(ready, 2, email="family@post.example")

    first, second = ready.apply(one, other)

    assert first.error is None
    assert isinstance(second.error, Rejected)
    assert second.error.code == "destination_taken"
    assert "post.example" not in str(second.error)


def test_an_update_of_a_record_that_is_gone_does_not_hold_up_the_others(ready: Desk) -> None:
    ids = [ready.make("contact", {"lastname": f"Patient {n}"}) for n in range(3)]
    ready.apply(ready.operation("delete", "contact", id=ids[1]))

    outcomes = ready.apply(*(ready.operation("update", "contact", {"phone": "1"}, id=id) for id in ids))

    assert [one.error is None for one in outcomes] == [True, False, True]
    assert isinstance(outcomes[1].error, Rejected)
    assert [ready.one("contact", id).fields.get("phone") for id in (ids[0], ids[2])] == ["1", "1"]


def test_a_wrong_update_among_a_hundred_is_found_by_halves(ready: Desk) -> None:
    ids = [str(one.destination_id) for one in ready.apply(*contacts(ready, 100))]
    changes = [{"born": "never" if n == 37 else "1990-01-01"} for n in range(100)]
    before = ready.client.requests

    outcomes = ready.apply(
        *(ready.operation("update", "contact", fields, id=id) for fields, id in zip(changes, ids, strict=True))
    )

    assert [n for n, one in enumerate(outcomes) if one.error is not None] == [37]
    assert ready.client.requests - before < 20


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "500_before", "500_after", "html"])
def test_a_write_without_a_clear_answer_is_in_doubt_for_every_record(ready: Desk, fault: str) -> None:
    operations = contacts(ready, 3)
    ready.sandbox.faults[ready.sandbox.writes + 1] = fault

    outcomes = ready.apply(*operations)

    assert all(isinstance(one.error, InDoubt) for one in outcomes)
    done = fault in ("drop_after", "500_after", "html")
    keys = [operation.key for operation in operations]
    assert len(ready.do(ready.writer.find("contact", keys))) == (3 if done else 0)


def test_a_refusal_for_speed_is_waited_for_and_nothing_is_written_twice(ready: Desk) -> None:
    operations = contacts(ready, 3)
    ready.sandbox.faults[ready.sandbox.writes + 1] = "429"
    before = ready.clock.monotonic()

    outcomes = ready.apply(*operations)

    assert all(one.error is None for one in outcomes)
    assert ready.clock.monotonic() - before >= 10
    assert len(ready.sandbox.dump()["contacts"]) == 3


def test_a_link_to_a_record_that_is_gone_is_said_of_that_record_alone(ready: Desk) -> None:
    gone, there = ready.make("contact", {"lastname": "Gone"}), ready.make("contact", {"lastname": "There"})
    ids = [ready.make("contact", {"lastname": f"Child {n}"}) for n in range(2)]
    ready.apply(ready.operation("delete", "contact", id=gone))

    first, second = ready.apply(
        ready.operation("update", "contact", {}, links={"Guarantor": gone}, id=ids[0]),
        ready.operation("update", "contact", {}, links={"Guarantor": there}, id=ids[1]),
    )

    assert isinstance(first.error, Rejected)
    assert second.error is None
    assert ready.one("contact", ids[1]).links == {"Guarantor": there}


def test_a_read_is_tried_again_and_then_says_that_nobody_answers(ready: Desk) -> None:
    ready.sandbox.account.store.put("meta", "details", {})  # every further request fails inside the account

    with pytest.raises(Unavailable, match="run the same command"):
        ready.do(ready.writer.account())


def test_refusals_that_do_not_say_whose_they_are_are_found_one_by_one(
    ready: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApiError, "item", lambda error, **_: {"category": error.category, "errors": error.errors})
    good, also = contacts(ready, 2)
    bad = ready.operation("create", "contact", {"lastname": "Patient", "born": "yesterday"})

    first, second, third = ready.apply(good, bad, also)

    assert (first.error, third.error) == (None, None)
    assert isinstance(second.error, Rejected)
    assert second.error.field == "born"
    assert len(ready.sandbox.dump()["contacts"]) == 2
