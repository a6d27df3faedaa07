"""What `flit probe` found out about an account takes the place of what is otherwise assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.codec.marker import ROOM

if TYPE_CHECKING:
    from collections.abc import Mapping

LIST_LAG_S = 5.0
SAFETY = 3.0
LONGEST_LAG_S = 60.0  # as long as a probe waits
DOCUMENTED_NOTE = 90_000
SHORTEST_NOTE = 1_000


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What holds unless a setting says otherwise.

    :param list_lag_s: never below the usual assumption: a measurement shows that a list can be late, not that it never
        is.
    :param note_limit: bytes of a note that are safe to send, None when the account takes what is documented.
    """

    activity_time_zone: str = "utc"
    list_lag_s: float = LIST_LAG_S
    note_limit: int | None = None


def assumptions(learned: Mapping[str, Any]) -> Assumptions:
    """Return the assumptions for an account.

    :param learned: as the journal keeps it, by name; what is missing or has another form changes nothing.
    """
    zone = learned.get("probe.activity_due_time_zone")
    return Assumptions(
        zone if zone in ("utc", "user") else "utc",
        _list_lag_s(learned.get("probe.list_lag")),
        _note_limit(learned.get("probe.note_lengths")),
    )


def _list_lag_s(found: Any) -> float:
    if not isinstance(found, dict):
        return LIST_LAG_S
    measured = [LONGEST_LAG_S if seconds is None else float(seconds) for seconds in found.values()]
    return max([LIST_LAG_S, *(SAFETY * seconds for seconds in measured)])


def _note_limit(found: Any) -> int | None:
    """Return the shorter of the two kinds of notes, with room for the line that carries the source key."""
    if not isinstance(found, dict):
        return None
    short = [one.get("longest") or 0 for one in found.values() if isinstance(one, dict) and one.get("beyond")]
    limit = min((int(longest) - ROOM for longest in short), default=DOCUMENTED_NOTE)
    return max(limit, SHORTEST_NOTE) if limit < DOCUMENTED_NOTE else None
