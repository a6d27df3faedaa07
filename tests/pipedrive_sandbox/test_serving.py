"""The sandbox over HTTP, and `flit sandbox serve` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from click.testing import CliRunner

from flitstack_pipedrive.sandbox import serve_in_thread
from flitstack_pipedrive.sandbox.app import Sandbox
from flitstack_pipedrive.sandbox.cli import sandbox as command

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = "from flitstack_pipedrive.sandbox.cli import sandbox; sandbox()"


def test_a_thread_serves_many_requests_on_one_connection(sandbox: Sandbox) -> None:
    headers = {"x-api-token": sandbox.users[0]["token"]}

    with serve_in_thread(sandbox) as url, httpx.Client(base_url=url, headers=headers) as client:
        started = time.monotonic()
        made = [client.post("/api/v2/persons", json={"name": "A"}).json()["data"]["id"] for _ in range(50)]
        took = time.monotonic() - started
        file = client.post("/v1/files", files={"file": ("a.txt", b"E" * 100_000)}, data={"person_id": "1"})
        assert client.get(file.json()["data"]["url"]).content == b"E" * 100_000

    assert made == list(range(1, 51))
    # Forty milliseconds a request would mean that Nagle's algorithm is on.
    assert took < 50 * 0.04
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_one_json_line_first_and_stops_cleanly(tmp_path: Path, stop: signal.Signals) -> None:
    state = tmp_path / "account.db"
    arguments = ["serve", "--state", str(state), "--plan", "ultimate", "--seats", "2", "--seed", "5"]

    with subprocess.Popen(
        [sys.executable, "-c", ENTRY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        admin, staff = first["users"]
        answer = httpx.post(
            f"{first['url']}/api/v2/persons", json={"name": "A"}, headers={"x-api-token": admin["token"]}
        )
        process.send_signal(stop)
        rest, words = process.stdout.read(), process.stderr.read()

    assert answer.headers["x-ratelimit-limit"] == "120"
    assert set(admin) == {"email", "token", "is_admin"}
    assert (admin["is_admin"], staff["is_admin"]) == (True, False)
    assert process.returncode == 0
    assert rest == ""
    assert "development aid" in words
    assert "Traceback" not in words
    assert admin["token"] not in words
    assert state.exists()


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_what_was_answered_is_still_there_after_a_kill(tmp_path: Path) -> None:
    state = str(tmp_path / "account.db")
    with subprocess.Popen(
        [sys.executable, "-c", ENTRY, "serve", "--state", state], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        headers = {"x-api-token": first["users"][0]["token"]}
        with httpx.Client(base_url=first["url"], headers=headers) as client:
            made = [client.post("/api/v2/persons", json={"name": "A"}).json()["data"]["id"] for _ in range(20)]
        process.kill()

    with Sandbox(state) as reopened:
        assert [person["id"] for person in reopened.dump()["person"]] == made


def test_a_taken_port_is_one_clear_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        result = CliRunner().invoke(command, ["serve", "--port", str(port)])

    assert result.exit_code == 2
    assert f"Port {port}" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plan", "gold"], "lite, growth, premium, ultimate"),
        (["--seats", "0"], "--seats"),
        (["--port", "99999"], "--port"),
        (["--burst", "0"], "--burst"),
        (["--faults", "missing.json"], "missing.json"),
        (["--state", "missing/account.db"], "missing"),
    ],
)
def test_a_wrong_option_is_named_and_exits_2(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(command, ["serve", *arguments])

    assert result.exit_code == 2
    assert said in result.stderr


def test_the_help_says_what_it_is_and_gives_an_example() -> None:
    text = CliRunner().invoke(command, ["serve", "--help"]).stdout

    assert "development aid" in text
    assert "Example:" in text


def test_the_help_imports_no_server() -> None:
    check = "import sys, flitstack_pipedrive.sandbox.cli; print({'uvicorn', 'starlette', 'sqlite3'} & {*sys.modules})"

    assert subprocess.check_output([sys.executable, "-c", check], text=True).strip() == "set()"
