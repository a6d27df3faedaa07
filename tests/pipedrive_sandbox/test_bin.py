"""The page "Restore data": what a person brings back from it, for how long, and what the plugin declares of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack_pipedrive.behaviours import behaviours
from flitstack_pipedrive.sandbox.hand import Hand

if TYPE_CHECKING:
    from tests.pipedrive_sandbox.conftest import OpenSandbox

    from flitstack.clock import VirtualClock
else:
    OpenSandbox = VirtualClock = object

DAY_S = 86_400.0
KINDS: dict[str, dict[str, Any]] = {
    "organization": {"name": "Some"},
    "person": {"name": "Some"},
    "deal": {"title": "Some", "person": "Ann"},
    "lead": {"title": "Some", "person": "Ann"},
    "activity": {"subject": "Some", "type": "call"},
    "note": {"content": "Some", "person": "Ann"},
    "file": {"name": "some.txt", "text": "Some"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_deleted_comes_back_by_hand_for_as_long_as_is_declared(
    open_sandbox: OpenSandbox, clock: VirtualClock, kind: str
) -> None:
    sandbox = open_sandbox()
    account = sandbox.account
    hand = Hand(account, next(iter(account.members.values())))
    hand.add("person", {"name": "Ann"})
    first, second = (hand.add(kind, KINDS[kind])["id"] for _ in range(2))
    live = sandbox.dump()[kind]
    days = behaviours().objects[kind].restore_days

    for number in (first, second):
        hand.delete(kind, number)
    in_bin = [one["id"] for one in sandbox.dump(deleted=True)[kind]]
    clock.advance(max(days - 1, 0) * DAY_S)
    back = hand.restore(kind, first)
    held = [one for one in sandbox.dump()[kind] if one["id"] in (first, second)]
    clock.advance(2 * DAY_S)

    assert in_bin == [first, second]
    assert back is (days > 0)
    assert held == ([_undeleted(one, held) for one in live if one["id"] == first] if days else [])
    assert not hand.restore(kind, second)
    assert not hand.restore(kind, first), "what is not deleted is not in the bin"


def _undeleted(record: dict[str, Any], held: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the record as it was, with the time at which it was deleted as its last change."""
    return {**record, "update_time": held[0]["update_time"]}
