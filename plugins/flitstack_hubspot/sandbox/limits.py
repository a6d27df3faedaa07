"""The imitated account's limits: requests in ten seconds of one app, and requests a day of the account."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from flitstack_hubspot.sandbox.account import Account

WINDOW_S = 10.0


class Limits:
    """Counts requests; the day's stand in the account's store, so they outlive the process."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lately: dict[str, deque[float]] = {}

    def admit(self, token: str) -> str | None:
        """Count a request; return the name of the policy that refuses it, None when it may pass."""
        lately = self._lately.setdefault(token, deque())
        now = self._account.clock.monotonic()
        while lately and lately[0] <= now - WINDOW_S:
            lately.popleft()
        day = self._day()
        if day["used"] >= self._account.daily:
            return "DAILY"
        if len(lately) >= self._account.burst:
            return "TEN_SECONDLY_ROLLING"
        lately.append(now)
        day["used"] += 1
        self._account.store.put("meta", "day", day)
        return None

    def use_up(self) -> None:
        """Let the day's requests be used up."""
        self._account.store.put("meta", "day", {**self._day(), "used": self._account.daily})

    def headers(self, token: str) -> dict[str, str]:
        """Return what every answer says of the limits."""
        used, lately = self._day()["used"], len(self._lately.get(token, ()))
        return {
            "x-hubspot-ratelimit-daily": str(self._account.daily),
            "x-hubspot-ratelimit-daily-remaining": str(max(0, self._account.daily - used)),
            "x-hubspot-ratelimit-interval-milliseconds": "10000",
            "x-hubspot-ratelimit-max": str(self._account.burst),
            "x-hubspot-ratelimit-remaining": str(max(0, self._account.burst - lately)),
        }

    def usage(self) -> dict[str, Any]:
        """Return the answer about the day's usage."""
        one = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": self._account.daily,
            "currentUsage": self._day()["used"],
            "fetchStatus": "SUCCESS",
        }
        return {"results": [one]}

    def _day(self) -> dict[str, Any]:
        details = self._account.store.get("meta", "details") or {}
        today = self._account.now().astimezone(ZoneInfo(str(details["timeZone"]))).date().isoformat()
        day = self._account.store.get("meta", "day") or {}
        return dict(day) if day.get("date") == today else {"date": today, "used": 0}
