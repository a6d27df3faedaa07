"""Keeps requests under what a day allows: tokens of the whole company, and writes of this token where they are counted.

Pipedrive's budget is full again at midnight of its servers, in a zone that is named nowhere. Our own count therefore
begins anew at midnight UTC, and that is what is said when it is our count that stops a run. When it is the account
that refuses, the hour of the reset is unknown, unless it was learned: from when the account still refused, and when it
first answered again.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from flitstack.errors import BudgetExhausted
from flitstack_pipedrive.limits.headers import (
    DAY_TOKENS_HEADER,
    DAY_TOKENS_LEFT_HEADER,
    DAY_WRITES_LEFT_HEADER,
    header_number,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.clock import Clock

LEAST_OF_USE = 20  # tokens; with fewer, the next list or write cannot be paid
DAY = timedelta(days=1)
SOON_AFTER = timedelta(hours=3)
RESET_STEPS = (60, 30, 15)  # minutes; midnight in any zone is at one of these in UTC
LONGEST_LOOK = timedelta(hours=2)


class DailyBudget:
    """What may still be spent today.

    :param daily_tokens: of the account; None when unknown, then only what answers state is obeyed.
    :param reserve: share of them to leave to others.
    :param spent_today: tokens that were spent before this budget began to count.
    :param resets_at: time of day, UTC, at which the account's budget is full again, if that was learned.
    """

    def __init__(
        self,
        clock: Clock,
        daily_tokens: int | None,
        reserve: float,
        spent_today: int = 0,
        resets_at: time | None = None,
    ) -> None:
        self._clock = clock
        self._reserve = reserve
        self._daily_tokens = daily_tokens
        self._resets_at = resets_at
        self._next_turn = self._next_reset()
        self._spent_today = spent_today
        self._tokens_left: int | None = None
        self._writes_left: int | None = None
        self._refused_at: datetime | None = None
        self._opened_at: datetime | None = None
        self._learned: time | None = None
        self.spent = 0
        self.refusals = 0

    @property
    def learned_reset(self) -> time | None:
        """Time of day, UTC, at which the account was seen to answer again after it had refused."""
        return self._learned

    @property
    def is_over(self) -> bool:
        """Whether our own count, or what the account states, leaves nothing to spend today."""
        self._turn_day()
        left = self._left()
        return left is not None and left < LEAST_OF_USE

    def pay(self, cost: int, *, counted_write: bool) -> None:
        """Take the cost of one request that is about to leave.

        :param counted_write: it is a POST or PUT, of which a day may hold only so many.
        :raises BudgetExhausted: the day cannot pay for it; nothing was sent.
        """
        self._turn_day()
        if counted_write and self._writes_left is not None and self._writes_left < 1:
            raise BudgetExhausted(
                "pipedrive: the account takes no more writes from this token today. Run the same command tomorrow, "
                "or now with --wait.",
                self._next_turn,
            )
        left = self._left()
        if left is not None and left < cost:
            raise BudgetExhausted(
                "pipedrive: today's API tokens are used up but for the reserve. Run the same command tomorrow, now "
                'with --wait, or lower the setting "reserve".',
                self._next_turn,
            )
        self._add(cost)

    def refund(self, cost: int) -> None:
        """Give back the cost of a request that never left or was refused."""
        self._add(-cost)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Believe what an answer says of the day; each of the headers may be missing.

        Of a day's tokens the account knows more than the plan that somebody stated: top-ups, other seats.
        """
        whole = header_number(headers, DAY_TOKENS_HEADER)
        if whole and self._daily_tokens is not None:
            self._daily_tokens = int(whole)
        tokens, writes = header_number(headers, DAY_TOKENS_LEFT_HEADER), header_number(headers, DAY_WRITES_LEFT_HEADER)
        if tokens is not None:
            self._tokens_left = int(tokens)
        if writes is not None:
            self._writes_left = int(writes)

    def refused(self) -> datetime | None:
        """Note that the account refused because the day is over; return when its budget is full again, if known."""
        now = self._clock.now()
        self.refusals += 1
        self._refused_at = now
        self._tokens_left = self._writes_left = None  # of a day that is over, and of the next nothing is known
        if self._opened_at is not None and now - self._opened_at < SOON_AFTER:
            self._learned = self._resets_at = None  # what opened it was no reset
        if self._resets_at is None:
            return None
        due = self._next_reset()
        # Refused soon after the hour that was learned: it is no longer the hour (summer time), so nothing is known.
        return due if due - now < DAY - SOON_AFTER else None

    def answered(self) -> None:
        """Note that the account answered: after a refusal, its budget was filled again in between."""
        if self._refused_at is None:
            return
        now = self._clock.now()
        self._learned = _reset_between(self._refused_at, now) or self._learned
        self._resets_at = self._learned or self._resets_at
        self._refused_at, self._opened_at = None, now
        self._begin_day()

    def _left(self) -> int | None:
        if self._daily_tokens is None:
            return self._tokens_left
        reserved = int(self._daily_tokens * self._reserve)
        left = self._daily_tokens - self._spent_today if self._tokens_left is None else self._tokens_left
        return left - reserved

    def _add(self, cost: int) -> None:
        self.spent += cost
        self._spent_today += cost
        if self._tokens_left is not None:
            self._tokens_left -= cost

    def _turn_day(self) -> None:
        if self._clock.now() >= self._next_turn:
            self._begin_day()

    def _begin_day(self) -> None:
        self._next_turn = self._next_reset()
        self._spent_today = 0
        self._tokens_left = self._writes_left = None

    def _next_reset(self) -> datetime:
        """Return when the day ends: at the hour learned, else at midnight, UTC."""
        now = self._clock.now().astimezone(UTC)
        due = datetime.combine(now.date(), self._resets_at or time(), UTC)
        return due if due > now else due + DAY


def parse_reset(text: object) -> time | None:
    """Return a time of day written as `HH:MM`, or None when it is none."""
    try:
        return time.fromisoformat(text) if isinstance(text, str) and len(text) == 5 else None
    except ValueError:
        return None


def _reset_between(refused: datetime, answered: datetime) -> time | None:
    """Return the only likely time of a reset in (refused, answered], to the minute, UTC; None when it cannot be told.

    A reset at midnight of some zone is on a full hour in UTC, else on a half or a quarter: the first of these steps
    that lies in between is taken, if it lies there once.
    """
    if answered - refused > LONGEST_LOOK:
        return None
    for minutes in RESET_STEPS:
        step = timedelta(minutes=minutes)
        midnight = datetime.combine(answered.astimezone(UTC).date(), time(), UTC)
        latest = midnight + (answered - midnight) // step * step
        if latest > refused:
            return latest.time() if latest - step <= refused else None
    return None
