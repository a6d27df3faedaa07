"""A lost journal: what the account holds of ours is found by its keys and linked, and nothing is written twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack_dental.example import write_example

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hubspot.moved import Moved


def test_a_run_without_its_journal_writes_nothing_again(full: Moved) -> None:
    before, writes = full.sandbox.dump(), full.sandbox.writes
    full.lose_journal()

    code, report, words = full.run()

    assert (code, full.sandbox.writes - writes) == (0, 0), words
    assert full.sandbox.dump() == before
    assert (report["verified"]["mismatched"], report["verified"]["doubled"]) == (0, 0)
    assert report["objects"]["file"]["unchanged"] == len(before["file"])
    assert full.flit("verify")[0] == 0


def test_what_is_missing_is_written_and_what_people_changed_stays(full: Moved) -> None:
    notes, calls = full.held("notes"), full.held("meetings")
    gone, edited = next(iter(notes)), next(iter(calls))
    full.sandbox.api.records.archive("notes", notes[gone]["id"])
    full.edit("meetings", calls[edited]["id"], hs_meeting_title="Moved by hand")
    full.lose_journal()

    _, report, words = full.run()

    assert report["objects"]["note"]["created"] == 1, words
    assert sum(one["created"] + one["updated"] for one in report["objects"].values()) == 1
    assert gone in full.held("notes")
    assert full.held("meetings")[edited]["properties"]["hs_meeting_title"] == "Moved by hand"
    assert (report["verified"]["drifted"], max(full.keys().values())) == (1, 1)


def test_a_load_cut_short_is_carried_on_without_its_journal(account: Moved) -> None:
    account.sandbox.limits.use_up()
    day = account.sandbox.account.store.get("meta", "day") or {}
    account.sandbox.account.store.put("meta", "day", {**day, "used": day["used"] - 130})
    assert account.run(None, "--set", "dest.reserve=0")[0] == 5
    part = account.keys()
    assert part
    account.sandbox.account.store.put("meta", "day", {**day, "used": 0})
    account.lose_journal()

    code, report, words = account.run()

    assert (code, report["verified"]["mismatched"]) == (0, 0), words
    keys = account.keys()
    assert (max(keys.values()), part - keys) == (1, part - part)


def test_another_practice_with_the_same_numbers_is_refused(full: Moved, tmp_path: Path) -> None:
    writes = full.sandbox.writes
    full.lose_journal()
    other = tmp_path / "other"
    write_example(other, patients=8, seed=9)

    code, _, words = full.run(other)

    assert (code, full.sandbox.writes) == (4, writes)
    assert "another business" in " ".join(words.split())


def test_a_rollback_knows_documents_by_their_keys_and_leaves_people_alone(full: Moved) -> None:
    full.lose_journal()
    assert full.run()[0] == 0

    code, report, words = full.rollback()

    assert code == 1, words
    assert {one["code"] for one in report["conflicts"]} == {"origin_unknown"}
    assert full.sandbox.dump()["file"] == []
    assert full.rollback("--also-found")[0] == 0
    assert not full.keys()
