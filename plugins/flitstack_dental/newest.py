"""Finds the newest day on which something happened, and is not taken in by a year mistyped."""

from __future__ import annotations

import itertools
from datetime import date

_KEPT = 500
_ENOUGH_ROWS = 20
_ALONE_DAYS = 31


class NewestDay:
    """Counts the days it is told of; only the newest are kept."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._rows = 0

    def notice(self, day: str) -> None:
        """Count one row of that day, `YYYY-MM-DD`."""
        self._rows += 1
        self._counts[day] = self._counts.get(day, 0) + 1
        if len(self._counts) > 2 * _KEPT:
            self._counts = {each: self._counts[each] for each in sorted(self._counts)[-_KEPT:]}

    def day(self) -> date | None:
        """Return the newest day, None when there was none.

        A day that one row alone has, and that lies more than a month after all others, is a slip of the pen: an
        export's day taken from it would make every booking look long past. With few rows no day is passed over.
        """
        days = self._newest_first()
        return days[len(self._slips(days))] if days else None

    def slips(self) -> int:
        """Return how many days were passed over."""
        return len(self._slips(self._newest_first()))

    def _newest_first(self) -> list[date]:
        return [date.fromisoformat(day) for day in sorted(self._counts, reverse=True)]

    def _slips(self, days: list[date]) -> list[date]:
        found: list[date] = []
        for day, before in itertools.pairwise(days):
            alone = self._counts[day.isoformat()] == 1 and (day - before).days > _ALONE_DAYS
            if not alone or self._rows < _ENOUGH_ROWS:
                break
            found.append(day)
        return found
