"""Estimates what others send with the same token, from what the answers count in the window.

An answer's count less our own requests is what others had in the window when it was written. Added up over time, that
is the number they have ever sent, so it is known as well when theirs leave the window again. What cannot be known is
what they send between the latest answer and our next request's arrival; how far that makes us err is measured, and
kept free.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import exp, log, sqrt

from flitstack_pipedrive.plans import WINDOW_S

FIRST_RISK, MOST_RISK, LEAST_RISK = 0.01, 0.05, 0.0005  # of a refusal, for a request when least room is free
RISK_GROWS, RISK_FALLS = 1.0004, 4.0  # with each answer, and by each refusal: so that one in some thousand is refused
ALONE = 4.0  # times the risk, for a request that is under way alone
FIRST_SQUARE = 2.0  # of our errors, before any was measured
LEAST_UNSEEN = 0.1  # requests: our own estimate errs as well
MANY, MANY_DEVIATIONS = 30.0, 3.0  # a Poisson number of a larger mean is as good as normal
ERRORS_KEPT = 200
FIRST_ERRORS = 30  # how many measured errors the first guess is worth
GONE_AFTER_S = 2 * WINDOW_S
KEPT = 8_192


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one answer tells of others' requests in its window.

    :param at: when the server wrote it, about.
    :param least, likely, most: requests of others.
    :param doubt: variance of `likely`.
    """

    at: float
    least: float
    likely: float
    most: float
    doubt: float


class Others:
    """What others have sent, and how much room to leave them."""

    def __init__(self) -> None:
        self._at: list[float] = []
        self._sent: list[float] = []
        self._rate = 0.0
        self._present_until = 0.0
        self._since = self._found = 0.0
        self._risk = FIRST_RISK
        self._errors = 0
        self._mean_error = 0.0
        self._squares, self._unseen = FIRST_SQUARE, 1.0

    def are_present(self, now: float) -> bool:
        """Return whether anybody else was seen lately."""
        return now < self._present_until

    def unseen(self, at: float) -> float:
        """Return how many of theirs arrive, as a mean, between the latest sighting and a time."""
        return self._rate * max(at - self._at[-1], 0.0) if self._at else 0.0

    def margin(self, unseen: float, *, alone: bool) -> float:
        """Return the requests to keep free beside ours, so that a refusal stays rare.

        :param unseen: as `unseen` says.
        :param alone: none of ours is under way, so that no second one can be refused with it.
        """
        spread = self._squares / self._unseen * (unseen + LEAST_UNSEEN)
        return max(
            self._mean_error + max(seldom(spread, self._risk * (ALONE if alone else 1.0)), 1.0) - spread - 1.0, 0.0
        )

    def expected(self, at: float) -> float:
        """Return how many of their requests the window holds at a time, as a mean."""
        if not self._at:
            return 0.0
        # Those that were there at first may all have come just then.
        least = self._found if at < self._since + WINDOW_S else 0.0
        return max(self._sent_until(at) - self._sent_until(at - WINDOW_S), least)

    def see(self, sighting: Sighting) -> None:
        """Take in an answer's count."""
        known = self.are_present(sighting.at)
        if sighting.least > 0.5:
            self._present_until = max(self._present_until, sighting.at + GONE_AFTER_S)
        elif not known:
            return
        in_window = min(max(sighting.likely, sighting.least, 0.0), max(sighting.most, 0.0))
        if not known:
            self._begin(sighting.at, in_window)
        else:
            self._update(sighting, in_window)

    def refuse(self, now: float) -> None:
        """Learn that one of ours was refused: they are about, if they were seen at all."""
        if self._at:
            self._risk = max(self._risk / RISK_FALLS, LEAST_RISK)
            self._present_until = max(self._present_until, now + GONE_AFTER_S)

    def err(self, by: float, unseen: float, sent_at: float) -> None:
        """Learn how many more requests than expected a window held, for a request that left at that time.

        :param unseen: as it was said to `margin`.
        """
        if sent_at < self._since:
            return
        self._errors += 1
        self._risk = min(self._risk * RISK_GROWS, MOST_RISK)
        share = 1 / min(self._errors, ERRORS_KEPT)
        off = by - self._mean_error
        self._mean_error += off * share
        self._squares += (off * off - self._squares) * share
        self._unseen += (unseen + LEAST_UNSEEN - self._unseen) * share

    def _begin(self, at: float, in_window: float) -> None:
        self._since, self._found = at, in_window
        self._rate = in_window / WINDOW_S
        self._at, self._sent = [at - 2 * WINDOW_S, at], [0.0, 2 * in_window]
        self._errors, self._mean_error = FIRST_ERRORS, 0.0
        self._squares, self._unseen = FIRST_SQUARE, 1.0

    def _update(self, sighting: Sighting, in_window: float) -> None:
        """Move the estimate towards what was seen, by as much as the sighting is surer than the estimate."""
        passed_s = max(sighting.at - self._at[-1], 0.0)
        guess = self._sent_until(sighting.at)
        seen = in_window + self._sent_until(sighting.at - WINDOW_S)
        drift = max(self._rate, 0.5) * passed_s
        variance = (drift + sqrt(drift * drift + 4 * drift * sighting.doubt)) / 2
        gain = variance / (variance + sighting.doubt)
        sent = max(guess + gain * (seen - guess), self._sent[-1])
        if passed_s == 0.0:
            self._sent[-1] = sent
            return
        self._at.append(sighting.at)
        self._sent.append(sent)
        if len(self._at) > KEPT:
            del self._at[: KEPT // 2], self._sent[: KEPT // 2]
        first = min(bisect_right(self._at, sighting.at - 2 * WINDOW_S), len(self._at) - 2)
        self._rate = (sent - self._sent[first]) / max(sighting.at - self._at[first], 0.05)

    def _sent_until(self, at: float) -> float:
        index = bisect_right(self._at, at)
        if index == 0:
            return self._sent[0]
        if index == len(self._at):
            return self._sent[-1] + self._rate * (at - self._at[-1])
        before, after = self._at[index - 1], self._at[index]
        share = (at - before) / (after - before)
        return self._sent[index - 1] + (self._sent[index] - self._sent[index - 1]) * share


def seldom(mean: float, risk: float) -> float:
    """Return the number that a Poisson count of this mean reaches once in `1 / risk` times, between whole numbers."""
    if mean > MANY:
        return mean + MANY_DEVIATIONS * sqrt(mean) + 1.0
    each, below, above, count = exp(-mean), 0.0, 1.0, 0
    while above > risk:
        before = above
        below += each
        above = max(1.0 - below, 1e-12)
        count += 1
        each *= mean / count
    return count - log(risk / above) / log(before / above) if count else 0.0
