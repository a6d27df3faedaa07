"""One simulation from its first process to its last: run until done, again after each death, and ask the oracle."""

from __future__ import annotations

import asyncio
import random
import tempfile
import traceback
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.errors import FlitError
from flitstack.journal import BUCKETS
from flitstack.registry import load_plugins
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.intake import specs
from flitstack.stages.options import RunOptions
from flitstack.stages.run import run_migration
from flitstack.testing.migration import MemoryPlugin, Words
from flitstack.testing.simulation.exports import merged
from flitstack.testing.simulation.loop import VirtualLoop
from flitstack.testing.simulation.oracle import differences, expected
from flitstack.testing.simulation.port import as_held, holds_of
from flitstack.testing.simulation.source import SimulatedSource, export_of
from flitstack.testing.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.protocols import DestinationPlugin, SourcePlugin
    from flitstack.registry import Registry
    from flitstack.stages.report import RunReport
    from flitstack.testing.simulation.port import Port, SimulatedAccount
    from flitstack.testing.simulation.scenario import Scenario

MOST_PROCESSES = 60
ENOUGH = 8  # runs that ended, and not as they should: the next one will not do better
SETTLING_S = 30.0
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a folder in memory, where Linux has one: a commit there waits for no disk


@dataclass(slots=True)
class Verdict:
    """What became of a simulation.

    :param wrongs: what must never be; none when all is well.
    :param struck: how often each kind of misfortune came. :param deaths: where the processes ended.
    :param seconds: that passed in the simulated world.
    :param trace: equal for two simulations that went the same way.
    """

    scenario: Scenario
    wrongs: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    deaths: list[str] = field(default_factory=list)
    processes: int = 0
    requests: int = 0
    writes: int = 0
    seconds: float = 0.0
    trace: str = ""


def simulate(scenario: Scenario, port: Port) -> Verdict:
    """Return what becomes of a scenario; it depends on nothing but the two."""
    kept = random.getstate()
    random.seed(scenario.seed)
    folder = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
    loop = VirtualLoop()
    try:
        with tempfile.TemporaryDirectory(prefix="flit-simulation-", dir=folder) as place, quick():
            return loop.run_until_complete(_Walk(scenario, port, Path(place), loop).go())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        random.setstate(kept)


