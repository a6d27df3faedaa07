"""Starts the server and a tool, each in a process of its own, and tells what the server saw and the tool said."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.costs import cost_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[3]
HERE = "tests.benchmarks.engine"
RIVALS = ("dlt", "singer", "drt")
NEEDS_FOLDER = ("dlt", "drt")


@dataclass(frozen=True, slots=True)
class Tool:
    """One way to load, with its settings as options of its script.

    :param kind: the script, `loads/KIND_load.py`. :param python: the interpreter that has the tool.
    """

    name: str
    kind: str
    python: str
    options: Mapping[str, str | int] = field(default_factory=dict)

    def command(self, url: str, count: int, folder: Path) -> list[str]:
        """Return the command that loads `count` persons; what it keeps between runs is in the folder."""
        options: dict[str, str | int] = {"url": url, "count": count, **self.options}
        if self.kind == "flit":
            options["journal"] = str(folder / "flit.db")
        elif self.kind in NEEDS_FOLDER:
            options["folder"] = str(folder)
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        return [self.python, "-m", f"{HERE}.loads.{self.kind}_load", *words]


@dataclass(frozen=True, slots=True)
class Measured:
    """One load.

    :param rate: creates a second between the arrival of the first and the answer to the last.
    :param whole: records a second over the tool's whole load, its reading, planning and settling included.
    :param cpu_us: processor time of the tool a record, its start included.
    """

    rate: float
    whole: float
    cpu_us: float
    peak_mb: float
    settings: Mapping[str, Any]
    report: Mapping[str, Any]


def server_python(rivals: Path | None) -> str:
    """Return the interpreter for the server: one with uvloop when there is one."""
    found = rivals / "server" / "bin" / "python" if rivals else None
    return str(found) if found is not None and found.exists() else sys.executable


def rival_python(rivals: Path | None, kind: str) -> str | None:
    """Return the interpreter that has the tool, or None when it is not there."""
    found = rivals / kind / "bin" / "python" if rivals else None
    return str(found) if found is not None and found.exists() else None


@contextmanager
def serving(python: str, *options: str) -> Iterator[str]:
    """Run the server; yield its address."""
    command = [python, "-m", f"{HERE}.server", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield str(json.loads(process.stdout.readline())["url"])
        finally:
            process.kill()


def ask(url: str, path: str = "/bench", method: str = "GET") -> dict[str, Any]:
    """Return what the server noted."""
    request = urllib.request.Request(url + path, method=method)  # noqa: S310 - this machine's own server
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        return dict(json.load(answer))


def start(tool: Tool, url: str, count: int, folder: Path) -> subprocess.Popen[str]:
    """Start a load."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        tool.command(url, count, folder),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], timeout_s: float = 600) -> tuple[dict[str, Any] | None, str]:
    """Wait for a load; return its last line, None when it failed, and the end of its words."""
    out, err = process.communicate(timeout=timeout_s)
    line = out.strip().splitlines()[-1:] if process.returncode == 0 else []
    return (json.loads(line[0]) if line else None), err.strip()[-500:]


def measure(tool: Tool, server: str, folder: Path, count: int, latency_ms: float) -> Measured:
    """Load once.

    :raises SystemExit: the tool failed, or did not create each record once.
    """
    with serving(server, "--latency-ms", str(latency_ms)) as url:
        said, words = finish(start(tool, url, count, folder))
        report = ask(url)
    if said is None or report["keys"] != count or report["duplicates"]:
        raise SystemExit(f"{tool.name}: {report}\n{words}")
    took_s = said["took_s"]
    rate = count / report["seconds"]
    return Measured(rate, count / took_s, said["cpu_s"] / count * 1e6, said["peak_mb"], said["settings"], report)


def tokens(report: Mapping[str, Any]) -> int:
    """Return what the requests that the server counted would have cost (Pipedrive API, "Rate limiting")."""
    spent = 0
    for asked, times in report["requests"].items():
        method, path = asked.split(" ")
        _, _, version, rest = path.split("/", 3)
        templated = re.sub(r"/\d+(?=/|$)", "/{id}", f"/{rest}")
        spent += times * cost_of(int(version[1:]), method, templated)
    return spent


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows in columns, the first row as the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
