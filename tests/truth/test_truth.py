"""After any story of exports, edits and runs, the account holds the three-way truth, and undo leaves what is theirs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from tests.truth.play import FIELDS, Play
from tests.truth.story import Story, stories

CASES = int(os.environ.get("FLITSTACK_STORIES", "60"))
MANY = settings(
    max_examples=CASES, deadline=None, derandomize="FLITSTACK_STORIES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


@MANY
@given(stories())
def test_after_any_story_the_account_holds_the_three_way_truth(story: Story) -> None:
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), story)
        play.go()
        assert play.picture() == play.expected()


@MANY
@given(stories())
def test_after_any_story_undo_leaves_what_people_did_and_nothing_else(story: Story) -> None:
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), story)
        play.go()
        kept = play.truth.undo()
        report = play.undo()
        assert {each.ours.key for each in report.kept if each.ours.object in FIELDS} == kept
        assert play.picture() == play.expected()
        written = len(play.migration.account.written)
        assert play.undo().exit_code == (1 if report.kept else 0)
        assert len(play.migration.account.written) == written
        if not kept:
            assert not play.migration.account.items
