"""A trial: one account of a port, one journal, and a simulated world in which commands are run one after the other."""

from __future__ import annotations

import asyncio
import random
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flitstack.errors import FlitError
from flitstack.journal import BUCKETS
from flitstack.protocols import SchemaItem, WriterContext
from flitstack.registry import load_plugins
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.proof.recheck import RecheckOptions, RecheckReport, recheck
from flitstack.stages.rollback.scope import Scope
from flitstack.stages.rollback.walk import RollbackOptions, rollback
from flitstack.stages.run import run_migration
from flitstack.testing.kit.loads import held_by
from flitstack.testing.kit.port import Secretive, holds_of
from flitstack.testing.kit.recording import Recording, recorded
from flitstack.testing.migration import MemoryPlugin, Words
from flitstack.testing.simulation.exports import merged
from flitstack.testing.simulation.loop import VirtualLoop
from flitstack.testing.simulation.oracle import differences, expected
from flitstack.testing.simulation.port import as_held
from flitstack.testing.simulation.scenario import Scenario
from flitstack.testing.simulation.source import SimulatedSource, export_of
from flitstack.testing.simulation.walk import quick
from flitstack.testing.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from flitstack.protocols import Behaviours, DestinationPlugin, Writer
    from flitstack.stages.report import RunReport
    from flitstack.stages.rollback.report import RollbackReport
    from flitstack.testing.kit.guards import Guards
    from flitstack.testing.kit.port import Held, Port, SimulatedAccount
    from flitstack.testing.simulation.exports import Rows

T = TypeVar("T")

SETTLING_S = 30.0
MOST_RUNS = 40
ENOUGH = 4  # runs that read back the same difference: the next one will too
LOOK = "See what apply() was told, what it sent and answered, and what the port's picture() shows (docs/testkit.md)"
UNSEEN = Passing(unseen="test")


