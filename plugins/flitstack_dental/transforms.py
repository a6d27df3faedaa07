"""What dental mappings need beyond the built-in functions: procedures, plans, charts and contact points as text.

A record is what an expression sees of one, or a dict; a missing value is None. Every function is pure: the same
records give the same result, and none asks what time it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from flitstack.protocols import Transform
from flitstack_dental.directory import reads_as_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PlanStage: TypeAlias = Literal["proposed", "accepted", "in_progress", "completed", "lost"]

_PLAN_STAGES: Mapping[str, PlanStage] = {
    "proposed": "proposed",
    "accepted": "accepted",
    "in_progress": "in_progress",
    "completed": "completed",
    "rejected": "lost",
    "inactive": "lost",
    "lost": "lost",
}
_CLOSED_ITEMS = frozenset({"deleted", "inactive", "rejected", "referred", "referred_out"})
_WAS_PLANNED = frozenset({"completed", "referred_out", "deleted"})
"""What a planned procedure may become; existing work and conditions were never this practice's to do."""
_AGREED_ITEMS = frozenset({"accepted", "scheduled"})
_OPEN_ITEMS = frozenset({"planned", "accepted", "scheduled"})
_PERIO_SITES = ("mb", "b", "db", "ml", "l", "dl")


def _of(record: Any, name: str) -> Any:
    if record is None:
        return None
    return record.get(name) if isinstance(record, Mapping) else getattr(record, name)


# --- text -----------------------------------------------------------------------------------------------------------


def labelled(label: str, value: object) -> str | None:
    """Return `LABEL: value`, or None when there is no value.

    Days and times as ISO 8601 to the minute, midnight as the day alone; true and false as yes and no.
    """
    text = _plain(value)
    return f"{label}: {text}" if text else None


def one_line(value: object, limit: int = 255) -> str | None:
    """Return the value on a single line of at most `limit` characters, or None: for subjects, titles and names."""
    text = " ".join((_plain(value) or "").split())
    if len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    return text or None


def _plain(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if value.time() == time() else "%Y-%m-%d %H:%M")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value).strip() or None


def _lines(parts: Iterable[str | None]) -> str | None:
    return "\n".join(part for part in parts if part) or None


def _words(*parts: object, by: str = " ") -> str:
    return by.join(text for part in parts if (text := _plain(part)))


def provider_name(who: Any) -> str | None:
    """Return title, first name, last name and suffix of a provider, else the abbreviation, or None."""
    names = (_of(who, part) for part in ("title", "first_name", "last_name", "suffix"))
    return _words(*names) or _plain(_of(who, "abbreviation"))


def provider_of(who: Any, given: str | None) -> str | None:
    """Return a provider's name; where the export names somebody whom its tables do not hold, that name as it stands.

    :param given: what stands where the id belongs; a number or a code is no name.
    """
    if who is not None:
        return provider_name(who)
    return _plain(given) if given and reads_as_name(given) else None


# --- days -----------------------------------------------------------------------------------------------------------


