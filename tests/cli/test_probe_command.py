"""`flit probe` as its user meets it: an account over HTTP, with and without a terminal, killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from flitstack_pipedrive.sandbox.app import FaultRule, Sandbox, Switches
from flitstack_pipedrive.sandbox.faults import Fault
from flitstack_pipedrive.sandbox.serving import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLIT = (sys.executable, "-m", "flitstack")
OUTSIDE = {name: value for name, value in os.environ.items() if not name.startswith(("PIPEDRIVE_", "FLITSTACK_"))}


@dataclass(frozen=True, slots=True)
class Place:
    """An account over HTTP and a folder."""

    sandbox: Sandbox
    url: str
    folder: Path

    def command(self, *more: str) -> list[str]:
        """Return the command line."""
        return [*FLIT, "probe", "--dest", "pipedrive", "--journal", str(self.folder / "flit.db"), *more]

    @property
    def env(self) -> dict[str, str]:
        """Return the environment: this account, an admin's token."""
        token = str(self.sandbox.users[0]["token"])
        return {**OUTSIDE, "COLUMNS": "100", "PIPEDRIVE_BASE_URL": self.url, "PIPEDRIVE_API_TOKEN": token}

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Run to the end, without a terminal."""
        return subprocess.run(
            self.command(*more), capture_output=True, text=True, timeout=120, env=self.env, stdin=subprocess.DEVNULL
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return an account whose burst limit does not slow the test."""
    switches = Switches(burst=100_000, due_time_zone="user", deal_add_time="drop")
    with closing(Sandbox(switches=switches)) as sandbox, serve_in_thread(sandbox) as url:
        yield Place(sandbox, url, tmp_path)


def test_without_a_terminal_and_without_consent_it_says_what_it_would_do_and_stops(place: Place) -> None:
    done = place.run("--only", "deal_add_time")

    assert done.returncode == 3
    assert "Creates at most 1 deal; each is named `flit probe ...`" in done.stderr
    assert "Costs at most 10 more of the account's daily tokens." in done.stderr
    assert "--approve-unseen NAME" in done.stderr
    assert place.sandbox.account.store.count("deal", []) == 0


def test_it_prints_question_answer_and_what_it_changes(place: Place) -> None:
    before = place.sandbox.canonical()

    done = place.run("--only", "activity_due_time_zone", "--only", "deal_add_time", "--approve-unseen", "Dana Cho")

    assert done.returncode == 0, done.stderr
    for words in ("activity_due_time_zone", "the user's own zone", "dropped without a word", "2 of 2 answers known"):
        assert words in done.stdout
    assert place.sandbox.canonical() == before


def test_json_is_one_object_whatever_happens(place: Place) -> None:
    asked = place.run("--json", "--only", "deal_add_time", "--approve-unseen", "Dana Cho")
    refused = place.run("--json")

    found: Any = json.loads(asked.stdout)
    assert found["answers"]["deal_add_time"]["value"] == "dropped"
    assert found["left"] == []
    assert json.loads(refused.stdout)["status"] == "approval_needed"
    assert json.loads(refused.stdout)["gates"][0]["gate"] == "probe"


def test_a_question_it_does_not_have_is_a_usage_error(place: Place) -> None:
    done = place.run("--only", "deal_add_tim", "--approve-unseen", "Dana Cho")

    assert done.returncode == 2
    assert 'Did you mean "deal_add_time"?' in done.stderr


def test_a_killed_probe_is_cleaned_up_after_by_the_next(place: Place) -> None:
    before = place.sandbox.canonical()
    place.sandbox.set_faults([FaultRule(Fault("latency", 0.2), "POST")])
    more = ("--only", "deleting_an_organization", "--approve-unseen", "Dana Cho", "--set", "dest.list_lag_s=0.1")
    killed = subprocess.Popen(place.command(*more), env=place.env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not place.sandbox.dump()["person"] and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    assert place.sandbox.canonical() != before
    place.sandbox.set_faults([])

    done = place.run("--only", "page_limit", "--approve-unseen", "Dana Cho", "--set", "dest.list_lag_s=0.1")

    assert done.returncode == 0, done.stderr
    assert place.sandbox.canonical() == before
