"""How long a command takes to say what it can do: `--help` of each tool beside the bare interpreter, interleaved.

python -m tests.benchmarks.engine.startup [--rivals FOLDER] [--rounds 11]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from tests.benchmarks.engine.harness import HERE, RIVALS, ROOT, rival_python, table
from tests.registry.dummies import install_dummies

CROWD = "flit --help, 50 more plugins"


def commands(rivals: Path | None) -> dict[str, list[str]]:
    """Return the commands to time."""
    found = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "flit --help": [str(Path(sys.executable).with_name("flit")), "--help"],
        CROWD: [str(Path(sys.executable).with_name("flit")), "--help"],
        "flit run --help": [str(Path(sys.executable).with_name("flit")), "run", "--help"],
    }
    for kind in RIVALS:
        python = rival_python(rivals, kind)
        if python is None:
            click.echo(f"{kind}: no interpreter under the folder of --rivals, left out", err=True)
        elif kind == "singer":
            call = f"from {HERE}.loads.singer_load import TargetPersons; TargetPersons.cli()"
            found["singer target --help"] = [python, "-c", call, "--help"]
        else:
            found[f"{kind} --help"] = [str(Path(python).with_name(kind)), "--help"]
    return found


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rivals", type=Path)
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    wanted = commands(given.rivals)
    took: dict[str, list[float]] = {name: [] for name in wanted}
    with tempfile.TemporaryDirectory() as folder:
        install_dummies(Path(folder), 50)
        crowded = {**os.environ, "PYTHONPATH": folder}
        for _ in range(given.rounds + 1):
            for name, command in wanted.items():
                environment = crowded if name == CROWD else None
                began = time.perf_counter()
                subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
                took[name].append((time.perf_counter() - began) * 1000)
    rows = [["command", "median ms", "spread"]]
    for name, times in took.items():
        kept = times[1:]  # the first round fills the caches
        rows.append([name, f"{statistics.median(kept):.0f}", f"{min(kept):.0f}-{max(kept):.0f}"])
    click.echo(table(rows))


if __name__ == "__main__":
    main()
