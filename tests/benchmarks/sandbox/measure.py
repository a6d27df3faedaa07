"""Measures the sandbox over HTTP: one core, state in a file, load from `wrk`; empty, and with a practice's data held.

    python tests/benchmarks/sandbox/measure.py [--seconds 15] [--core 0]

Needs `wrk` and `taskset` (Debian: `wrk util-linux`). Prints a table; ends with 1 when a target is missed: 1,000
requests a second, not slower by more than twice with 20,000 persons, 100,000 activities and 20,000 notes, and a
listing by cursor whose last pages take no more than twice as long as its first.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import httpx

from flitstack_pipedrive.sandbox.app import Sandbox
from flitstack_pipedrive.sandbox.hand import Hand

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ENTRY = "from flitstack_pipedrive.sandbox.cli import sandbox; sandbox()"
SETTINGS = ["--plan", "ultimate", "--seats", "1000000", "--burst", "100000000"]
TARGET = 1_000
FEW = 500
HELD = {"persons": 20_000, "activities": 100_000, "notes": 20_000}


def fill(path: Path, persons: int, activities: int, notes: int) -> None:
    """Put records into a state file, past HTTP but through the same handlers."""
    with Sandbox(str(path), plan="ultimate", seats=1_000_000) as sandbox:
        hand = Hand(sandbox.account, next(iter(sandbox.account.members.values())))
        keys = [
            hand.add("field", {"of": "person", "name": name, "type": "varchar"})["field_code"]
            for name in ("Source_System_ID__c", "Seen__c")
        ]
        for number in range(1, persons + 1):
            customs = {keys[0]: f"dental:patients:{number}", keys[1]: "2026-01-31 seen"}
            hand.do("POST", "/api/v2/persons", {"name": f"Person {number}", "custom_fields": customs})
        for number in range(activities):
            participants = [{"person_id": number % persons + 1, "primary": True}]
            hand.do("POST", "/api/v2/activities", {"subject": f"Visit {number}", "participants": participants})
        for number in range(notes):
            hand.do("POST", "/api/v1/notes", {"content": f"Note {number}", "person_id": number % persons + 1})


@contextmanager
def serving(path: Path, core: int) -> Iterator[tuple[str, str, str, int]]:
    """Serve the state on one core; yield url, token, the keys of the two custom fields, and the server's process id."""
    command = ["taskset", "-c", str(core), sys.executable, "-c", ENTRY, "serve", "--state", str(path), *SETTINGS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            token = first["users"][0]["token"]
            fields = httpx.get(
                f"{first['url']}/api/v2/personFields?limit=500", headers={"x-api-token": token}, timeout=30
            ).json()["data"]
            keys = [field["field_code"] for field in fields if field["field_name"].endswith("__c")]
            yield first["url"], token, ",".join(keys), process.pid
        finally:
            process.terminate()


def core_seconds(pid: int) -> float:
    """Return the seconds of its core that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(url: str, token: str, keys: str, persons: int, seconds: int, core: int) -> float:
    """Return requests a second.

    :raises SystemExit: a request was refused.
    """
    others = ",".join(str(other) for other in range(os.cpu_count() or 2) if other != core) or "0"
    command = ["taskset", "-c", others, "wrk", "-t1", "-c8", f"-d{seconds}s", "-s", str(HERE / "mix.lua"), url]
    more = {"SANDBOX_TOKEN": token, "SANDBOX_FIELDS": keys, "SANDBOX_PERSONS": str(persons)}
    said = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(said)
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found is not None, said
    return float(found[1])


def walk(url: str, token: str, path: str) -> list[float]:
    """List everything by cursor, 500 a page, and return the seconds each page took."""
    took, query = [], {"limit": "500"}
    with httpx.Client(base_url=url, headers={"x-api-token": token}, timeout=60) as client:
        while True:
            started = time.perf_counter()
            body: dict[str, Any] = client.get(path, params=query).json()
            took.append(time.perf_counter() - started)
            cursor = body["additional_data"]["next_cursor"]
            if cursor is None:
                return took
            query["cursor"] = cursor


def tenth(took: list[float], *, last: bool) -> float:
    """Return the median of the first or last tenth of the full pages, milliseconds."""
    part = sorted(took[:-1][-max(3, len(took) // 10) :] if last else took[: max(3, len(took) // 10)])
    return part[len(part) // 2] * 1000


def main() -> int:
    """Measure, print and return the exit code."""
    parser = argparse.ArgumentParser(description="Measures the sandbox over HTTP.")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--core", type=int, default=0)
    given = parser.parse_args()
    missing = [tool for tool in ("wrk", "taskset") if shutil.which(tool) is None]
    if missing:
        click.echo(f"{' and '.join(missing)}: not found. Install them (Debian: wrk util-linux).", err=True)
        return 2
    rates: dict[str, float] = {}
    pages: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, counts in (("few records", {"persons": FEW, "activities": 0, "notes": 0}), ("held", HELD)):
            state = Path(folder) / f"{name}.db"
            fill(state, **counts)
            with serving(state, given.core) as (url, token, keys, pid):
                if counts is HELD:
                    pages = {path: walk(url, token, path) for path in ("/api/v2/persons", "/api/v2/activities")}
                before = core_seconds(pid)
                rates[name] = load(url, token, keys, counts["persons"], given.seconds, given.core)
                share = (core_seconds(pid) - before) / given.seconds
            # Where others work on the core too, the second figure says what all of it would have given.
            click.echo(f"{name:12} {rates[name]:6.0f} requests a second, with {share:4.0%} of the core")
    for path, took in pages.items():
        first, last = tenth(took, last=False), tenth(took, last=True)
        click.echo(f"{path:20} {len(took):4} pages, {sum(took):5.2f} s; first pages {first:.1f} ms, last {last:.1f} ms")
    return verdict(rates, pages)


def verdict(rates: dict[str, float], pages: dict[str, list[float]]) -> int:
    """Print whether the targets are met; return 0 when they are."""
    fast = min(rates.values()) >= TARGET and rates["held"] * 2 >= rates["few records"]
    linear = all(tenth(took, last=True) <= 2 * tenth(took, last=False) for took in pages.values())
    click.echo("targets met" if fast and linear else "targets missed")
    return 0 if fast and linear else 1


if __name__ == "__main__":
    raise SystemExit(main())
