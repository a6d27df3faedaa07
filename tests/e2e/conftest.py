"""Runs flit as its user does, as a process of its own, against sandboxes in files or over HTTP."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.serving import serve_in_thread

if TYPE_CHECKING:
    from pathlib import Path

FLIT = (sys.executable, "-m", "flitstack")
OUTSIDE = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PIPEDRIVE_", "FLITSTACK_", "COV_CORE_")) and name not in {"COLUMNS", "NO_COLOR"}
}
MARKER = re.compile(r"<p>flit-id: ([^<]+)</p>\s*\Z")
Doc: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, list[Doc]]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> Doc:
        """What `--json` printed: exactly one object."""
        loaded: Doc = json.loads(self.out)
        return loaded

    @property
    def writes(self) -> int:
        """How many records and schema items the run says it wrote."""
        counts = self.report["objects"].values()
        return sum(count[verb] for count in counts for verb in ("created", "updated", "deleted"))

    def one_message(self) -> str:
        """Return the message on stderr, without lines of progress; there is no traceback."""
        assert "Traceback" not in self.err
        assert "a bug in flit" not in self.err
        said = [line for line in self.err.splitlines() if line and not PROGRESS.match(line)]
        return "\n".join(said)


PROGRESS = re.compile(r"(Reading the export|Looking at it|Mapping|Writing|Reading back): |\d+ writes had no answer")


@dataclass(frozen=True, slots=True)
class Site:
    """One migration in a folder of its own: an export, a journal, and an account, embedded or somewhere else."""

    folder: Path
    plan: str = "ultimate"
    seats: int = 5
    environment: dict[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ("profile=full", "dest.list_lag_s=0")

    @property
    def export(self) -> Path:
        """The export."""
        return self.folder / "export"

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.folder / "flit.db"

    @property
    def account(self) -> Path:
        """The embedded account's file."""
        return self.folder / "account.db"

    def env(self) -> dict[str, str]:
        """Return the environment of a command: nothing of flit's from outside."""
        url = f"sandbox:{self.account}?plan={self.plan}&seats={self.seats}"
        return {**OUTSIDE, "COLUMNS": "80", "PIPEDRIVE_BASE_URL": url, **self.environment}

    def command(self, *more: str) -> list[str]:
        """Return the command line of the run."""
        sets = [part for setting in self.settings for part in ("--set", setting)]
        places = ["--input", str(self.export), "--journal", str(self.journal)]
        return [*FLIT, "run", "--source", "dental", "--dest", "pipedrive", *places, *sets, *more]

    def run(self, *more: str, approve: bool = True, **settings: Any) -> Ended:
        """Run to the end, as JSON; `settings` go to `subprocess.run`."""
        approval = ("--approve-unseen", "test") if approve else ()
        return ended(self.command("--json", *approval, *more), cwd=self.folder, env=self.env(), **settings)

    def start(self) -> subprocess.Popen[str]:
        """Begin to run."""
        command = self.command("--json", "--approve-unseen", "test")
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=self.env(), stdout=pipe, stderr=pipe, text=True)

    def copy(self, to: Path) -> Site:
        """Return the same migration in another folder."""
        shutil.copytree(self.folder, to, dirs_exist_ok=True)
        return replace(self, folder=to)

    def state(self) -> State:
        """Return what the embedded account holds."""
        with Sandbox(str(self.account), plan=self.plan, seats=self.seats) as sandbox:
            return sandbox.dump()


def ended(command: list[str], **settings: Any) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **{"timeout": 300, **settings})
    return Ended(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Served:
    """An account over HTTP."""

    sandbox: Sandbox
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """What the environment says of it; the token is an admin's."""
        return {"PIPEDRIVE_BASE_URL": self.url, "PIPEDRIVE_API_TOKEN": self.token(is_admin=True)}

    def token(self, *, is_admin: bool) -> str:
        """Return the token of an admin, or of somebody who is none."""
        return next(str(user["token"]) for user in self.sandbox.users if user["is_admin"] is is_admin)

    def site(self, folder: Path, plan: str = "ultimate") -> Site:
        """Return a migration in that folder into this account."""
        return Site(folder, environment={**self.environment, "PIPEDRIVE_PLAN": plan, "PIPEDRIVE_SEATS": "5"})


Serve: TypeAlias = Callable[..., Any]


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Return `with serve(path, plan) as served`: an account over HTTP whose burst limit does not slow tests."""

    @contextmanager
    def serving(path: Path, plan: str = "ultimate") -> Iterator[Served]:
        with (
            Sandbox(str(path), plan=plan, seats=5, switches=Switches(burst=100_000)) as sandbox,
            serve_in_thread(sandbox) as url,
        ):
            yield Served(sandbox, url)

    return serving


def write_export(out: Path, patients: int, seed: int) -> None:
    """Write an example practice by the command that users have for it."""
    numbers = ["--patients", str(patients), "--seed", str(seed)]
    made = ended([*FLIT, "dental", "example", *numbers, "--out", str(out)], env=OUTSIDE)
    assert made.code == 0, made.err


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small practice in the neutral layout; copy it before changing it."""
    out = tmp_path_factory.mktemp("small") / "export"
    write_export(out, 12, 5)
    return out


@pytest.fixture
def site(tmp_path: Path, export: Path) -> Site:
    """A migration of the small practice into an embedded account, not begun."""
    shutil.copytree(export, tmp_path / "export")
    return Site(tmp_path)


@pytest.fixture(scope="session")
def make_site() -> Callable[[Path], Site]:
    """Return a function: a folder that holds an export, to a migration of it into an embedded account, not begun."""
    return Site


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory, export: Path) -> Site:
    """The small practice, migrated; copy it before running it again."""
    folder = tmp_path_factory.mktemp("loaded")
    shutil.copytree(export, folder / "export")
    site = Site(folder)
    done = site.run()
    assert done.code == 0, done.err
    return site


@pytest.fixture(scope="session")
def count_keys() -> Callable[[State], Counter[tuple[str, str]]]:
    """Return a function: an account's state to how often each source key stands in it; files by parent, name, bytes."""
    return keys_of


def keys_of(state: State) -> Counter[tuple[str, str]]:
    """Return how often each source key stands in the account, by object; files by parent, name and bytes."""
    found: Counter[tuple[str, str]] = Counter()
    for name in ("person", "organization", "deal", "lead"):
        found.update((name, str(doc["by_name"].get("Source_System_ID__c"))) for doc in state[name])
    for name, text in (("activity", "note"), ("note", "content")):
        found.update((name, key_in(doc[text])) for doc in state[name])
    people = {doc["id"]: str(doc["by_name"]["Source_System_ID__c"]) for doc in state["person"]}
    visits = {doc["id"]: key_in(doc["note"]) for doc in state["activity"]}
    for doc in state["file"]:
        parent = visits.get(doc["activity_id"]) or people.get(doc["person_id"])
        found["file", f"{parent} {doc['name']} {doc['sha256']}"] += 1
    for name, label in (("field", "field_name"), ("pipeline", "name"), ("stage", "name"), ("activity_type", "name")):
        found.update((name, f"{doc.get('of')}{doc.get('pipeline_id')} {doc[label]}") for doc in state[name])
    return found


def key_in(text: str | None) -> str:
    """Return the source key that the last line of a text carries, or nothing."""
    marker = MARKER.search(text or "")
    return marker[1] if marker else ""
