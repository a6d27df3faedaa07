"""What each tool leaves behind when things go wrong: duplicates and losses, counted by the server.

    python -m tests.benchmarks.engine.faults [--rivals FOLDER]

Three cases of 100 records: the tool is killed (SIGKILL) when 55 of them are created and is run again until it says it
is done, at most five times; the answers to ten creates are lost after they were committed; ten creates are committed
and answered 500. A tool that stops is run again, as its user would.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tests.benchmarks.engine.harness import (
    RIVALS,
    Tool,
    ask,
    finish,
    rival_python,
    server_python,
    serving,
    start,
    table,
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from subprocess import Popen

COUNT, KILLED_AT, RUNS = 100, 55, 5
STRUCK = ",".join(str(number) for number in range(5, 105, 10))


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, as options of the server; `kills` when the tool is killed at the stall."""

    name: str
    options: tuple[str, ...]
    kills: bool = False


CASES = (
    Case(f"killed at {KILLED_AT}", ("--stall-after", str(KILLED_AT)), kills=True),
    Case("10 answers lost", ("--drop", STRUCK)),
    Case("10 times 500 after commit", ("--fail", STRUCK)),
)


@dataclass(frozen=True, slots=True)
class Left:
    """What is in the account at the end.

    :param ended: whether the tool said, within `runs` runs, that it was done.
    """

    duplicates: int
    losses: int
    tokens: int
    runs: int
    ended: bool


def strike(tool: Tool, case: Case, server: str, folder: Path) -> Left:
    """Run a tool through a case."""
    with serving(server, "--latency-ms", "5", *case.options) as url:
        runs, ended = 0, False
        if case.kills:
            _kill_at_stall(start(tool, url, COUNT, folder), url)
            ask(url, "/bench/resume", "POST")
            runs += 1
        while runs < RUNS and not ended:
            said, _ = finish(start(tool, url, COUNT, folder))
            ended = said is not None and said["settings"].get("exit", 0) == 0
            runs += 1
        report = ask(url)
    return Left(report["duplicates"], COUNT - report["keys"], tokens(report), runs, ended)


def _kill_at_stall(process: Popen[str], url: str) -> None:
    """Kill the tool once the server has what it takes before it stalls, or when the tool is done before that."""
    deadline = time.monotonic() + 60
    while ask(url)["creates"] < KILLED_AT and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)  # the answers to what came before the stall arrive
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


SETTINGS: dict[str, list[dict[str, str | int]]] = {
    "dlt": [{"workers": 1, "batch": 1}, {"workers": 1, "batch": 100}, {"workers": 20, "batch": 10}],
    "singer": [{"sinks": 1}, {"sinks": 1, "retries": 3}],
    "drt": [{"on-error": "fail"}, {"on-error": "skip"}],
}


def candidates(rivals: Path | None) -> list[Tool]:
    """Return the tools, with the settings that decide what they leave behind."""
    found = [Tool("flit", "flit", sys.executable)]
    for kind in RIVALS:
        python = rival_python(rivals, kind)
        if python is None:
            click.echo(f"{kind}: no interpreter under the folder of --rivals, left out", err=True)
        else:
            found += [Tool(_named(kind, options), kind, python, options) for options in SETTINGS[kind]]
    return found


def _named(kind: str, options: dict[str, str | int]) -> str:
    return f"{kind} {' '.join(f'{name} {value}' for name, value in options.items())}"


def rows(tools: Sequence[Tool], server: str) -> list[list[str]]:
    """Return the table's rows."""
    found = [["tool", "case", "duplicates", "losses", f"tokens ({COUNT * 5} at least)", "runs", "said it was done"]]
    for tool in tools:
        for case in CASES:
            with tempfile.TemporaryDirectory() as folder:
                left = strike(tool, case, server, Path(folder))
            words = [
                str(left.duplicates),
                str(left.losses),
                str(left.tokens),
                str(left.runs),
                "yes" if left.ended else "no",
            ]
            found.append([tool.name, case.name, *words])
    return found


def main() -> None:
    """Strike and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rivals", type=Path)
    given = parser.parse_args()
    click.echo(table(rows(candidates(given.rivals), server_python(given.rivals))))


if __name__ == "__main__":
    main()
