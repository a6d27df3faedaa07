"""Watches a folder through the hours of a cut-over: each later export is loaded as it comes, as far as was approved."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.clock import clock_from_environment
from flitstack.errors import (
    ApprovalNeeded,
    BudgetExhausted,
    RateLimited,
    Stopped,
    UsageError,
)
from flitstack.journal import Journal, dumps
from flitstack.stages.delta.dropped import Dropped, Folder, mark_of
from flitstack.stages.delta.until import read_until
from flitstack.stages.gates.gate import Passing
from flitstack.stages.proof.recheck import RecheckOptions, recheck
from flitstack.stages.run import run_migration
from flitstack.stages.setup import CORE_VARIABLES

if TYPE_CHECKING:
    from flitstack.clock import Clock
    from flitstack.protocols import JSON
    from flitstack.registry import Registry
    from flitstack.stages.context import Progress, StopFlag
    from flitstack.stages.options import RunOptions
    from flitstack.stages.proof.recheck import RecheckReport
    from flitstack.stages.report import RunReport

LOOK_EVERY_S = 2.0
AGAIN_AFTER = timedelta(minutes=5)  # when the destination did not answer
META = "watch"


@dataclass(frozen=True, slots=True)
class Watching:
    """What to watch: a folder, and until when as the command line said; None until somebody stops it."""

    folder: Path
    until: str | None = None


@dataclass(frozen=True, slots=True)
class PickedUp:
    """One export and what became of it: a run's status, or the kind of what stopped it, with its message."""

    name: str
    status: str
    message: str = ""


@dataclass(slots=True)
class WatchReport:
    """What watching came to.

    :param last: of the last export that was loaded. :param final: the account read back at the end.
    :param waiting: what nobody approved to the end.
    """

    picked: list[PickedUp] = field(default_factory=list)
    last: RunReport | None = None
    final: RecheckReport | None = None
    waiting: str = ""

    @property
    def exit_code(self) -> int:
        """Return the exit code: what was found at the end counts before what became of single exports."""
        if self.final is not None and self.final.exit_code:
            return self.final.exit_code
        if self.waiting:
            return ApprovalNeeded.exit_code
        last = self.last.exit_code if self.last is not None else 0
        return last or (1 if any(one.message for one in self.picked) else 0)

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints: the last run's object, what was picked up, and the final validation."""
        picked: list[JSON] = [{"export": o.name, "status": o.status, "message": o.message} for o in self.picked]
        found: dict[str, JSON] = self.last.as_json() if self.last is not None else {"status": "nothing_loaded"}
        final: dict[str, JSON] | None = self.final.as_json() if self.final is not None else None
        return {**found, "picked_up": picked, "final": final, "waiting": self.waiting, "exit_code": self.exit_code}


async def watch(
    options: RunOptions,
    watching: Watching,
    progress: Progress,
    stop: StopFlag,
    *,
    registry: Registry | None = None,
    clock: Clock | None = None,
) -> WatchReport:
    """Load each export that is dropped into a folder, until a time; then read everything back.

    What an open gate holds up waits for its approval while watching goes on; what is no export is told and passed over.
    Stopped and started again, it carries on: what was picked up is not picked up again.

    :raises UsageError: there is no such folder, or the time says nothing.
    :raises ConfigurationError, Interrupted: what ends it at once.
    """
    if not watching.folder.is_dir():
        raise UsageError(f"--watch: {watching.folder} is no folder. Make it, or name another.")
    clock = clock or clock_from_environment()
    watcher = _Watcher(options, watching, progress, stop, registry, clock)
    await watcher.run()
    if watcher.report.last is not None or options.journal.exists():
        sets = tuple(one for one in options.sets if one.startswith("dest.") or one.partition("=")[0] in CORE_VARIABLES)
        watcher.report.final = await recheck(
            RecheckOptions(options.journal, sets), progress, stop, registry=registry, clock=clock
        )
    return watcher.report


