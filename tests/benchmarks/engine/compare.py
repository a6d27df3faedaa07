"""Compares the speed of writing: flit beside other tools and a bare loop, against a server without limits.

    python -m tests.benchmarks.engine.compare [--rivals FOLDER] [--rounds 5] [--count 5000] [--latency 0 50]

Each tool is first tried with every setting of its list, at each latency; then the best of each runs in interleaved
rounds. Prints settings, medians with spread, and flit's ratio to each of the others, taken round by round.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import click
from tests.benchmarks.engine.harness import RIVALS, Measured, Tool, measure, rival_python, server_python, table

FLIT, BARE = "flit", "bare loop"
SLOW_MS, SLOWEST = 10.0, 400


def candidates(rivals: Path | None) -> dict[str, list[Tool]]:
    """Return the tools that are there, each with the settings to try."""
    found = {
        FLIT: [Tool(FLIT, "flit", sys.executable)],
        BARE: [
            Tool(BARE, "bare", sys.executable, {"clients": clients, "connections": connections})
            for clients, connections in ((8, 1), (16, 1), (8, 2), (64, 1), (32, 2), (16, 4))
        ],
    }
    for kind in RIVALS:
        python = rival_python(rivals, kind)
        if python is None:
            click.echo(f"{kind}: no interpreter under the folder of --rivals, left out", err=True)
        elif kind == "drt":
            found["drt"] = [Tool("drt", kind, python, {"batch": batch}) for batch in (1000,)]
        else:
            for http in ("requests", "httpx"):
                name = f"{kind} ({http})"
                shared = _dlt_settings() if kind == "dlt" else _singer_settings()
                found[name] = [Tool(name, kind, python, {"http": http, **setting}) for setting in shared]
    return found


def _dlt_settings() -> list[dict[str, int]]:
    return [{"workers": workers, "batch": batch} for workers, batch in ((4, 100), (20, 10), (20, 100), (64, 50))]


def _singer_settings() -> list[dict[str, int]]:
    return [{"sinks": sinks} for sinks in (1, 8, 64)]


def records(tool: Tool, count: int, latency_ms: float) -> int:
    """Return how many records a round has; one that sends them one by one would take all day with a latency."""
    serial = tool.kind == "drt" or tool.options.get("sinks") == 1
    return min(count, SLOWEST) if serial and latency_ms >= SLOW_MS else count


class Benchmark:
    """Runs loads, each in an empty folder."""

    def __init__(self, rivals: Path | None, count: int) -> None:
        self._server = server_python(rivals)
        self._count = count

    def once(self, tool: Tool, latency_ms: float) -> Measured:
        """Return one load's figures."""
        with tempfile.TemporaryDirectory() as folder:
            return measure(tool, self._server, Path(folder), records(tool, self._count, latency_ms), latency_ms)

    def best(self, tools: list[Tool], latency_ms: float) -> Tool:
        """Return the fastest of a tool's settings."""
        if len(tools) == 1:
            return tools[0]
        rates = [self.once(tool, latency_ms).rate for tool in tools]
        for tool, rate in zip(tools, rates, strict=True):
            click.echo(f"  tried {tool.name} {dict(tool.options)}: {rate:.0f}", err=True)
        return tools[rates.index(max(rates))]


def rounds(benchmark: Benchmark, tools: list[Tool], latency_ms: float, count: int) -> dict[str, list[Measured]]:
    """Run every tool once a round, in another order each time."""
    found: dict[str, list[Measured]] = {tool.name: [] for tool in tools}
    for number in range(count):
        order = tools[number % len(tools) :] + tools[: number % len(tools)]
        for tool in order:
            found[tool.name].append(benchmark.once(tool, latency_ms))
            click.echo(f"  round {number + 1}: {tool.name} {found[tool.name][-1].rate:.0f}", err=True)
    return found


def summary(found: dict[str, list[Measured]]) -> str:
    """Return the table: medians with spread, and flit's ratio to each tool, the median of the rounds' ratios."""
    head = ["tool", "records/s", "spread", "whole/s", "CPU us", "peak MB", "flit is", "its settings"]
    rows = [head]
    for name, all_measured in found.items():
        rates = [measured.rate for measured in all_measured]
        ratios = [own.rate / other.rate for own, other in zip(found[FLIT], all_measured, strict=True)]
        settings = {key: value for key, value in all_measured[-1].settings.items() if key not in ("said", "exit")}
        rows.append(
            [
                name,
                f"{statistics.median(rates):.0f}",
                f"{min(rates):.0f}-{max(rates):.0f}",
                f"{statistics.median(m.whole for m in all_measured):.0f}",
                f"{statistics.median(m.cpu_us for m in all_measured):.0f}",
                f"{statistics.median(m.peak_mb for m in all_measured):.0f}",
                f"{statistics.median(ratios):.2f} x",
                ", ".join(f"{key} {value}" for key, value in settings.items()),
            ]
        )
    return table(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rivals", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("--latency", type=float, nargs="+", default=[0.0, 50.0])
    parser.add_argument("--only", nargs="+", help="tools whose name begins so")
    parser.add_argument("--sharing", nargs=2, type=int, help="the bare loop's clients, and connections of each")
    given = parser.parse_args()
    benchmark = Benchmark(given.rivals, given.count)
    tools = candidates(given.rivals)
    if given.sharing:
        clients, connections = given.sharing
        tools[BARE] = [Tool(BARE, "bare", sys.executable, {"clients": clients, "connections": connections})]
    if given.only:
        tools = {name: some for name, some in tools.items() if name.startswith(tuple(given.only))}
    for latency_ms in given.latency:
        best = [benchmark.best(some, latency_ms) for some in tools.values()]
        found = rounds(benchmark, best, latency_ms, given.rounds)
        click.echo(f"\nlatency {latency_ms:g} ms, {given.count} records, {given.rounds} rounds, interleaved")
        click.echo(summary(found))


if __name__ == "__main__":
    main()