class _Walk:
    """One scenario under way."""

    def __init__(self, scenario: Scenario, port: Port, folder: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._scenario = scenario
        self._world = World(scenario, folder / "flit.db", loop)
        self._account: SimulatedAccount = port.account(self._world)
        self._holds = holds_of(port)
        self._before = as_held(self._account.picture(), self._holds)
        self._source = SimulatedSource()
        template = folder / "simulated.yaml.j2"
        template.write_text(port.template, encoding="utf-8")
        self._registry = _registry(self._source.plugin(), self._account.destination())
        self._options = RunOptions(
            "memory", port.name, folder / "flit.db", "export", str(template), tuple(port.sets), Passing(unseen="test")
        )

    async def go(self) -> Verdict:
        """Migrate one export after the other, then run once more, which must write nothing."""
        wrongs = self._world.wrongs
        try:
            for number, rows in enumerate(self._scenario.exports, 1):
                self._source.export = export_of(rows)
                report = await self._until_done()
                await asyncio.sleep(SETTLING_S)  # a late request may still be on its way
                wrongs += self._differences(number)
                if report is None:
                    break
                wrongs += self._unsound(report, number)
            else:
                await self._run_in_vain()
        except Exception:  # noqa: BLE001 - whatever the engine raised that is no FlitError is what is looked for
            wrongs.append(f"broke: {_place()}")
        finally:
            self._account.close()
        return self._verdict()

    async def _until_done(self) -> RunReport | None:
        """Return the report of the run that was done, or None when there is no end of it."""
        ended: list[str] = []
        for _ in range(MOST_PROCESSES):
            report = await self._process()
            if report is not None and (report.status == "done" or self._is_foreseen(report)):
                return report
            ended += [report.status] if report is not None else []
            if len(ended) == ENOUGH:
                break
        self._world.wrongs.append(f"never done: {ended[-1] if ended else 'no run ended'}")
        return None

    def _is_foreseen(self, report: RunReport) -> bool:
        """Tell whether a run ended otherwise for no other reason than that the scenario has it so."""
        if report.status == "done_with_others":
            return bool(self._scenario.refused) and not any(c["conflicts"] for c in report.objects.values())
        if report.status == "mismatched" and report.verification is not None:
            examples = report.verification.examples
            return all(key in self._scenario.automated and "phone" in what for _, key, what in examples)
        return False

    async def _process(self) -> RunReport | None:
        """Return the report of one invocation, or None when it died or was stopped."""
        clock = self._world.clock
        run = run_migration(self._options, Words(), StopFlag(), registry=self._registry, clock=clock)
        try:
            return await self._world.process(run)
        except FlitError:
            return None

    async def _run_in_vain(self) -> None:
        """Run once more, to the end: everything is there, so nothing may be written."""
        writes = self._account.writes
        while await self._process() is None:
            if self._world.fate.processes > 2 * MOST_PROCESSES:
                self._world.wrongs.append("it never ends: the run after the last")
                return
        await asyncio.sleep(SETTLING_S)
        if self._account.writes != writes:
            self._world.wrongs.append(f"a further run wrote {self._account.writes - writes} times")
        self._world.wrongs += self._differences(len(self._scenario.exports))

    def _differences(self, phases: int) -> list[str]:
        wanted = as_held(expected(self._scenario, phases), self._holds)
        return differences([*wanted, *self._before], as_held(self._account.picture(), self._holds))

    def _unsound(self, report: RunReport, phases: int) -> list[str]:
        """Return what is wrong with the buckets: they partition what was read."""
        read = {stream: len(found) for stream, found in merged(self._scenario.exports[:phases]).items() if found}
        told = {stream: counts["read"] for stream, counts in report.streams.items()}
        lines = [] if read == told else [f"buckets: read {read}, told {told}"]
        for stream, counts in report.streams.items():
            if sum(counts[bucket] for bucket in BUCKETS) != counts["read"]:
                lines.append(f"buckets: those of {stream} do not add up")
            if counts["in_doubt"] or counts["pending"] or counts["conflict"]:
                lines.append(f"buckets: {stream} is not settled: {dict(counts)}")
        return lines

    def _verdict(self) -> Verdict:
        world, loop = self._world, asyncio.get_running_loop()
        return Verdict(
            self._scenario,
            world.wrongs,
            world.struck,
            world.fate.died,
            world.fate.processes,
            world.wire.requests,
            self._account.writes,
            loop.time(),
            world.fate.trace.hexdigest(),
        )


@contextmanager
def quick() -> Iterator[None]:
    """Leave out what thousands of runs need not repeat: compiling the same template and the same spec."""
    known = {name: getattr(specs, name) for name in _COMPILED}
    for name, load in known.items():
        setattr(specs, name, _once(load, _COMPILED[name]))
    try:
        yield
    finally:
        for name, load in known.items():
            setattr(specs, name, load)


_COMPILED: dict[str, dict[Any, Any]] = {"load_spec": {}, "load_template": {}}


_CURRENT: dict[str, tuple[SourcePlugin, DestinationPlugin]] = {}
_REGISTRIES: dict[str, Registry] = {}


def _registry(source: SourcePlugin, destination: DestinationPlugin) -> Registry:
    """Return a registry of these two; it is made once per destination, as looking for installed plugins takes long."""
    name = destination.name
    _CURRENT[name] = (source, destination)
    if name not in _REGISTRIES:
        known = MemoryPlugin(
            replace(source, open=lambda path, settings: _CURRENT[name][0].open(path, settings)),
            replace(destination, open=lambda settings, context: _CURRENT[name][1].open(settings, context)),
        )
        _REGISTRIES[name] = load_plugins((), {"simulated": known})
    return _REGISTRIES[name]


def _once(load: Any, known: dict[Any, Any]) -> Any:
    def loaded(what: Any, **rest: Any) -> Any:
        text = what.read_text("utf-8") if isinstance(what, Path) else what
        if text not in known:
            known[text] = load(what, **rest)
        return known[text]

    return loaded


def _place() -> str:
    """Return the exception under way and where it came from, innermost place first."""
    lines = traceback.format_exc().strip().splitlines()
    places = [line.strip() for line in lines if line.lstrip().startswith("File ")]
    return f"{lines[-1]} ({'; '.join(reversed(places[-3:]))})"
