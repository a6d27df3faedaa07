"""`flit audit` as a person runs it: what it prints, where its files are, and whom it asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from flitstack_dental.example import write_example
from flitstack_pipedrive.sandbox import serve_in_thread
from flitstack_pipedrive.sandbox.app import Sandbox, Switches

if TYPE_CHECKING:
    from pathlib import Path

OUTSIDE = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PIPEDRIVE_", "FLITSTACK_", "COV_CORE_")) and name not in {"COLUMNS", "NO_COLOR"}
}


def flit(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flitstack", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**OUTSIDE, "COLUMNS": "100", **environment}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example practice."""
    folder = tmp_path_factory.mktemp("command") / "export"
    write_example(folder, 40, seed=1)
    return folder


def test_it_prints_a_line_per_section_and_the_paths_of_the_reports(export: Path, tmp_path: Path) -> None:
    done = flit(tmp_path, "audit", "--input", str(export))

    assert done.returncode == 0, done.stderr
    assert all(f"{number}. " in done.stdout for number in range(1, 16))
    assert "flit-reports/audit-2026-06-30.html" in done.stdout
    assert sorted(path.name for path in (tmp_path / "flit-reports").iterdir()) == [
        "audit-2026-06-30.html", "audit-2026-06-30.json", "decisions-draft.csv",
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["flit-reports"], "no journal is left behind"


def test_json_is_one_object_with_the_sections(export: Path, tmp_path: Path) -> None:
    done = flit(tmp_path, "audit", "--source", "dental", "--dest", "pipedrive", "--input", str(export), "--json")

    report: dict[str, Any] = json.loads(done.stdout)
    assert [section["code"] for section in report["sections"]][:3] == ["inventory", "identity", "contact"]
    assert len(report["sections"]) == 15
    assert report["findings"]["error"] > 30
    assert report["reports"]["html"] == "flit-reports/audit-2026-06-30.html"
    assert "No account was asked" in report["told"][0]


def test_what_is_no_export_is_refused_with_one_message(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("Dear all", encoding="utf-8")

    done = flit(tmp_path, "audit", "--input", "letters")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "flit-reports").exists()


def test_with_a_token_the_staff_is_matched_to_the_users_of_the_account(export: Path, tmp_path: Path) -> None:
    with Sandbox(switches=Switches(burst=100_000)) as sandbox, serve_in_thread(sandbox) as url:
        token = next(str(user["token"]) for user in sandbox.users if user["is_admin"])
        done = flit(
            tmp_path, "audit", "--input", str(export), "--json", PIPEDRIVE_BASE_URL=url, PIPEDRIVE_API_TOKEN=token
        )
        written = sandbox.dump()

    owners = next(section for section in json.loads(done.stdout)["sections"] if section["code"] == "owners")
    table = owners["tables"][0]["rows"]
    assert {row[2] for row in table} == {"no e-mail", "no user", "a deactivated user", "user 1", "user 2"}
    assert {row[3] for row in table if row[2].startswith("user ")} == {""}
    assert any(line["code"] == "owner_not_a_user" for line in owners["lines"])
    assert written["person"] == written["field"] == []


def test_a_run_makes_the_same_report_before_its_gates(export: Path, tmp_path: Path) -> None:
    account = f"sandbox:{tmp_path / 'account.db'}?plan=ultimate&seats=5"
    places = ["--source", "dental", "--dest", "pipedrive", "--input", str(export)]

    stopped = flit(tmp_path, "run", *places, "--set", "profile=full", PIPEDRIVE_BASE_URL=account)
    again = flit(tmp_path, "run", *places, "--set", "profile=full", PIPEDRIVE_BASE_URL=account)

    told = [[line for line in run.stderr.splitlines() if "Audit of" in line] for run in (stopped, again)]
    assert stopped.returncode == 3
    assert told[0] == told[1] != []
    assert "findings: 4" in stopped.stderr
    assert "flit-reports/audit-2026-06-30.html" in stopped.stderr
    assert (tmp_path / "flit-reports" / "audit-2026-06-30.html").exists()


def test_an_audit_leaves_the_journal_of_a_migration_as_it_was(export: Path, tmp_path: Path) -> None:
    account = f"sandbox:{tmp_path / 'account.db'}?plan=ultimate&seats=5"
    places = ["--source", "dental", "--dest", "pipedrive", "--input", str(export)]
    flit(tmp_path, "run", *places, "--set", "profile=full", PIPEDRIVE_BASE_URL=account)
    before = (tmp_path / "flit.db").read_bytes()

    done = flit(tmp_path, "audit", "--input", str(export))

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "flit.db").read_bytes() == before
