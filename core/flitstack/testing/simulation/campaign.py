"""Many seeds at once: shared out over processes, added up in a table, the failing ones made smaller and told."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack.testing.simulation.port import load_named, load_port
from flitstack.testing.simulation.scenario import scenario_of
from flitstack.testing.simulation.shrink import described, shrink
from flitstack.testing.simulation.walk import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flitstack.testing.simulation.scenario import Scenario
    from flitstack.testing.simulation.walk import Verdict

#: A broken engine: holds while the context does.
Variant: TypeAlias = "Callable[[], AbstractContextManager[Any]]"

CHUNK = 20
SHOWN = 3

#: What a misfortune is called in the table; F1 to F13 are the faults of the test-kit.
LABELS = {
    "connect": "F1 connection refused",
    "lost": "F2 timeout, nothing arrived",
    "commit_then_drop": "F3 done, the answer lost",
    "late": "F3 the answer lost, done later",
    "commit_then_5xx": "F4 done, answered 5xx",
    "refused_5xx": "F4 not done, answered 5xx",
    "truncated": "F5 done, the answer cut",
    "not_json": "F5 done, answered with a page",
    "drip": "F6 the answer trickles in",
    "signed_out": "F7 401 in the middle",
    "refused_4xx": "F8 a record refused for good",
    "blocked": "F8 403 of the gateway",
    "too_fast": "F8 429",
    "death": "F9 the process ends",
    "disk_full": "F10 no room for a commit",
    "list_lag": "F11 lists late, the search much later",
    "clock_jump": "F12 the clock jumps",
    "two_runners": "F13 a second run",
    "automation": "the account changes a new record",
    "delta": "a second, changed export",
}


@dataclass(slots=True)
class Row:
    """The seeds that met one misfortune, and what they came to."""

    seeds: int = 0
    times: int = 0
    deaths: int = 0
    restarts: int = 0
    requests: int = 0

    def add(self, times: int, verdict: Verdict) -> None:
        """Add one seed."""
        self.seeds += 1
        self.times += times
        self.deaths += len(verdict.deaths)
        self.restarts += verdict.processes - 1
        self.requests += verdict.requests


@dataclass(slots=True)
class Tally:
    """What many seeds came to.

    :param failures: seed to what was wrong.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    all: Row = field(default_factory=Row)
    places: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    simulated_s: float = 0.0
    failures: dict[int, list[str]] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        """Add one seed."""
        met = Counter({kind: times for kind, times in verdict.struck.items() if times})
        met["death"] = len(verdict.deaths)
        met["list_lag"] = int(verdict.scenario.lag_s > 0)
        met["delta"] = len(verdict.scenario.exports) - 1
        for kind, times in met.items():
            if times:
                self.rows.setdefault(kind, Row()).add(times, verdict)
        self.all.add(0, verdict)
        self.places.update(verdict.deaths)
        self.writes += verdict.writes
        self.simulated_s += verdict.seconds
        if verdict.wrongs:
            self.failures[verdict.scenario.seed] = verdict.wrongs

    def merge(self, other: Tally) -> None:
        """Add what other seeds came to."""
        for kind, row in [*other.rows.items(), ("", other.all)]:
            mine = self.rows.setdefault(kind, Row()) if kind else self.all
            for name in Row.__slots__:
                setattr(mine, name, getattr(mine, name) + getattr(row, name))
        self.places.update(other.places)
        self.writes += other.writes
        self.simulated_s += other.simulated_s
        self.failures.update(other.failures)

    def table(self) -> str:
        """Return the table, as Markdown."""
        lines = ["| misfortune | seeds | times | deaths | restarts | requests |", "|---|---:|---:|---:|---:|---:|"]
        known = [kind for kind in LABELS if kind in self.rows]
        lines += [_line(LABELS[kind], self.rows[kind], f"{self.rows[kind].times:,}") for kind in known]
        lines.append(_line("**all**", self.all, ""))
        return "\n".join(lines)

    def summary(self) -> str:
        """Return the rest in words."""
        places = ", ".join(f"{count:,} {place}" for place, count in sorted(self.places.items()))
        return (
            f"{self.all.seeds:,} seeds, {len(self.failures)} failed. {self.writes:,} writes took effect in "
            f"{self.simulated_s / 86400:,.1f} simulated days. Deaths: {places or 'none'}."
        )


def _line(label: str, row: Row, times: str) -> str:
    return f"| {label} | {row.seeds:,} | {times} | {row.deaths:,} | {row.restarts:,} | {row.requests:,} |"


def run_seeds(port: str, seeds: Sequence[int], broken: str | None = None) -> Tally:
    """Return what these seeds came to, one after the other.

    :param port: `MODULE:NAME` or `FILE.py:NAME` of the port. :param broken: the same of a variant, if any.
    """
    loaded, tally = load_port(port), Tally()
    with _variant(broken):
        for seed in seeds:
            tally.add(simulate(scenario_of(seed), loaded))
    return tally


def run_campaign(
    port: str, seeds: range, workers: int, tell: Callable[[str], None], broken: str | None = None
) -> Tally:
    """Return what many seeds came to, shared out over `workers` processes; `tell` is given the progress."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    tally, began = Tally(), time.monotonic()
    for part in _share_out(port, chunks, workers, broken):
        tally.merge(part)
        took = time.monotonic() - began
        tell(f"{tally.all.seeds:,} of {len(seeds):,} seeds, {len(tally.failures)} failed, {took:.0f} s")
    return tally


def _share_out(port: str, chunks: Sequence[range], workers: int, broken: str | None) -> Iterator[Tally]:
    if workers == 1:
        yield from (run_seeds(port, chunk, broken) for chunk in chunks)
        return
    with ProcessPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(run_seeds, port, chunk, broken) for chunk in chunks]):
            yield done.result()


def explain(port: str, seed: int, broken: str | None = None) -> str:
    """Return what is wrong with a seed, made as small as it gets, and the command that replays it."""
    loaded = load_port(port)

    def fails(scenario: Scenario) -> bool:
        return bool(simulate(scenario, loaded).wrongs)

    with _variant(broken):
        whole = simulate(scenario_of(seed), loaded).wrongs
        if not whole:
            return f"seed {seed}: nothing wrong."
        smallest = shrink(scenario_of(seed), fails)
        wrongs = simulate(smallest, loaded).wrongs
    said = [f"seed {seed} failed:", *(f"  {wrong}" for wrong in whole)]
    said += [f"Replay: {replay_command(port, seed, broken)}", "Made smaller, it still fails:"]
    said += [f"  {line}" for line in [*described(smallest).splitlines(), *(f"=> {wrong}" for wrong in wrongs)]]
    return "\n".join(said)


def replay_command(port: str, seed: int, broken: str | None = None) -> str:
    """Return the one command that does again what a seed did."""
    more = f" --broken {broken}" if broken else ""
    return f"python -m flitstack.testing.simulation --port {port} --seeds {seed}{more}"


def _variant(broken: str | None) -> AbstractContextManager[Any]:
    if broken is None:
        return nullcontext()
    variant: Variant = load_named(broken, "variant")
    return variant()
