"""What dental mappings need beyond the built-in functions: procedures, plans, charts and contact points as text.

A record is anything with the attributes of its stream's schema; a missing value is None. Every function is pure: the
same records give the same result, and none asks what time it is.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from flitstack.protocols import Transform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PlanStage: TypeAlias = Literal["proposed", "accepted", "in_progress", "completed", "lost"]

_PLAN_STAGES: Mapping[str, PlanStage] = {
    "proposed": "proposed",
    "accepted": "accepted",
    "in_progress": "in_progress",
    "completed": "completed",
    "rejected": "lost",
    "inactive": "lost",
}
_CLOSED_ITEMS = frozenset({"deleted", "inactive", "rejected", "referred"})
_AGREED_ITEMS = frozenset({"accepted", "scheduled"})
_STAGE_WORDS: Mapping[PlanStage, str] = {
    "proposed": "proposed",
    "accepted": "accepted",
    "in_progress": "in progress",
    "completed": "completed",
    "lost": "lost",
}
_PERIO_SITES = ("mb", "b", "db", "ml", "l", "dl")


# --- text -----------------------------------------------------------------------------------------------------------


def labelled(label: str, value: object) -> str | None:
    """Return `LABEL: value`, or None when there is no value; dates as ISO 8601, true and false as yes and no."""
    text = _plain(value)
    return f"{label}: {text}" if text else None


def text_lines(parts: Iterable[object]) -> str | None:
    """Return the present parts of a list, one a line, or None when there is none."""
    present = [text for text in map(_plain, parts) if text]
    return "\n".join(present) or None


def one_line(value: object, limit: int = 255) -> str | None:
    """Return the value on a single line of at most `limit` characters, or None: for subjects, titles and names."""
    text = " ".join((_plain(value) or "").split())
    if len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    return text or None


def value_of(items: Iterable[Any], name: str) -> str | None:
    """Return the values of those custom columns that have this name, or None; several are parted by `; `."""
    return "; ".join(str(item.value) for item in items if item.name == name and item.value) or None


def _plain(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value).strip() or None


# --- days -----------------------------------------------------------------------------------------------------------


def day_of(value: date | None) -> date | None:
    """Return the day of a date or of a datetime, in whatever zone the datetime is in."""
    return value.date() if isinstance(value, datetime) else value


def midnight(value: date | None) -> datetime | None:
    """Return the local start of a day, without a zone; a local datetime stays as it is."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time())


def whole_day(value: datetime | None) -> bool:
    """Return whether a local time is midnight to the second, which exports write when they know only the day."""
    return value is not None and value.time() == time()


# --- contact points -------------------------------------------------------------------------------------------------


def contact_entries(points: Sequence[Any], limit: int | None = None) -> list[dict[str, Any]]:
    """Return the first `limit` points as `{value, label, primary}`, the first of them primary."""
    return [
        {"value": point.value, "label": point.label or point.kind, "primary": position == 0}
        for position, point in enumerate(points[:limit])
    ]


def contact_text(points: Sequence[Any], limit: int) -> str | None:
    """Return, one a line, the points past `limit` and those within it that carry a remark; None when there is none."""
    rest = [point for position, point in enumerate(points) if position >= limit or point.note]
    return text_lines(
        f"{point.value} ({point.label or point.kind})" + (f": {point.note}" if point.note else "") for point in rest
    )


# --- procedures and treatment plans ---------------------------------------------------------------------------------


def procedure_code(record: Any) -> str | None:
    """Return the code of a procedure or planned item: its own, else that of the code list."""
    return record.code or (record.procedure_code.code if record.procedure_code else None)


def procedure_words(record: Any) -> str | None:
    """Return the wording of a procedure or planned item: its own, else the practice's wording of its code."""
    return record.description or (record.procedure_code.description if record.procedure_code else None)