class Trial:
    """One migration of the simulated source into an account of the port.

    :param rows: the first export; `give` puts a later one in its place.
    :param scenario: what is to strike: fields of `Scenario`.
    :ivar before: what the account held when it was new.
    """

    def __init__(self, port: Port, folder: Path, guards: Guards, rows: Rows, **scenario: Any) -> None:
        random.seed(0)
        self.holds = holds_of(port)
        self.rows = held_by(rows, self.holds)
        self.scenario = Scenario(0, (self.rows,), **scenario)
        self._loop = VirtualLoop()
        folder.mkdir(exist_ok=True)
        self._guards = guards
        self.world = World(self.scenario, folder / "flit.db", self._loop)
        self.account: SimulatedAccount = port.account(self.world)
        guards.theirs |= set(folder.iterdir())
        self.before = self.picture()
        self.recording = Recording()
        self.destination: DestinationPlugin = recorded(self.account.destination(), self.recording)
        self.behaviours: Behaviours = self.destination.behaviours
        self._exports = [self.rows]
        self._source = SimulatedSource()
        self._template = folder / "template.yaml.j2"
        self._template.write_text(port.template, encoding="utf-8")
        self._sets = tuple(port.sets)
        self._registry = load_plugins((), {"simulated": MemoryPlugin(self._source.plugin(), self.destination)})
        self._source.export = export_of(self.rows)
        if isinstance(self.account, Secretive):
            guards.secrets.update(self.account.secrets)
        guards.folders.append(folder)

    def close(self) -> None:
        """Let account and loop go."""
        self.account.close()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def give(self, rows: Rows) -> None:
        """Let the source hold a later export."""
        rows = held_by(rows, self.holds)
        self._exports.append(rows)
        self._source.export = export_of(rows)

    def do(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """Return what one process comes to, None when it died; a late request arrives before this returns.

        :raises FlitError: what stopped it.
        """

        async def whole() -> T | None:
            try:
                return await self.world.process(work())
            finally:
                await asyncio.sleep(SETTLING_S)

        try:
            with quick():
                return self._loop.run_until_complete(whole())
        except (FlitError, AssertionError) as exc:
            self._guards.said += traceback.format_exception(exc)
            raise
        except Exception as exc:
            last = traceback.extract_tb(exc.__traceback__)[-1]
            raise AssertionError(
                f"{type(exc).__name__} came out of {Path(last.filename).name}, line {last.lineno} ({last.name}): "
                "either the plugin raised it, or a writer answered what its Protocol does not allow "
                "(flitstack.protocols)"
            ) from exc

    def run(self, *, passing: Passing = UNSEEN, sets: Sequence[str] = (), **options: Any) -> RunReport | None:
        """Run once, every gate passed unseen; return the report, None when the process died.

        :raises FlitError: what stopped it.
        """
        words = Words()
        asked = RunOptions(
            "memory", self.destination.name, self.world.journal, "export", str(self._template),
            (*self._sets, *sets), passing, **options,
        )  # fmt: skip
        clock = self.world.clock
        try:
            return self.do(lambda: run_migration(asked, words, StopFlag(), registry=self._registry, clock=clock))
        finally:
            self._guards.said += words.said

    def finished(self, **options: Any) -> RunReport:
        """Run once, as `run` does, and return the report of a run that nothing is to stop.

        :raises AssertionError: it came to none.
        """
        try:
            report = self.run(**options)
        except FlitError as exc:
            raise AssertionError(f"nothing was to stop this run, and {type(exc).__name__} did: {exc}") from exc
        assert report is not None, "the process ended in the middle of a run that nothing was to end"
        return report

    def stops(self, error: type[FlitError], when: str, **options: Any) -> FlitError:
        """Run once, and return the error by which the run stopped.

        :param when: what is to stop it, in words.
        :raises AssertionError: it went on, or stopped with another one.
        """
        told = f"{when}: the run must stop with {error.__name__} (flitstack.errors), and"
        try:
            report = self.run(**options)
        except error as exc:
            return exc
        except FlitError as exc:
            raise AssertionError(f"{told} stopped with {type(exc).__name__}: {exc}") from exc
        raise AssertionError(f"{told} ended as {report.status if report else 'a process that was killed'}")

    def values_of(self, kind: str, name: str) -> dict[str, str]:
        """Return what the account holds of a record of ours.

        :raises AssertionError: it is not there.
        """
        found = [one for one in self.picture() if (one.kind, one.name) == (kind, name)]
        assert found, f"lost: {kind} {name} was written, and the port's picture() does not show it"
        return dict(found[0].values)

    def until_done(self) -> RunReport:
        """Run again and again, as an operator would, until a run ends; return its report.

        :raises AssertionError: there is no end of it.
        """
        stopped: list[str] = []
        for _ in range(MOST_RUNS):
            try:
                report = self.run()
            except FlitError as exc:
                stopped.append(type(exc).__name__)
                continue
            if report is not None and report.status in ("done", "done_with_others"):
                return report
            stopped.append("died" if report is None else report.status)
            if stopped[-ENOUGH:] == ["mismatched"] * ENOUGH:
                break
        wrong = "; ".join(self.differences()[:3]) or "the account itself is as it should be"
        raise AssertionError(f"no run was done, the last ended with {', '.join(stopped[-2:])}: {wrong}. {LOOK}")

    def roll_back(self, scope: Scope | None = None, **options: Any) -> RollbackReport | None:
        """Undo once, unseen; return the report, None when the process died.

        :raises FlitError: what stopped it.
        """
        asked = RollbackOptions(self.world.journal, scope or Scope(), unseen="test", **options)
        clock = self.world.clock
        return self.do(lambda: rollback(asked, Words(), StopFlag(), registry=self._registry, clock=clock))

    def verify(self) -> RecheckReport:
        """Read back what was written."""
        asked = RecheckOptions(self.world.journal)
        clock = self.world.clock
        report = self.do(lambda: recheck(asked, Words(), StopFlag(), registry=self._registry, clock=clock))
        assert report is not None, "the process ended in the middle of reading back, which nothing was to end"
        return report

    def talk(self, ask: Callable[[Writer], Coroutine[Any, Any, T]]) -> T:
        """Return what a fresh writer, which knows the account's schema items, answers."""

        async def asked() -> T:
            writer = self.destination.open({}, WriterContext(self.world.clock, self._source_bytes))
            try:
                await writer.account()
                await writer.schema()
                items = {key: SchemaItem(i.object, i.name, i.of, i.settings, i.id) for key, i in self._bound().items()}
                writer.bind(items)
                return await ask(writer)
            finally:
                await writer.aclose()

        found = self.do(asked)
        assert found is not None, "the process ended while a writer was asked, which nothing was to end"
        return found

    def picture(self) -> list[Held]:
        """Return what the account holds, in the fields in which this port is compared; strangers whole."""
        return as_held(self.account.picture(), self.holds)

    def wanted(self) -> list[Held]:
        """Return what the account must hold after the exports so far."""
        scenario = Scenario(0, tuple(self._exports), refused=self.scenario.refused)
        return [*as_held(expected(scenario, len(self._exports)), self.holds), *self.before]

    def differences(self) -> list[str]:
        """Return what is wrong with the account, one line each."""
        return [*differences(self.wanted(), self.picture()), *self.world.wrongs]

    def check(self, report: RunReport | None = None) -> None:
        """Fail when anything is lost, doubled or changed, or when a report's buckets do not add up."""
        wrong = self.differences()
        assert not wrong, f"{'; '.join(wrong[:6])}. {LOOK}"
        if report is not None:
            told = {stream: counts["read"] for stream, counts in report.streams.items()}
            read = {stream: len(rows) for stream, rows in merged(tuple(self._exports)).items() if rows}
            assert told == read, f"the report counts {told} as read, and the export holds {read}"
            for stream, counts in report.streams.items():
                found = sum(counts[bucket] for bucket in BUCKETS)
                assert found == counts["read"], f"of {counts['read']} {stream} that were read the report tells {found}"

    def _bound(self) -> dict[str, SchemaItem]:
        return self.recording.bound

    def _source_bytes(self, path: str) -> Any:
        return self._source.plugin().open("export", {}).open_attachment(path)  # type: ignore[attr-defined]


@contextmanager
def trial(port: Port, folder: Path, guards: Guards, rows: Rows, **scenario: Any) -> Iterator[Trial]:
    """Open a trial and let it go afterwards."""
    opened = Trial(port, folder, guards, rows, **scenario)
    try:
        yield opened
    finally:
        opened.close()