class _Watcher:
    """One watch under way."""

    def __init__(
        self,
        options: RunOptions,
        watching: Watching,
        progress: Progress,
        stop: StopFlag,
        registry: Registry | None,
        clock: Clock,
    ) -> None:
        self.report = WatchReport()
        self._options = options
        self._progress = progress
        self._stop = stop
        self._registry = registry
        self._clock = clock
        self._folder = Folder(watching.folder, options.journal)
        kept = self._kept(watching)
        self._picked: dict[str, str] = dict(kept.get("picked", {}))
        self._told = {"folder": str(watching.folder.resolve()), "asked": watching.until or ""}
        self._until = _until(watching.until, kept, clock.now())
        self._overtaken: str = kept.get("overtaken", "")
        self._held: Dropped | None = None
        self._approvals = 0
        self._not_before = clock.now()

    async def run(self) -> None:
        """Watch until the time has come, or somebody stops it."""
        first = self._options.input
        until = f"until {self._until:%Y-%m-%d %H:%M %Z}" if self._until else "until stopped (Ctrl-C)"
        self._progress.say(f"Watching {self._folder.path} for later exports, {until}.")
        self._keep()
        if first is not None and not self._is_overtaken(Path(first)):
            await self._load(Dropped(Path(first), "", 0), self._options.passing)
        while True:
            self._stop.check()
            following = self._next()
            if following is not None:
                await self._load(following, Passing(unseen=self._options.passing.unseen))
            elif self._until is not None and self._clock.now() >= self._until:
                return
            else:
                await self._clock.sleep(LOOK_EVERY_S)

    def _next(self) -> Dropped | None:
        """Return what is to be loaded now: what came to rest, or what waited and may go on."""
        found = self._folder.whole(self._picked, self._clock.monotonic())
        if found:
            return found[0]
        held = self._held
        if held is None or self._clock.now() < self._not_before:
            return None
        if self.report.waiting and self._count_approvals() == self._approvals:
            return None
        return held

    async def _load(self, dropped: Dropped, passing: Passing) -> None:
        """Load one export, and note what became of it; what ends the watch is raised."""
        name = dropped.path.name
        self._progress.say(f"{name}: picked up.")
        before: tuple[Dropped | None, str, str] = self._held, self.report.waiting, self._overtaken
        self._held, self.report.waiting = None, ""
        if dropped.mark and self._options.input is not None:
            self._overtaken = mark_of(Path(self._options.input))
            self._keep()
        options = replace(self._options, input=str(dropped.path), passing=passing)
        try:
            report = await run_migration(
                options, self._progress, self._stop, registry=self._registry, clock=self._clock
            )
        except ApprovalNeeded as exc:
            self._hold(dropped)
            self.report.waiting = str(exc)
            self._approvals = self._count_approvals()
            self._progress.say(f"{exc}\n{name} waits for this approval; watching goes on.")
        except UsageError as exc:
            self._note(dropped, PickedUp(name, type(exc).__name__, str(exc)))
            self._progress.say(f"{name}: passed over. {exc}")
            self._held, self.report.waiting, self._overtaken = before
            before = None, "", ""
        except Stopped as exc:
            self._hold(dropped)
            self._not_before = self._again_at(exc)
            self._progress.say(f"{name}: {exc} It is tried again at {self._not_before:%H:%M} UTC.")
        else:
            self.report.last = report
            self._note(dropped, PickedUp(name, report.status))
            self._progress.say(f"{name}: {report.status.replace('_', ' ')}.")
        if before[0] is not None and before[0].path != dropped.path:
            self._progress.say(f"{before[0].path.name}: overtaken by {name}, which is later.")
        self._keep()

    def _is_overtaken(self, first: Path) -> bool:
        """Tell whether a later export was picked up before this invocation: the first would take it all back."""
        if not self._overtaken or self._overtaken != mark_of(first):
            return False
        self._progress.say(f"{first.name}: not read again; a later export was picked up since.")
        return True

    def _hold(self, dropped: Dropped) -> None:
        self._held = dropped
        self._picked[dropped.path.name] = dropped.mark
        if not self.report.picked or self.report.picked[-1].name != dropped.path.name:
            self.report.picked.append(PickedUp(dropped.path.name, "waiting"))

    def _note(self, dropped: Dropped, picked: PickedUp) -> None:
        self._picked[dropped.path.name] = dropped.mark
        if self.report.picked and self.report.picked[-1] == PickedUp(picked.name, "waiting"):
            self.report.picked.pop()
        self.report.picked.append(picked)

    def _again_at(self, exc: Stopped) -> datetime:
        now = self._clock.now()
        if isinstance(exc, BudgetExhausted) and exc.resets_at is not None:
            return max(now, exc.resets_at)
        if isinstance(exc, RateLimited):
            return now + timedelta(seconds=exc.retry_after_s)
        return now + AGAIN_AFTER

    def _count_approvals(self) -> int:
        with Journal.existing(self._options.journal) as journal:
            return len(journal.approvals.given())

    # --- what outlives this invocation ---

    def _kept(self, watching: Watching) -> dict[str, Any]:
        if not self._options.journal.exists() or not self._options.journal.stat().st_size:
            return {}
        with Journal.existing(self._options.journal) as journal:
            text = journal.runs.meta(META)
        kept: dict[str, Any] = json.loads(text) if text else {}
        return kept if kept.get("folder") == str(watching.folder.resolve()) else {}

    def _keep(self) -> None:
        if not self._options.journal.exists():
            return
        picked = {
            name: mark
            for name, mark in self._picked.items()
            if mark and (self._held is None or name != self._held.path.name)
        }
        state = {
            **self._told, "overtaken": self._overtaken, "picked": picked,
            "until": self._until.isoformat() if self._until else "",
            "waiting": self._held.path.name if self._held else "", "gate": self.report.waiting.split("\n")[0],
        }  # fmt: skip
        with Journal.existing(self._options.journal) as journal:
            journal.runs.remember(META, dumps(state))


def _until(asked: str | None, kept: dict[str, Any], now: datetime) -> datetime | None:
    """Return when to end; asked the same again before it has come, it is the same time as before."""
    if asked is None:
        return None
    if kept.get("asked") == asked and kept.get("until"):
        before = datetime.fromisoformat(kept["until"])
        if before > now:
            return before
    return read_until(asked, now)