def procedure_place(record: Any) -> str | None:
    """Return `tooth 14 MO`, `surface UL` or None."""
    if record.tooth:
        return f"tooth {record.tooth}" + (f" {record.surface}" if record.surface else "")
    return f"surface {record.surface}" if record.surface else None


def procedure_title(record: Any) -> str:
    """Return code, wording and place of one procedure, as far as they are known, on one line."""
    words = " ".join(part for part in (procedure_code(record), procedure_words(record)) if part) or "Procedure"
    place = procedure_place(record)
    return f"{words} ({place})" if place else words


def procedure_lines(records: Iterable[Any]) -> str | None:
    """Return one line per procedure or planned item: title, day, amount, status, remark."""
    return text_lines(_procedure_line(record) for record in records)


def procedure_codes(records: Iterable[Any]) -> str | None:
    """Return the different codes, in the order in which they first occur, parted by `, `; None when there is none."""
    codes = [code for code in map(procedure_code, records) if code]
    return ", ".join(dict.fromkeys(codes)) or None


def plan_value(items: Iterable[Any]) -> Decimal:
    """Return fee x quantity - discount, summed over the items that are not deleted; a missing quantity counts as one.

    It is the gross fee, not the patient's portion.
    """
    return sum((_amount(item) for item in items if item.status != "deleted"), Decimal(0))


def plan_stage(status: str | None, items: Iterable[Any], signed: bool = False, booked: bool = True) -> PlanStage:
    """Return the stage of a treatment plan: as its status says, else as its items show.

    :param status: neutral status of the plan; `unknown` and None ask the items.
    :param signed: the patient signed the plan, which accepts it.
    :param booked: an item that hangs on an appointment accepts the plan too.
    """
    known = _PLAN_STAGES.get(status or "")
    return known or _stage_of_items([item for item in items if item.status != "deleted"], signed, booked)


def newest_day(records: Iterable[Any]) -> date | None:
    """Return the newest day on which an item of a plan was completed, else planned, or None."""
    days = [day for record in records if (day := record.completed_on or record.planned_on)]
    return max(days, default=None)


def item_day(item: Any) -> date | None:
    """Return the day of a planned item: planned, else completed, else entered."""
    return item.planned_on or item.completed_on or day_of(item.created_at)


def plan_summary(plans: Iterable[Any], items: Sequence[Any], clinical: bool = True) -> str | None:
    """Return one line per treatment plan (day, heading, stage, value) and one for items without a plan.

    :param items: all planned items of the patient.
    :param clinical: whether headings, which may name a treatment, are shown.
    """
    lines = []
    for plan in plans:
        own = [item for item in items if item.plan_id == plan.id]
        stage = _summary_stage(plan, own)
        heading = plan.heading if clinical else None
        lines.append(_summary_line(plan.proposed_on or day_of(plan.created_at), heading, stage, plan_value(own)))
    loose = [item for item in items if not item.plan_id and item.status not in _CLOSED_ITEMS]
    if loose:
        lines.append(f"{len(loose)} planned items without a plan: {plan_value(loose):.2f}")
    return text_lines(lines)


def _procedure_line(record: Any) -> str:
    day = getattr(record, "performed_on", None) or getattr(record, "completed_on", None)
    day = day or getattr(record, "planned_on", None)
    amount = None if record.fee is None else f"{_amount(record):.2f}"
    remark = getattr(record, "note", None)
    parts = (procedure_title(record), _plain(day), amount, record.original_status or record.status, remark)
    return ", ".join(part for part in parts if part)


def _amount(item: Any) -> Decimal:
    quantity = 1 if item.quantity is None else item.quantity
    return (item.fee or Decimal(0)) * quantity - (item.discount or Decimal(0))


def _stage_of_items(items: Sequence[Any], signed: bool, booked: bool) -> PlanStage:
    live = [item for item in items if item.status not in _CLOSED_ITEMS]
    done = [item for item in live if item.status == "completed"]
    if items and not live:
        return "lost"
    if done:
        return "completed" if len(done) == len(live) else "in_progress"
    agreed = any(item.status in _AGREED_ITEMS or (booked and item.appointment_id) for item in live)
    return "accepted" if signed or agreed else "proposed"


