"""Progress for people, on stderr: a moving bar with the time left on a terminal, else a plain line now and then."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from flitstack.terminal import visible

EVERY_S = 10.0

TITLES = {
    "read": "Reading the export",
    "audit": "Looking at it",
    "map": "Mapping",
    "apply": "Writing",
    "verify": "Reading back",
    "probe": "Asking",
}


class TerminalProgress:
    """Shows a bar per stage; the time left is from the speed of the last minute."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def begin(self, stage: str, total: int | None = None) -> None:
        columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
        timing = [TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()]
        self._bar = Progress(*columns, *timing, console=self._console, transient=True, speed_estimate_period=60)
        self._bar.start()
        self._task = self._bar.add_task(TITLES.get(stage, stage), total=total)

    def advance(self, count: int = 1) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def say(self, text: str) -> None:
        self._console.print(visible(text), markup=False, highlight=False)


class PlainProgress:
    """Prints a line when a stage begins, every ten seconds, and when it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._title = ""
        self._total: int | None = None
        self._done = 0
        self._began = self._told = 0.0

    def begin(self, stage: str, total: int | None = None) -> None:
        self._title, self._total, self._done = TITLES.get(stage, stage), total, 0
        self._began = self._told = time.monotonic()

    def advance(self, count: int = 1) -> None:
        self._done += count
        if time.monotonic() - self._told >= EVERY_S:
            self._told = time.monotonic()
            self.say(f"{self._title}: {self._done:,}{self._of()}{self._left()}")

    def end(self) -> None:
        if self._done:
            self.say(f"{self._title}: {self._done:,} in {time.monotonic() - self._began:.1f} s")

    def say(self, text: str) -> None:
        self._console.print(visible(text), markup=False, highlight=False, soft_wrap=True)

    def _of(self) -> str:
        return f" of {self._total:,}" if self._total else ""

    def _left(self) -> str:
        if not self._total or not self._done:
            return ""
        left = (time.monotonic() - self._began) / self._done * (self._total - self._done)
        return f", about {left / 60:.0f} min left" if left >= 90 else f", about {left:.0f} s left"


def progress_for_stderr() -> TerminalProgress | PlainProgress:
    """Return the one that suits where stderr goes; colour is left out for NO_COLOR or a pipe."""
    console = Console(stderr=True)
    return TerminalProgress(console) if sys.stderr.isatty() else PlainProgress(console)