def midnight(value: date | None) -> datetime | None:
    """Return the local start of a day, without a zone; a local time stays as it is."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time())


# --- contact points -------------------------------------------------------------------------------------------------


def contact_entries(points: Sequence[Any], limit: int | None = None) -> list[dict[str, Any]]:
    """Return the first `limit` different points as `{value, label, primary}`, the first of them primary."""
    return [
        {"value": _of(point, "value"), "label": _contact_label(point), "primary": position == 0}
        for position, point in enumerate(_different(points)[:limit])
    ]


def contact_text(points: Sequence[Any], limit: int) -> str | None:
    """Return, one a line, the points past `limit` and those within it that carry a remark; None when there is none."""
    lines = []
    past = {id(point) for point in _different(points)[limit:]}
    for point in points:
        remark = _of(point, "note")
        if id(point) in past or remark:
            line = f"{_of(point, 'value')} ({_contact_label(point)})"
            lines.append(f"{line}: {remark}" if remark else line)
    return _lines(lines)


def _different(points: Sequence[Any]) -> list[Any]:
    """Return the points without those that repeat an earlier one, whatever stands between their digits."""
    found: dict[str, Any] = {}
    for point in points:
        value = str(_of(point, "value"))
        plain = value.casefold() if "@" in value else "".join(sign for sign in value.casefold() if sign.isalnum())
        found.setdefault(plain or value, point)
    return list(found.values())


def _contact_label(point: Any) -> str:
    kind = _of(point, "kind")
    return str(_of(point, "label") or ("other" if kind == "email" else kind))


# --- procedures and treatment plans ---------------------------------------------------------------------------------


def procedure_code(record: Any) -> str | None:
    """Return the code of a procedure or planned item: its own, else that of the code list."""
    return _plain(_of(record, "code") or _of(_of(record, "procedure_code"), "code"))


def procedure_title(record: Any) -> str:
    """Return code, wording and place of one procedure or planned item, as far as they are known, on one line.

    The wording is its own, else the practice's wording of its code: `D2740 Crown (tooth 14 MO)`.
    """
    wording = _of(record, "description") or _of(_of(record, "procedure_code"), "description")
    words = _words(procedure_code(record), wording) or "Procedure"
    tooth, surface = _of(record, "tooth"), _of(record, "surface")
    place = _words("tooth", tooth, surface) if tooth else _words("surface", surface) if surface else None
    return f"{words} ({place})" if place else words


def procedure_lines(records: Iterable[Any]) -> str | None:
    """Return one line per procedure: title, day, amount, status and remark, as far as they are known."""
    return _lines(
        _words(
            procedure_title(record),
            _of(record, "performed_on"),
            _amount_text(record),
            _of(record, "original_status") or _of(record, "status"),
            _of(record, "note"),
            by=", ",
        )
        for record in records
    )


def item_lines(items: Iterable[Any]) -> str | None:
    """Return one line per planned item: title, day, amount and status, as far as they are known."""
    return _lines(
        _words(
            procedure_title(item),
            _item_done(item) or _of(item, "planned_on"),
            _amount_text(item),
            _item_status(item),
            by=", ",
        )
        for item in items
    )


def procedure_codes(records: Iterable[Any]) -> str | None:
    """Return the different codes, in the order in which they first occur, parted by `, `; None when there is none."""
    return ", ".join(dict.fromkeys(code for record in records if (code := procedure_code(record)))) or None


def plan_items(own: Sequence[Any], links: Iterable[Any]) -> list[Any]:
    """Return the items of a plan, each once: those that name it, then those that links lead to.

    A link may lead to a procedure that was planned and is done, referred out or deleted by now: it is an item, too.
    """
    found = {_of(item, "id"): item for item in own}
    for link in links:
        item = _of(link, "item") or _done_item(_of(link, "procedure"))
        if item is not None:
            found.setdefault(_of(item, "id"), item)
    return list(found.values())


def _done_item(procedure: Any) -> dict[str, Any] | None:
    """Return a procedure that was planned as an item of its plan, None for one that never was."""
    if procedure is None or _of(procedure, "status") not in _WAS_PLANNED:
        return None
    same = ("id", "status", "code", "procedure_code", "description", "tooth", "surface", "fee", "quantity", "discount")
    done = _of(procedure, "performed_on") if _of(procedure, "status") == "completed" else None
    return {**{name: _of(procedure, name) for name in same}, "completed_on": done, "procedure": procedure}


def plan_value(items: Iterable[Any]) -> Decimal:
    """Return fee x quantity - discount, summed over the items that are not deleted; a missing quantity counts as one.

    It is the gross fee, not the patient's portion.
    """
    return sum((_amount(item) for item in items if _of(item, "status") != "deleted"), Decimal(0))


def plan_stage(status: str | None, items: Iterable[Any], signed: bool = False, booked: bool = True) -> PlanStage:
    """Return the stage of a treatment plan: as its status says, else as its items show.

    All live items completed: completed; some: in progress; signed, or an item agreed to: accepted; every item
    inactive, rejected, referred or deleted: lost; else proposed.

    :param status: neutral status of the plan; `unknown` and None ask the items.
    :param signed: the patient signed the plan, which accepts it.
    :param booked: an item that hangs on an appointment counts as agreed to.
    """
    return _PLAN_STAGES.get(status or "") or _stage_of_items(list(items), signed, booked)


def newest_day(items: Iterable[Any]) -> date | None:
    """Return the newest day on which an item of a plan was completed, else planned, or None."""
    return max((day for item in items if (day := _item_done(item) or _of(item, "planned_on"))), default=None)


def item_day(item: Any) -> date | None:
    """Return the day of a planned item: planned, else completed, else entered."""
    entered = _of(item, "created_at")
    return _of(item, "planned_on") or _item_done(item) or (entered.date() if entered else None)


def plan_summary(
    plans: Iterable[Any], items: Sequence[Any], clinical: bool = True, links: Iterable[Sequence[Any]] = ()
) -> str | None:
    """Return one line per treatment plan (day, heading, stage, value) and one for items without a plan.

    :param items: all planned items of the patient.
    :param clinical: whether headings, which may name a treatment, are shown.
    :param links: lists of links between plans and items that do not name their plan.
    """
    lines = []
    all_links = [link for several in links for link in several]
    linked = {(_of(link, "plan_id"), _of(link, "item_id")) for link in all_links}
    known = {_of(item, "id") for item in items}
    placed = {item_id for _, item_id in linked}
    for plan in plans:
        number = _of(plan, "id")
        own = [item for item in items if _of(item, "plan_id") == number or (number, _of(item, "id")) in linked]
        own = plan_items(own, (x for x in all_links if _of(x, "plan_id") == number and _of(x, "item_id") not in known))
        head = _words(_plan_day(plan), _of(plan, "heading") if clinical else None) or "Treatment plan"
        lines.append(f"{head}: {_plan_words(plan, own)}, {plan_value(own):.2f}")
    free = [item for item in items if not _of(item, "plan_id") and _of(item, "id") not in placed]
    loose = [item for item in free if _of(item, "status") not in _CLOSED_ITEMS]
    if loose:
        lines.append(f"{len(loose)} planned items without a plan: {plan_value(loose):.2f}")
    return _lines(lines)


def _item_status(item: Any) -> str | None:
    """Return the item's status; one that is a copy of a procedure is completed when that procedure is."""
    status = _of(item, "status")
    copied = status in _OPEN_ITEMS and _of(_of(item, "procedure"), "status") == "completed"
    return "completed" if copied else status


