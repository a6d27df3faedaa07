"""What is planned in SQL is what needs no thought; everything else is handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack.journal import DesiredRow, Frame, Journal, Planned, Settlement
from flitstack.protocols import LinkRef

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = "2026-07-01T09:00:00.000+00:00"
ANN = "memory:contacts:1"
FRAME = Frame("run-2", "spec", "visit", 7, "user", {"memory:staff:s1"}, ("company", "contact"))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "flit.db", lease=True) as journal:
        desire(journal, "contact", ANN, {"name": "Ann"})
        yield journal


def desire(journal: Journal, object_: str, key: str, fields: Any = None, **links: LinkRef) -> None:
    journal.records.add([DesiredRow(object_, key, "", f"{object_}s", fields or {"note": "n"}, links)], (), (), ())


def planned(journal: Journal, frame: Frame = FRAME) -> tuple[int, list[str]]:
    made, left = 0, []
    for count, rest in journal.planning.create_new(frame):
        made += count
        left += [desired.key for desired in rest]
    return made, left


def carried_out(journal: Journal, object_: str, key: str, state: str = "done") -> None:
    last = journal.operations.last(object_, key, "")
    assert last is not None
    journal.operations.settle([Settlement(last, state, AT, {}, f"id of {key}" if state == "done" else None)]).result()


def test_what_is_new_and_hangs_on_what_comes_before_is_planned_as_it_is_desired(journal: Journal) -> None:
    desire(journal, "visit", "v1", {"note": "first"}, contact=LinkRef("contact", ANN, "", required=True))

    assert planned(journal) == (1, [])

    row = journal.operations.last("visit", "v1", "")
    assert row is not None
    assert (row.verb, row.state, row.level, row.entry) == ("create", "planned", 7, "visits")
    assert (row.fields, row.links) == ({"note": "first"}, {"contact": ["contact", ANN, "", 1, 0]})


@pytest.mark.parametrize(
    ("link", "is_plain"),
    [
        (LinkRef("user", "memory:staff:s1"), True),
        (LinkRef("user", "memory:staff:s9"), False),
        (LinkRef("user", "memory:staff:s9", fallback=True), True),
        (LinkRef("contact", "memory:contacts:9"), False),
        (LinkRef("visit", "v0"), False),
        (LinkRef("memo", "m1"), False),
    ],
)
def test_a_link_that_may_not_lead_anywhere_yet_is_thought_about(
    journal: Journal, link: LinkRef, is_plain: bool
) -> None:
    desire(journal, "visit", "v1", None, to=link)

    assert planned(journal) == ((1, []) if is_plain else (0, ["v1"]))


def test_a_parent_that_was_refused_is_thought_about(journal: Journal) -> None:
    journal.operations.plan("run-1", "spec", [Planned("create", "contacts", "contact", ANN, "", {}, {}, 0)])
    carried_out(journal, "contact", ANN, "rejected")
    desire(journal, "visit", "v1", None, contact=LinkRef("contact", ANN))

    assert planned(journal) == (0, ["v1"])


@pytest.mark.parametrize("state", ["rejected", "in_doubt", "conflict"])
def test_what_has_an_operation_is_thought_about(journal: Journal, state: str) -> None:
    desire(journal, "visit", "v1")
    planned(journal)
    carried_out(journal, "visit", "v1", state)

    assert planned(journal) == (0, ["v1"])


def test_what_is_there_just_as_desired_needs_nothing(journal: Journal) -> None:
    desire(journal, "visit", "v1", {"note": "a"}, contact=LinkRef("contact", ANN))
    planned(journal)
    carried_out(journal, "visit", "v1")

    assert planned(journal) == (0, [])


def test_what_is_there_otherwise_is_thought_about(journal: Journal) -> None:
    for key, note in (("v1", "a"), ("v2", "b"), ("v3", "c")):
        desire(journal, "visit", key, {"note": note})
    planned(journal)
    for key in ("v1", "v2", "v3"):
        carried_out(journal, "visit", key)
    journal.records.clear()
    desire(journal, "visit", "v1", {"note": "a"}, contact=LinkRef("contact", ANN))
    desire(journal, "visit", "v2", {"note": "b", "more": "m"})
    desire(journal, "visit", "v3", {"note": "c"})

    assert planned(journal) == (0, ["v1", "v2"])


def test_what_may_not_be_written_is_not_planned(journal: Journal) -> None:
    journal.records.add([DesiredRow("visit", "v1", "", "visits", {}, {}, "skipped:x")], (), (), ())

    assert planned(journal) == (0, [])


def test_windows_leave_nothing_out(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flitstack.journal.planning.WINDOW", 3)
    for number in range(10):
        link = {"to": LinkRef("contact", "nowhere")} if number in (2, 3, 9) else {}
        desire(journal, "visit", f"v{number}", None, **link)

    assert planned(journal) == (7, ["v2", "v3", "v9"])


def test_records_that_point_to_their_own_kind_are_found_until_both_are_there(journal: Journal) -> None:
    desire(journal, "visit", "v1", None, before=LinkRef("visit", "v2"))
    desire(journal, "visit", "v2", None, contact=LinkRef("contact", ANN))

    assert [desired.key for desired in journal.planning.within("visit")] == ["v1"]

    planned(journal)
    carried_out(journal, "visit", "v2")
    assert list(journal.planning.within("visit")) == []
