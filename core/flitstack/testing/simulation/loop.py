"""Virtual time: an event loop that never waits, and clocks that run on it."""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

START = datetime(2026, 7, 1, 9, tzinfo=UTC)


class StandstillError(RuntimeError):
    """Everything waits, and nothing that is due would end the wait."""


class _Selector(selectors.BaseSelector):
    """Sees no files, and lets the time it was asked to wait pass at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self._files: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._files[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._files.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StandstillError("Everything waits, and nothing is due.")
        self.now += max(timeout, 0.0)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._files


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time moves on only when nothing is left to do: a day passes in no time.

    Callbacks run in the order of their times, and in the order of asking where the times are equal: what happens on it
    depends on nothing but what was put on it. An exception that nobody waits for is kept silent: a process that dies
    leaves many.
    """

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._clock_resolution = 1e-6  # an addition of times must not leave a wait too small to add
        self.set_exception_handler(lambda loop, context: None)

    def time(self) -> float:
        """Return the seconds that have passed on this loop."""
        return self._virtual.now


class LoopClock:
    """A clock on a virtual loop; `jump` sets its wall time, as an operator or a time server would.

    :param drift_s: how far its wall time is from the loop's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, drift_s: float = 0.0) -> None:
        self._loop = loop
        self._drift_s = drift_s

    def now(self) -> datetime:
        """Return the wall time, UTC."""
        return START + timedelta(seconds=self._loop.time() + self._drift_s)

    def monotonic(self) -> float:
        """Return the loop's time, which no jump moves."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of the loop."""
        await asyncio.sleep(max(seconds, 0.0))

    def jump(self, seconds: float) -> None:
        """Set the wall time on, or back."""
        self._drift_s += seconds
