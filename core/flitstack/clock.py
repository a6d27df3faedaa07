"""The one door to time: everything that asks what time it is, or waits, asks a clock."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from flitstack.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

NOW_VARIABLE = "FLITSTACK_NOW"
DEMO_START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
DEMO_CLOCK_FILE = "demo-clock.txt"


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the wall time, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for intervals."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` have passed on this clock."""
        ...


class SystemClock:
    """The machine's clock, moved by a fixed offset when one is given."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self._offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class VirtualClock:
    """A clock that only moves when somebody sleeps on it: a day passes in no time."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Move the clock on to this sleeper's own wake time, once every other task has had its turn."""
        wake = self._elapsed + max(seconds, 0.0)
        await asyncio.sleep(0)
        self._elapsed = max(self._elapsed, wake)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._elapsed += seconds


class DemoClock(VirtualClock):
    """A virtual clock that goes on, in the next process, after the latest time this one may have shown.

    :param file: keeps that time; without it, or unreadable, the demo starts anew.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        super().__init__(self._kept_time() + timedelta(seconds=1))
        self._keep(0.0)

    async def sleep(self, seconds: float) -> None:
        """Keep the time to come before it comes, so that a kill leaves no record in the future."""
        self._keep(max(seconds, 0.0))
        await super().sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._keep(seconds)
        super().advance(seconds)

    def _kept_time(self) -> datetime:
        try:
            return datetime.fromisoformat(self._file.read_text("ascii").strip())
        except (OSError, ValueError):
            return DEMO_START

    def _keep(self, seconds: float) -> None:
        self._file.write_text((self.now() + timedelta(seconds=seconds)).isoformat(), "ascii")


def clock_from_environment() -> Clock:
    """Return the machine's clock, or one that starts at `FLITSTACK_NOW` (RFC 3339) and runs on from there.

    :raises ConfigurationError: the variable is set and is no RFC 3339 time with a zone.
    """
    stated = os.environ.get(NOW_VARIABLE)
    if not stated:
        return SystemClock()
    try:
        start = datetime.fromisoformat(stated)
    except ValueError as exc:
        raise ConfigurationError(f"{NOW_VARIABLE}: not a time such as 2026-12-01T09:00:00Z.") from exc
    if start.tzinfo is None:
        raise ConfigurationError(f"{NOW_VARIABLE}: the time needs a zone, such as 2026-12-01T09:00:00Z.")
    if not 2000 <= start.year <= 2200:
        raise ConfigurationError(f"{NOW_VARIABLE}: a year between 2000 and 2200, please.")
    return SystemClock(start.astimezone(UTC) - datetime.now(UTC))