def _summary_stage(plan: Any, items: Sequence[Any]) -> str:
    if plan.status == "suspended":
        return "suspended"
    return _STAGE_WORDS[plan_stage(plan.status, items, signed=plan.signed_at is not None)]


def _summary_line(day: date | None, heading: str | None, stage: str, value: Decimal) -> str:
    head = " ".join(part for part in (_plain(day), heading) if part) or "Treatment plan"
    return f"{head}: {stage}, {value:.2f}"


# --- charts ---------------------------------------------------------------------------------------------------------


def perio_text(exams: Sequence[Any], measurements: Sequence[Any]) -> str | None:
    """Return the newest examination in full and the days of the others, or None without an examination.

    :param exams: oldest first.
    :param measurements: those of the newest examination; a negative figure means not measured and shows as `-`, a
        figure above 100 stands for a negative margin (105 is -5), as Open Dental writes both.
    """
    if not exams:
        return None
    newest = exams[-1]
    lines = [f"Examination {_plain(newest.exam_date) or 'without a date'}", newest.note]
    lines += [_perio_line(row) for row in measurements]
    others = [_plain(exam.exam_date) or "without a date" for exam in reversed(exams[:-1])]
    if others:
        lines.append(f"Earlier examinations: {', '.join(others)}")
    return text_lines(lines)


def chart_text(rows: Iterable[Any]) -> str | None:
    """Return one line per tooth: every entry of the chart, newest first, with its day; None without an entry."""
    ordered = sorted(rows, key=lambda row: (row.recorded_on or date.min, row.id), reverse=True)
    ordered.sort(key=lambda row: _tooth_order(row.tooth))
    lines = []
    for tooth, entries in groupby(ordered, key=lambda row: row.tooth):
        head = f"Tooth {tooth}" if tooth else "Mouth"
        lines.append(f"{head}: " + "; ".join(map(_chart_entry, entries)))
    return text_lines(lines)


def _perio_line(row: Any) -> str:
    figures = " ".join(_perio_figure(getattr(row, site)) for site in _PERIO_SITES)
    return f"{row.kind.replace('_', ' ')} {row.tooth or '?'} (MB B DB ML L DL): {figures}"


def _perio_figure(value: int | None) -> str:
    if value is None or value < 0:
        return "-"
    return str(100 - value) if value > 100 else str(value)


def _tooth_order(tooth: str | None) -> tuple[int, int, str]:
    if not tooth:
        return (2, 0, "")
    return (0, int(tooth), "") if tooth.isdecimal() else (1, 0, tooth)


def _chart_entry(row: Any) -> str:
    words = " ".join(part for part in (row.condition, row.surface, _plain(row.recorded_on)) if part)
    return f"{words} ({row.note})" if row.note else words or "noted"


TRANSFORMS: tuple[Transform, ...] = (
    Transform("labelled", labelled),
    Transform("text_lines", text_lines),
    Transform("one_line", one_line),
    Transform("value_of", value_of),
    Transform("day_of", day_of),
    Transform("midnight", midnight),
    Transform("whole_day", whole_day),
    Transform("contact_entries", contact_entries),
    Transform("contact_text", contact_text),
    Transform("procedure_code", procedure_code),
    Transform("procedure_words", procedure_words),
    Transform("procedure_place", procedure_place),
    Transform("procedure_title", procedure_title),
    Transform("procedure_lines", procedure_lines),
    Transform("procedure_codes", procedure_codes),
    Transform("plan_value", plan_value),
    Transform("plan_stage", plan_stage),
    Transform("newest_day", newest_day),
    Transform("item_day", item_day),
    Transform("plan_summary", plan_summary),
    Transform("perio_text", perio_text),
    Transform("chart_text", chart_text),
)
