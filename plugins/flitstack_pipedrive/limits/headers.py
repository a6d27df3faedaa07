"""Reads what an answer says of the limits.

Source: Pipedrive API, "Rate limiting". Every one of these headers may be missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack_pipedrive.plans import WINDOW_S

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT_HEADER = "x-ratelimit-limit"
REMAINING_HEADER = "x-ratelimit-remaining"
RESET_HEADER = "x-ratelimit-reset"
RETRY_HEADER = "retry-after"
DAY_TOKENS_HEADER = "x-daily-ratelimit-token-limit"
DAY_TOKENS_LEFT_HEADER = "x-daily-ratelimit-token-remaining"
DAY_WRITES_LEFT_HEADER = "x-daily-requests-left"

EDGE_S = 0.002
SHORTEST_WAIT_S = 0.01
LONGEST_WAIT_S = 60.0


def header_number(headers: Mapping[str, str], name: str) -> float | None:
    """Return a header as a number of at least 0, or None when it is missing or is none."""
    try:
        number = float(headers.get(name, ""))
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def window_wait_s(headers: Mapping[str, str]) -> float:
    """Return the seconds to wait after a 429: what the answer says, within reason, else one whole window."""
    stated = header_number(headers, RETRY_HEADER)
    if stated is None:
        stated = header_number(headers, RESET_HEADER)
    if stated is None or stated > LONGEST_WAIT_S:
        stated = WINDOW_S
    return max(stated, SHORTEST_WAIT_S) + EDGE_S


def says_day_is_over(headers: Mapping[str, str]) -> bool:
    """Return whether a 429 means the day's budget: requests are left in the window, or no tokens in the day."""
    remaining, tokens = header_number(headers, REMAINING_HEADER), header_number(headers, DAY_TOKENS_LEFT_HEADER)
    return (remaining is not None and remaining > 0) or tokens == 0
