"""The recording tool: from its own sandbox and from an address, leaving the account as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cassettes.taping import FOLDER
from tests.cassettes.tidying import created

from flitstack_pipedrive.sandbox import serve_in_thread
from flitstack_pipedrive.sandbox.app import Sandbox

TOOL = Path(__file__).resolve().parents[2] / "tools" / "record_cassettes.py"


def record(*arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PIPEDRIVE_API_TOKEN": token}
    return subprocess.run(
        [sys.executable, str(TOOL), *arguments], capture_output=True, text=True, check=False, env=environment
    )


def test_recording_from_the_sandbox_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        result = record("--out", str(tmp_path / folder), "--only", "note")
        assert result.returncode == 0, result.stdout + result.stderr

    assert [path.name for path in (tmp_path / "one").iterdir()] == ["note.yaml"]
    assert (tmp_path / "one/note.yaml").read_bytes() == (tmp_path / "other/note.yaml").read_bytes()


def test_recording_from_an_address_leaves_nothing_in_the_account_and_no_token_in_the_file(tmp_path: Path) -> None:
    with Sandbox(plan="ultimate", seed=7) as sandbox, serve_in_thread(sandbox) as url:
        token = sandbox.users[0]["token"]
        before = sandbox.dump()

        result = record("--base-url", url, "--out", str(tmp_path), "--only", "error-404", "error-429", token=token)

        assert result.returncode == 0, result.stdout + result.stderr
        after = sandbox.dump()

    assert {kind: len(live) for kind, live in after.items()} == {kind: len(live) for kind, live in before.items()}
    assert created(tmp_path / "error-404.yaml")
    for path in tmp_path.iterdir():
        assert token not in path.read_text("ascii") + result.stdout + result.stderr
        assert url.removeprefix("http://") not in path.read_text("ascii")


def test_what_was_created_is_removed_children_first() -> None:
    paths = created(FOLDER / "deal-won.yaml")

    kinds = [path.split("/")[3] for path in paths]
    assert kinds.index("deals") < kinds.index("persons")
    assert kinds.index("stages") < kinds.index("pipelines")


@pytest.mark.parametrize(
    ("arguments", "token", "said"),
    [
        (["--base-url", "https://company.pipedrive.com"], "", "PIPEDRIVE_API_TOKEN"),
        (["--base-url", "http://company.pipedrive.com"], "x", "https"),
        (["--base-url", "https://company.pipedrive.com/api/v2"], "x", "host root"),
        (["--only", "no-such-cassette", "--out", "OUT"], "", "no test is marked"),
    ],
)
def test_what_cannot_be_recorded_is_said_and_exits_2(
    arguments: list[str], token: str, said: str, tmp_path: Path
) -> None:
    result = record(*(argument.replace("OUT", str(tmp_path)) for argument in arguments), token=token)

    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
