"""flit and an account as two processes over HTTP, either of which can be killed; what counts is what the account has.

Nothing that is checked comes from flit itself, except for the buckets of its report.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FLIT = (sys.executable, "-m", "flitstack")
OUTSIDE = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PIPEDRIVE_", "FLITSTACK_", "COV_CORE_")) and name not in {"COLUMNS", "NO_COLOR"}
}
PATIENCE_S = 120.0
PLAN, SEATS = "ultimate", "5"
SCHEMA = ("Fields", "/options", "/pipelines", "/stages", "/activityTypes")
RECORDS = ("/organizations", "/persons", "/deals", "/leads", "/activities", "/notes", "/files")
Rule: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, list[dict[str, Any]]]


def write_export(out: Path, patients: int, seed: int) -> None:
    """Write an invented practice."""
    numbers = ("--patients", str(patients), "--seed", str(seed), "--out", str(out))
    subprocess.run([*FLIT, "dental", "example", *numbers], env=OUTSIDE, check=True, capture_output=True, timeout=300)


@dataclass(slots=True)
class Server:
    """`flit sandbox serve` as a process of its own; its account outlives it in a file.

    :param rules: what goes wrong, as in a file for `--faults`.
    :param limits: further options, such as `--burst 80`.
    :param seen: method, path and status of each request that was answered or broken off, in order.
    """

    folder: Path
    rules: list[Rule] = field(default_factory=list)
    limits: tuple[str, ...] = ("--burst", "100000")
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    token: str = ""
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None
    _listener: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the account answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def writes(self) -> list[tuple[str, str, str]]:
        """Return the requests that were no reading."""
        return [request for request in self.seen if request[0] != "GET"]

    def start(self) -> None:
        """Begin to serve, on the same port as before; returns once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        faults = self.folder / "faults.json"
        faults.write_text(json.dumps(self.rules), "utf-8")
        self.port = self.port or free_port()
        state = ("--state", str(self.folder / "account.db"), "--faults", str(faults), "--port", str(self.port))
        bought = ("--plan", PLAN, "--seats", SEATS, "--seed", "7")
        self._process = subprocess.Popen(
            [*FLIT, "sandbox", "serve", *state, *bought, "--log", *self.limits],
            env={**OUTSIDE, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        assert first, "the sandbox did not start"
        self.token = next(user["token"] for user in json.loads(first)["users"] if user["is_admin"])
        self._listener = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._listener.start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            words = line.split()
            if len(words) >= 4 and words[1] in ("GET", "POST", "PATCH", "PUT", "DELETE"):
                self.seen.append((words[1], words[2], " ".join(words[3:-2])))

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the process; what it had answered is in its file."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(PATIENCE_S)
        assert self._listener is not None
        self._listener.join(PATIENCE_S)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._process = None

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self.kill(signal.SIGTERM)

    def restart(self) -> None:
        """Kill the process and start another on the same account."""
        self.kill()
        self.start()

    def change(self, rules: Iterable[Rule]) -> None:
        """Let other things go wrong from now on; the process ends in between."""
        self.stop()
        self.rules = list(rules)
        self.start()

    def canonical(self) -> State:
        """Return what the account holds, without ids and times of the server; documents by their SHA-256."""
        found: State = self._page("canonical")["state"]
        return found

    def dump(self) -> State:
        """Return what the account holds, to the letter."""
        found: State = self._page("dump")
        return found

    def tokens_used(self) -> int:
        """Return the API tokens that the account has counted today."""
        tokens = self._page("summary")["tokens"]
        return int(tokens["limit"]) - int(tokens["left"])

    def _page(self, name: str) -> Any:
        return httpx.get(f"{self.url}/_sandbox/{name}", timeout=PATIENCE_S).raise_for_status().json()


@dataclass(slots=True)
class Load:
    """`flit run` of one export into one server, again and again with the same command.

    :param now: what the run takes for the time at which it starts.
    """

    folder: Path
    export: Path
    server: Server
    settings: tuple[str, ...] = ("profile=full", "dest.list_lag_s=0.2")
    environment: dict[str, str] = field(default_factory=dict)
    now: str | None = None

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.folder / "flit.db"

    def start(self, *more: str) -> Life:
        """Begin to run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sets = [part for setting in self.settings for part in ("--set", setting)]
        places = ("--input", str(self.export), "--journal", str(self.journal))
        account = {"PIPEDRIVE_BASE_URL": self.server.url, "PIPEDRIVE_API_TOKEN": self.server.token}
        bought = {"PIPEDRIVE_PLAN": PLAN, "PIPEDRIVE_SEATS": SEATS}
        time_ = {} if self.now is None else {"FLITSTACK_NOW": self.now}
        process = subprocess.Popen(
            [*FLIT, "run", "--source", "dental", "--dest", "pipedrive", *places, *sets, "--json", "--approve-unseen",
             "test", *more],
            env={**OUTSIDE, "COLUMNS": "80", **account, **bought, **time_, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        return Life(process)

    def run(self, *more: str, patience_s: float = PATIENCE_S) -> Ended:
        """Run to the end, which comes within `patience_s`."""
        return self.start(*more).end(patience_s)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """What `--json` printed."""
        loaded: dict[str, Any] = json.loads(self.out)
        return loaded


@dataclass(slots=True)
class Life:
    """One process of flit."""

    process: subprocess.Popen[str]

    def ended_within(self, seconds: float) -> bool:
        """Wait as long as that; return whether it ended by itself."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
            return True
        return False

    def ended_before(self, server: Server, requests: int, path: str = "") -> bool:
        """Wait until the server has seen so many requests, to a path if given; return whether the run ended before."""
        deadline = time.monotonic() + PATIENCE_S
        while sum(seen.endswith(path) for _, seen, _ in list(server.seen)) < requests:
            if self.process.poll() is not None:
                return True
            assert time.monotonic() < deadline, "the run neither ends nor asks for anything"
            time.sleep(0.002)
        return self.process.poll() is not None

    def kill(self) -> Ended:
        """End it at once."""
        self.process.kill()
        return self.end()

    def end(self, patience_s: float = PATIENCE_S) -> Ended:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=patience_s)
        return Ended(self.process.returncode, out, err)


def stage_of(requests: Sequence[tuple[str, str, str]]) -> str:
    """Return in words how far a run had come whose requests these are."""
    if not requests:
        return "before the first request"
    method, path, _ = requests[-1]
    if method == "GET":
        return "reading records" if path.endswith(RECORDS) else "planning"
    if path.endswith(SCHEMA):
        return "writing the schema"
    return "uploading" if path.endswith("/files") else "writing records"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def difference(found: State, wanted: State) -> dict[str, tuple[int, int]]:
    """Return per object how many records are there too often, and how many are missing or others."""
    differing: dict[str, tuple[int, int]] = {}
    for object_ in sorted({*found, *wanted}):
        here = Counter(json.dumps(doc, sort_keys=True) for doc in found.get(object_, ()))
        there = Counter(json.dumps(doc, sort_keys=True) for doc in wanted.get(object_, ()))
        if here != there:
            differing[object_] = ((here - there).total(), (there - here).total())
    return differing
