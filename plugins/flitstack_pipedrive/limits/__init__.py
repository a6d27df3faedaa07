"""Keeps requests under Pipedrive's limits: so many in any two seconds, so many tokens and writes in a day."""

from flitstack_pipedrive.limits.budget import DailyBudget, parse_reset
from flitstack_pipedrive.limits.burst import BurstLimiter, Ticket
from flitstack_pipedrive.limits.concurrency import Gate
from flitstack_pipedrive.limits.headers import (
    DAY_TOKENS_LEFT_HEADER,
    DAY_WRITES_LEFT_HEADER,
    LIMIT_HEADER,
    REMAINING_HEADER,
    RESET_HEADER,
    RETRY_HEADER,
    header_number,
    says_day_is_over,
    window_wait_s,
)

__all__ = [
    "DAY_TOKENS_LEFT_HEADER",
    "DAY_WRITES_LEFT_HEADER",
    "LIMIT_HEADER",
    "REMAINING_HEADER",
    "RESET_HEADER",
    "RETRY_HEADER",
    "BurstLimiter",
    "DailyBudget",
    "Gate",
    "Ticket",
    "header_number",
    "parse_reset",
    "says_day_is_over",
    "window_wait_s",
]
