"""Measures the local way, from a file of 27 columns to planned operations, beside the libraries at their best.

    python tests/benchmarks/local/measure.py [--rows 100000] [--rounds 5] [--sizes 10000,100000,1000000]

Both sides run in processes of their own, one after the other, round by round, over the same invented patients file:

* reference: csv, a typed record, jsonschema-rs, one expression per record compiled in Jinja's immutable sandbox (all
  sixteen fields at once), sqlite-utils' `insert_all` a thousand rows at a time (WAL, synchronous=NORMAL). Nothing else:
  no journal, no account of each row, no plan.
* bare: the same with `executemany` of one JSON text a record in place of sqlite-utils; printed, no target.
* flit: the dental reader, stage, map and plan, into a journal as a run makes it; the destination is one in
  memory. Its template is `patients.yaml.j2` beside this file. Every row is validated once, by the reader: each record
  is checked against its stream's schema with the same jsonschema-rs as the reference's, before it is staged. The checks
  of `flit audit` are another command and not part of it. Mapping is shared among up to four processes
  (FLITSTACK_PROCESSES=1 for one), so the ratio needs cores that are idle; the load is printed.

Prints rows a second (median, least and most) and the ratio; then memory and time per row for each of `--sizes`. Ends
with 1 when a target is missed: 85 % of the reference; a million rows in under 300 MB, at most 1.2 times as long per
row as a hundred thousand.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))
from data import write_patients  # type: ignore[import-not-found]  # beside this file, which is no package

SIDES = Path(__file__).parent / "sides.py"
RATIO = 0.85
MOST_MB = 300
SLOWER = 1.2
STAGES = ("open", "stage", "spec", "map", "plan")


def run(side: str, file: Path, *, watched: bool = False) -> dict[str, Any]:
    """Run one side once, in a process and a folder of its own, and return what it took.

    :param watched: `peak_mb` counts its children too, looked at ten times a second.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(SIDES), side, str(file), folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            most = 0.0
            while watched and process.poll() is None:
                most = max(most, _held_mb(process.pid))
                time.sleep(0.1)
            said = process.communicate()[0]
        if process.returncode:
            raise SystemExit(f"{side} failed.")
    took: dict[str, Any] = json.loads(said)
    took["peak_mb"] = max(took["peak_mb"], most)
    return took


def _held_mb(pid: int) -> float:
    """Return the memory of a process and its children in MB; pages that they share are counted once (PSS, Linux)."""
    total, waiting = 0, [pid]
    while waiting:
        place = Path(f"/proc/{waiting.pop()}")
        try:
            lines = (place / "smaps_rollup").read_text("ascii").splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            waiting += [int(one) for task in place.glob("task/*/children") for one in task.read_text("ascii").split()]
        except OSError:  # it has just ended
            continue
    return total / 1024


def compare(file: Path, rounds: int) -> float:
    """Run both sides in turn; print rows a second and return the ratio of the medians."""
    speeds: dict[str, list[float]] = {"reference": [], "bare": [], "flit": []}
    took: dict[str, Any] = {}
    for _ in range(rounds):
        for side, found in speeds.items():
            took = run(side, file)
            found.append(took["rows"] / took["seconds"])
    for side, found in speeds.items():
        median, least, most = statistics.median(found), min(found), max(found)
        click.echo(f"{side:10} {median:10,.0f} rows/s   ({least:,.0f} to {most:,.0f}, {rounds} rounds)")
    shares = ", ".join(f"{name} {took[name] / took['rows'] * 1e6:.1f}" for name in STAGES)
    click.echo(f"flit's last round, microseconds a row: {shares}")
    click.echo(f"load of the machine: {os.getloadavg()[0]:.1f}, with {os.cpu_count()} cores")
    ratio = statistics.median(speeds["flit"]) / statistics.median(speeds["reference"])
    click.echo(f"ratio of medians: {ratio:.2f} (target {RATIO})")
    return ratio


def grow(folder: Path, sizes: list[int]) -> bool:
    """Print memory and time per row for each size; return whether both stay within their targets."""
    per_row: dict[int, float] = {}
    fits = True
    for size in sizes:
        took = run("flit", write_patients(folder, size), watched=True)
        per_row[size] = took["seconds"] / size * 1e6
        click.echo(f"{size:10,} rows: {took['peak_mb']:5.0f} MB at the most, {per_row[size]:6.1f} microseconds a row")
        fits = fits and took["peak_mb"] < MOST_MB
    base = per_row.get(100_000)
    largest = per_row[max(sizes)]
    if base is not None:
        click.echo(f"{max(sizes):,} rows take {largest / base:.2f} times as long per row as 100,000 (target {SLOWER})")
        fits = fits and largest <= base * SLOWER
    return fits


def main() -> int:
    """Print the tables; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default="10000,100000,1000000", help="empty to leave this part out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        ratio = compare(write_patients(folder, options.rows), options.rounds)
        sizes = [int(size) for size in options.sizes.split(",") if size]
        fits = grow(folder, sizes) if sizes else True
    return 0 if ratio >= RATIO and fits else 1


if __name__ == "__main__":
    sys.exit(main())