def _item_done(item: Any) -> date | None:
    done: date | None = _of(item, "completed_on")
    if done is None and _item_status(item) == "completed":
        done = _of(_of(item, "procedure"), "performed_on")
    return done


def _amount(item: Any) -> Decimal:
    quantity = _of(item, "quantity")
    fee = _of(item, "fee") or Decimal(0)
    return fee * (1 if quantity is None else quantity) - (_of(item, "discount") or Decimal(0))


def _amount_text(item: Any) -> str | None:
    return None if _of(item, "fee") is None else f"{_amount(item):.2f}"


def _stage_of_items(items: Sequence[Any], signed: bool, booked: bool) -> PlanStage:
    live = [item for item in items if _of(item, "status") not in _CLOSED_ITEMS]
    done = [item for item in live if _item_status(item) == "completed"]
    if items and not live:
        return "lost"
    if done:
        return "completed" if len(done) == len(live) else "in_progress"
    agreed = any(_of(item, "status") in _AGREED_ITEMS or (booked and _of(item, "appointment_id")) for item in live)
    return "accepted" if signed or agreed else "proposed"


def _plan_day(plan: Any) -> date | None:
    entered = _of(plan, "created_at")
    return _of(plan, "proposed_on") or (entered.date() if entered else None)


def _plan_words(plan: Any, items: Sequence[Any]) -> str:
    if _of(plan, "status") == "suspended":
        return "suspended"
    return plan_stage(_of(plan, "status"), items, _of(plan, "signed_at") is not None).replace("_", " ")


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
    lines = [f"Examination {_exam_day(newest)}", _of(newest, "note"), *map(_perio_line, measurements)]
    if len(exams) > 1:
        lines.append(f"Earlier examinations: {', '.join(map(_exam_day, reversed(exams[:-1])))}")
    return _lines(lines)


def chart_text(rows: Iterable[Any]) -> str | None:
    """Return one line per tooth: every entry of the chart, newest first, with its day; None without an entry."""
    ordered = sorted(rows, key=lambda row: (_of(row, "recorded_on") or date.min, _of(row, "id")), reverse=True)
    ordered.sort(key=lambda row: _tooth_order(_of(row, "tooth")))
    lines = []
    for tooth, entries in groupby(ordered, key=lambda row: _of(row, "tooth")):
        lines.append(f"{_words('Tooth', tooth) if tooth else 'Mouth'}: {'; '.join(map(_chart_entry, entries))}")
    return _lines(lines)


def _exam_day(exam: Any) -> str:
    return _plain(_of(exam, "exam_date")) or "without a date"


def _perio_line(row: Any) -> str:
    figures = " ".join(_perio_figure(_of(row, site)) for site in _PERIO_SITES)
    return f"Tooth {_of(row, 'tooth') or '?'} {_of(row, 'kind').replace('_', ' ')} (MB B DB ML L DL): {figures}"


def _perio_figure(value: int | None) -> str:
    if value is None or value < 0:
        return "-"
    return str(100 - value) if value > 100 else str(value)


def _tooth_order(tooth: str | None) -> tuple[int, int, str]:
    if not tooth:
        return (2, 0, "")
    return (0, int(tooth), tooth) if tooth.isdecimal() else (1, 0, tooth)


def _chart_entry(row: Any) -> str:
    words = _words(_of(row, "condition"), _of(row, "surface"), _of(row, "recorded_on")) or "noted"
    return f"{words} ({_of(row, 'note')})" if _of(row, "note") else words


TRANSFORMS: tuple[Transform, ...] = tuple(
    Transform(call.__name__, call)
    for call in (
        labelled,
        one_line,
        provider_name,
        provider_of,
        midnight,
        contact_entries,
        contact_text,
        procedure_code,
        procedure_title,
        procedure_lines,
        item_lines,
        procedure_codes,
        plan_items,
        plan_value,
        plan_stage,
        newest_day,
        item_day,
        plan_summary,
        perio_text,
        chart_text,
    )
)
