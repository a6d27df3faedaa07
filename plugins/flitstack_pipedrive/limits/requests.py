"""Remembers when requests left and when their answers came, and counts them by time."""

from __future__ import annotations

from bisect import bisect_right, insort

KEPT = 8_192
KEPT_S = 130.0  # longer than any request waits for its answer


class TimeLog:
    """Times that only grow, counted since the beginning; old ones are forgotten."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._forgotten = 0

    @property
    def total(self) -> int:
        """All times noted so far."""
        return self._forgotten + len(self._times)

    @property
    def last(self) -> float:
        """The time noted last; long ago when there is none."""
        return self._times[-1] if self._times else float("-inf")

    def note(self, at: float) -> None:
        """Add a time, not earlier than those before it."""
        self._times.append(at)
        if len(self._times) > KEPT and self._times[KEPT // 2] < at - KEPT_S:
            self._forget(KEPT // 2)

    def until(self, at: float) -> int:
        """Return how many were noted at or before a time."""
        return self._forgotten + bisect_right(self._times, at)

    def nth(self, number: int) -> float:
        """Return the time of the n-th, counted from 0."""
        return self._times[max(number - self._forgotten, 0)]

    def _forget(self, count: int) -> None:
        del self._times[:count]
        self._forgotten += count


class RequestLog(TimeLog):
    """Requests by the time they left, and when the server may have counted each.

    A refused request is not counted by the server.
    """

    def __init__(self) -> None:
        super().__init__()
        self._answers: list[float | None] = []
        self._refused: list[float] = []

    @property
    def counted(self) -> int:
        """All requests but the refused ones."""
        return self.total - len(self._refused)

    def note(self, at: float) -> None:
        """Add a request that leaves now."""
        self._answers.append(None)
        super().note(at)

    def answer(self, number: int, at: float) -> None:
        """Note when the answer to the n-th request came."""
        index = number - self._forgotten
        if index >= 0:
            self._answers[index] = at

    def refuse(self, sent_at: float) -> None:
        """Note that the request that left at that time was refused."""
        insort(self._refused, sent_at)

    def counted_until(self, at: float) -> int:
        """Return how many of those that left until a time were not refused."""
        return self.until(at) - bisect_right(self._refused, at)

    def arrived(self, at: float, least_s: float, mean_s: float) -> float:
        """Return how many requests the server had counted by a time, as a mean.

        Each arrived after half the least latency at the earliest, and as long before its answer at the latest; in
        between, every moment is as likely as another.

        :param least_s: least latency seen. :param mean_s: mean latency, for those that have no answer yet.
        """
        half = least_s / 2
        surely = at - 4 * mean_s
        first, end = bisect_right(self._times, surely), bisect_right(self._times, at - half)
        count = float(self.counted_until(surely))
        for index in range(first, end):
            sent, answered = self._times[index], self._answers[index]
            if self._refused and sent in self._refused:
                continue
            width = (mean_s if answered is None else answered - sent) - least_s
            count += min((at - sent - half) / width, 1.0) if width > 1e-6 else 1.0
        return count

    def _forget(self, count: int) -> None:
        before = self._times[count - 1]
        gone = bisect_right(self._refused, before)
        del self._refused[:gone]
        del self._answers[:count]
        super()._forget(count)
