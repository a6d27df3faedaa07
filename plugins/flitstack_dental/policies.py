"""What the policies that save writes need: whether a patient is active, and the notes of one visit as one text.

Functions for expressions, as in `transforms`: a record is what an expression sees of one, or a dict; pure, without a
clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flitstack.protocols import Transform
from flitstack_dental.transforms import labelled, procedure_title, provider_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VISITS = frozenset({"scheduled", "arrived", "completed"})
OPEN_PLANS = frozenset({"proposed", "accepted", "in_progress", "suspended"})
UNSETTLED_PLANS = frozenset({"unknown", None})
OPEN_ITEMS = frozenset({"planned", "accepted", "scheduled"})


def _of(record: Any, name: str) -> Any:
    if record is None:
        return None
    return record.get(name) if isinstance(record, Mapping) else getattr(record, name)


def is_active(
    patient: Any,
    since: str,
    appointments: Iterable[Any],
    procedures: Iterable[Any],
    plans: Iterable[Any],
    items: Iterable[Any],
    balances: Sequence[Any],
) -> bool:
    """Return whether a patient was seen or booked on or after a day, or has a plan that is open or a balance.

    Seen: the last visit stated, a visit that was kept or is booked, a completed procedure. New on file since that day
    counts as well.

    :param since: `YYYY-MM-DD`.
    :param balances: those of the patient; the newest counts.
    """
    return (
        _is_since(_of(patient, "last_visit_date"), since)
        or _is_since(_of(patient, "created_at"), since)
        or any(_of(one, "status") in VISITS and _is_since(_of(one, "starts_at"), since) for one in appointments)
        or any(_of(one, "status") == "completed" and _is_since(_of(one, "performed_on"), since) for one in procedures)
        or _has_open_plan(plans, items)
        or _owes(balances)
    )


def _is_since(value: date | None, since: str) -> bool:
    day = value.date() if isinstance(value, datetime) else value
    return day is not None and day.isoformat() >= since


def _has_open_plan(plans: Iterable[Any], items: Iterable[Any]) -> bool:
    """Return whether a plan says that it is open, or an item that no plan closes is still to be done."""
    stated = {_of(plan, "id"): _of(plan, "status") for plan in plans}
    if any(status in OPEN_PLANS for status in stated.values()):
        return True
    return any(
        _of(item, "status") in OPEN_ITEMS and stated.get(_of(item, "plan_id")) in UNSETTLED_PLANS for item in items
    )


def _owes(balances: Sequence[Any]) -> bool:
    """Return whether the newest balance, or what is outstanding with it, is not zero; without days the last listed."""
    if not balances:
        return False
    newest = max(enumerate(balances), key=lambda pair: (_of(pair[1], "balance_on") or date.min, pair[0]))[1]
    return any((_of(newest, name) or Decimal(0)) != 0 for name in ("balance", "outstanding"))


# --- notes of one visit ---------------------------------------------------------------------------------------------


def notes_in_order(notes: Iterable[Any]) -> list[Any]:
    """Return notes by the time at which they were written, those without one last; else in the order they came in."""
    return sorted(notes, key=lambda note: (_of(note, "written_at") is None, _of(note, "written_at") or datetime.min))


def sole_writer(notes: Sequence[Any]) -> Any:
    """Return a note of the one person who wrote them all; None when they are of several people, or of nobody named."""
    writers = {(_of(note, "author_id"), _of(note, "provider_id")) for note in notes}
    return notes[0] if len(writers) == 1 and any(next(iter(writers))) else None


def joined_notes(notes: Sequence[Any]) -> list[str]:
    """Return one text per note: who wrote it and when, what it hangs on, and its words; a blank line parts them.

    Every one of them is headed by its own author and time, because the destination knows only one of each.
    """
    texts = [_joined_note(note) for note in notes]
    return [f"{text}\n" if number < len(texts) else text for number, text in enumerate(texts, 1)]


def _joined_note(note: Any) -> str:
    author, at = _of(note, "author"), _of(note, "written_at")
    named = _of(author, "name") if author is not None else provider_of(None, _of(note, "author_id"))
    who = named or provider_of(_of(note, "provider"), _of(note, "provider_id"))
    stamp = at.strftime("%Y-%m-%d %H:%M") if at is not None else None
    head = ", ".join(part for part in (f"By {who}" if who else None, stamp) if part)
    procedure = _of(note, "procedure")
    about = labelled("Procedure", procedure_title(procedure)) if procedure is not None else None
    words = (head, labelled("Category", _of(note, "category")), about, _of(note, "text"))
    return "\n".join(part for part in words if part)


POLICY_TRANSFORMS: tuple[Transform, ...] = tuple(
    Transform(call.__name__, call) for call in (is_active, notes_in_order, sole_writer, joined_notes)
)
