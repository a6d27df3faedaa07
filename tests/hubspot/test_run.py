"""The command against the sandbox over HTTP: writes without an answer, a changed export, a wrong token, no server."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack_dental.example import write_example
from flitstack_hubspot.sandbox.account import Switches
from flitstack_hubspot.sandbox.app import Sandbox
from flitstack_hubspot.sandbox.serving import serve_in_thread

if TYPE_CHECKING:
    from pathlib import Path

OBJECTS = ("companies", "contacts", "deals", "meetings", "calls", "emails", "communications", "tasks", "notes")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small practice's export."""
    place = tmp_path_factory.mktemp("export") / "practice"
    write_example(place, patients=8, seed=5)
    return place


def flit(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str, token: str, export: Path, *sets: str
) -> tuple[int, Any, str]:
    """Return exit code, report and words of a run."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", token)
    monkeypatch.setenv("HUBSPOT_BASE_URL", url)
    words = ["run", "--source", "dental", "--dest", "hubspot", "--input", str(export), "--json"]
    for given in (*(sets or ["profile=full"]), "dest.list_lag_s=0", "dest.attempts=2"):
        words += ["--set", given]
    result = CliRunner().invoke(cli, [*words, "--approve-unseen", "test"])
    return result.exit_code, json.loads(result.stdout) if result.stdout.startswith("{") else None, result.stderr


def keys(sandbox: Sandbox) -> Counter[tuple[str, str]]:
    """Return how often each source key is there."""
    state = sandbox.dump()
    return Counter(
        (object, str(one["properties"].get("source_system_id"))) for object in OBJECTS for one in state[object]
    )


def test_writes_without_an_answer_are_neither_lost_nor_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: Path
) -> None:
    kinds = ("drop_after", "500_after", "drop_before", "html", "500_before")
    faults = {number: kinds[number % len(kinds)] for number in range(3, 120, 7)}
    with Sandbox(faults=faults, switches=Switches(burst=5_000)) as faulty, serve_in_thread(faulty) as url:
        code, report, words = flit(tmp_path, monkeypatch, url, faulty.users[0]["token"], export)
        assert code in (0, 1), words
        hit = keys(faulty)
    (tmp_path / "calm").mkdir()
    with Sandbox(switches=Switches(burst=5_000)) as calm, serve_in_thread(calm) as url:
        code, report, words = flit(tmp_path / "calm", monkeypatch, url, calm.users[0]["token"], export)
        assert (code, report["verified"]["mismatched"]) == (0, 0), words

        assert hit == keys(calm)
        assert max(hit.values()) == 1


def test_a_changed_phone_is_one_update_and_a_missing_file_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: Path
) -> None:
    later = tmp_path / "later"
    shutil.copytree(export, later)
    text = (later / "contact_points.csv").read_text("utf-8")
    changed = next(row for row in csv.DictReader(text.splitlines()) if row["kind"] == "mobile")
    text = text.replace(changed["value"], "+1 555 010 7777")
    (later / "contact_points.csv").write_text(text, "utf-8")
    (later / "recalls.csv").unlink()
    with Sandbox(switches=Switches(burst=5_000)) as sandbox, serve_in_thread(sandbox) as url:
        token = sandbox.users[0]["token"]
        assert flit(tmp_path, monkeypatch, url, token, export)[0] == 0
        before = sandbox.writes

        code, report, words = flit(tmp_path, monkeypatch, url, token, later)

        assert code in (0, 1), words
        assert sandbox.writes - before == 1
        assert {name: one["updated"] for name, one in report["objects"].items() if one["updated"]} == {"contact": 1}
        phones = [one["properties"].get("mobilephone") for one in sandbox.dump()["contacts"]]
        assert "+1 555 010 7777" in phones


def test_a_wrong_token_and_a_server_that_is_down_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: Path
) -> None:
    with Sandbox(switches=Switches(burst=5_000)) as sandbox, serve_in_thread(sandbox) as url:
        code, _, words = flit(tmp_path, monkeypatch, url, "pat-wrong", export)
        assert (code, "HUBSPOT_ACCESS_TOKEN" in words, "pat-wrong" in words) == (4, True, False)
        token = sandbox.users[0]["token"]

    code, _, words = flit(tmp_path, monkeypatch, url, token, export)

    assert code == 5
    assert "run the same command again" in " ".join(words.split())


@pytest.mark.parametrize(
    "sets",
    [
        ("profile=engagement",),
        ("profile=full", "procedures=per_visit", "notes=per_visit", "active_since=2024-06-30", "deceased=import"),
        ("profile=full", "stale_open=open", "cancelled=skip", "archived=skip", "note_limit=1000", "suspended=lost"),
    ],
)
def test_every_policy_of_the_template_ends_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: Path, sets: tuple[str, ...]
) -> None:
    with Sandbox(switches=Switches(burst=5_000)) as sandbox, serve_in_thread(sandbox) as url:
        code, report, words = flit(tmp_path, monkeypatch, url, sandbox.users[0]["token"], export, *sets)

        assert (code, report["verified"]["mismatched"]) == (0, 0), words
        assert sandbox.dump()["contacts"]
        clinical = [one for one in sandbox.dump()["notes"] if re.search("clinical_notes|visit_notes", str(one))]
        assert bool(clinical) == ("profile=full" in sets)
