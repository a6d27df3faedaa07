"""The limits as sold: a burst window per token, and the company's tokens and the users' writes per day."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from flitstack_pipedrive.plans import OAUTH_BURSTS, WINDOW_S
from flitstack_pipedrive.sandbox.answers import Answer, to_json

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.account import Account, Member

ABUSE_WINDOW_S = 60.0
_PAGE = b"<!DOCTYPE html><html><head><title>Access denied</title></head><body><h1>Error 1015</h1></body></html>"


@dataclass(slots=True)
class _Token:
    """What one token did lately: times of accepted requests, and of refusals."""

    accepted: deque[float] = field(default_factory=deque)
    searched: deque[float] = field(default_factory=deque)
    refused: deque[float] = field(default_factory=deque)
    blocked_until: float = -math.inf


class Limits:
    """Counts requests and tokens, and says when there are too many.

    Source: Pipedrive API, "Rate limiting". The bodies of a 429 and the block after abuse are modelled: nobody
    documented them.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._tokens: dict[str, _Token] = {}
        bought = account.plan.burst * (OAUTH_BURSTS if account.switches.oauth else 1)
        self._burst = account.switches.burst or bought
        self.daily_limit = account.plan.daily_tokens(account.seats)
        self._day = account.store.meta("budget_day") or ""
        self.used = int(account.store.meta("budget_used") or 0)
        self._writes: dict[int, int] = {}
        self._unsaved = 0

    def refuse(self, user: Member, headers: dict[str, str]) -> Answer | None:
        """Count a request and return the refusal, or None when it may go on; fills in the limit headers."""
        now = self._account.clock.monotonic()
        token = self._tokens.setdefault(user.token, _Token())
        if now < token.blocked_until:
            return Answer(_PAGE, 403, "text/html; charset=UTF-8")
        window = token.accepted
        while window and window[0] <= now - WINDOW_S:
            window.popleft()
        burst = self._burst
        full = len(window) >= burst
        if not full:
            window.append(now)
        headers["x-ratelimit-limit"] = str(burst)
        headers["x-ratelimit-remaining"] = str(burst - len(window))
        headers["x-ratelimit-reset"] = str(max(1, math.ceil(window[0] + WINDOW_S - now)))
        self._new_day()
        if full:
            return self._too_many(token, now, headers, "Rate limit exceeded.")
        if self.used >= self.daily_limit:
            return self._too_many(token, now, headers, "Daily API token budget exceeded.")
        return None

    def refuse_search(self, user: Member, path: str, headers: dict[str, str]) -> Answer | None:
        """Count a search in a window of its own, beside the general one.

        Source: "Rate limiting", the search row; which paths it means is not listed, so every search is one.
        """
        if "earch" not in path or not path.endswith(("/search", "/itemSearch", "/itemSearch/field")):
            return None
        token, now = self._tokens[user.token], self._account.clock.monotonic()
        window = token.searched
        while window and window[0] <= now - WINDOW_S:
            window.popleft()
        if len(window) >= self._account.switches.search_burst:
            return self._too_many(token, now, headers, "Search rate limit exceeded.")
        window.append(now)
        return None

    def refuse_write(self, user: Member, method: str, headers: dict[str, str]) -> Answer | None:
        """Count a POST or PUT against the user's daily number of writes, where the account has one."""
        cap = self._account.switches.daily_writes_cap
        if cap is None or method not in ("POST", "PUT"):
            return None
        written = self._writes.get(user.id, 0)
        if written >= cap:
            headers["x-daily-requests-left"] = "0"
            token = self._tokens[user.token]
            return self._too_many(token, self._account.clock.monotonic(), headers, "Daily request limit exceeded.")
        self._writes[user.id] = written + 1
        headers["x-daily-requests-left"] = str(cap - written - 1)
        return None

    def spend(self, cost: int, headers: dict[str, str]) -> None:
        """Take the tokens of a call from the day's budget."""
        self.used += cost
        self._unsaved += 1
        if self._unsaved >= 50:
            self.save()
        if self._account.switches.daily_token_headers:
            headers["x-daily-ratelimit-token-limit"] = str(self.daily_limit)
            headers["x-daily-ratelimit-token-remaining"] = str(max(0, self.daily_limit - self.used))

    def use_up(self) -> None:
        """Let the day's tokens be used up."""
        self._new_day()
        self.used = self.daily_limit

    def save(self) -> None:
        """Keep the day's count in the state file."""
        self._unsaved = 0
        with self._account.store.transaction():
            self._account.store.set_meta("budget_day", self._day)
            self._account.store.set_meta("budget_used", str(self.used))

    def _new_day(self) -> None:
        now = self._account.clock.now() - timedelta(hours=self._account.switches.reset_hour_utc)
        day = f"{now:%Y-%m-%d}"
        if day != self._day:
            self._day, self.used = day, 0
            self._writes.clear()

    def _too_many(self, token: _Token, now: float, headers: dict[str, str], error: str) -> Answer:
        refused = token.refused
        refused.append(now)
        while refused[0] <= now - ABUSE_WINDOW_S:
            refused.popleft()
        allowed = self._account.switches.abuse_after
        if allowed is not None and len(refused) >= allowed:
            token.blocked_until = now + ABUSE_WINDOW_S
            refused.clear()
        if self._account.switches.daily_token_headers:
            headers["x-daily-ratelimit-token-limit"] = str(self.daily_limit)
            headers["x-daily-ratelimit-token-remaining"] = str(max(0, self.daily_limit - self.used))
        body = {"success": False, "error": error, "errorCode": 429, "error_info": "Please wait and try again."}
        return Answer(to_json(body).encode(), 429)
