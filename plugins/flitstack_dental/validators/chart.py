"""The chart: treatment plans and their items, and procedures with codes, teeth and fees that cannot be meant."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flitstack.validators.lines import Lines, Words, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.protocols import Finding, StagedView

PLANS = {
    "plan_without_items": Words("warning", "Treatment plans without a single item.", "They are moved, with no value."),
    "plan_without_value": Words("info", "Treatment plans worth nothing, or less.", "They are moved with that value."),
}
ITEMS = {
    "item_without_plan": Words(
        "warning",
        "Planned procedures that are in no treatment plan.",
        "Those of one patient, day and provider become one plan.",
    ),
    "missing_fee": Words(
        "warning", "Planned procedures without a fee.", "They count as nothing in their plan's value."
    ),
}
PROCEDURES = {
    "missing_fee": Words("info", "Procedures without a fee.", "They are moved without one."),
    "missing_code": Words("warning", "Procedures without a code.", "They are moved without one."),
    "local_code": Words("info", "Procedures with a code of the practice's own.", "They are moved with that code."),
    "implausible_tooth": Words(
        "warning", "Procedures on a tooth that no numbering has.", "They are moved as they are."
    ),
    "implausible_surface": Words(
        "info", "Procedures on a surface that no notation has.", "They are moved as they are."
    ),
    "completed_without_day": Words(
        "error", "Completed procedures without a day.", "They stay behind: no day is invented."
    ),
}
TEETH = {
    "supernumerary": Words("info", "Chart entries on supernumerary teeth.", "They are moved as they are."),
    "implausible_tooth": Words(
        "warning", "Chart entries on a tooth that no numbering has.", "They are moved as they are."
    ),
}

_CODE = re.compile(r"D\d{4}[A-Za-z.]*\d*")
_LETTERED = re.compile(r"[A-T]S?")
_SURFACE = re.compile(r"[MODBLIFVP5]{1,6}|U[LRA]?|L[LRA]?|[0-9]{1,2}|10|20|30|40")
ZERO = Decimal(0)


def is_tooth(text: str) -> bool:
    """Tell whether some numbering has it: 1-32, A-T, supernumerary (51-82, AS-TS), and 11-48, 51-85 (ISO 3950)."""
    text = text.strip().upper()
    if text.isdecimal():
        number = int(text)
        return 1 <= number <= 32 or 51 <= number <= 85 or (number // 10 in (1, 2, 3, 4) and 1 <= number % 10 <= 8)
    return _LETTERED.fullmatch(text) is not None


def check_plans(view: StagedView) -> Iterator[Finding]:
    """Yield plans without items or value, and items without plan or fee."""
    here = view.streams()
    linked: set[str] = set()
    worth: dict[str, Decimal] = {}
    for record in view.records("treatment_plan_links") if "treatment_plan_links" in here else ():
        linked.add(str(record.data.get("item_id")))
        worth.setdefault(str(record.data.get("plan_id")), ZERO)
    done = {
        str(record.data["procedure_id"]): str(record.data.get("plan_id"))
        for record in (view.records("treatment_plan_links") if linked else ())
        if record.data.get("procedure_id")
    }
    for record in view.records("procedures") if done and "procedures" in here else ():
        if record.id in done and record.data.get("status") in ("completed", "referred_out"):
            worth[done[record.id]] += _fee(record.data)
    if "treatment_plan_items" in here:
        items = Lines(ITEMS, "treatment_plan_items", "plans", view.count("treatment_plan_items"))
        plan_of = _plans_of_items(view) if linked else {}
        for record in view.records("treatment_plan_items"):
            data = record.data
            plan = data.get("plan_id") or plan_of.get(record.id)
            deleted = data.get("status") == "deleted"
            if plan:
                worth[str(plan)] = worth.get(str(plan), ZERO) + (ZERO if deleted else _fee(data))
            elif not deleted:
                items.add("item_without_plan", record.id)
            if data.get("fee") is None:
                items.add("missing_fee", record.id)
        yield from items.findings()
    if "treatment_plans" in here:
        plans = Lines(PLANS, "treatment_plans", "plans", view.count("treatment_plans"))
        for record in view.records("treatment_plans"):
            if record.id not in worth:
                plans.add("plan_without_items", record.id)
            elif worth[record.id] <= 0:
                plans.add("plan_without_value", record.id)
        yield from plans.findings()


def _plans_of_items(view: StagedView) -> dict[str, str]:
    return {
        str(record.data.get("item_id")): str(record.data.get("plan_id"))
        for record in view.records("treatment_plan_links")
    }


def _fee(data: Mapping[str, Any]) -> Decimal:
    fee, discount = (Decimal(str(data.get(name) or 0)) for name in ("fee", "discount"))
    return fee * int(data.get("quantity") or 1) - discount


def check_procedures(view: StagedView) -> Iterator[Finding]:
    """Yield procedures that lack something or cannot be meant, how many have each status, and odd teeth."""
    here = view.streams()
    if "procedures" in here:
        of = view.count("procedures")
        lines = Lines(PROCEDURES, "procedures", "plans", of)
        for record in view.records("procedures"):
            for code in _of_procedure(record.data):
                lines.add(code, record.id)
        yield from lines.findings()
        words = Words("info", "Procedures by their status; deleted ones stay behind.")
        tally = sorted(view.tally("procedures", "status").items(), key=lambda pair: -pair[1])
        yield line("procedure_statuses", words, "procedures", "plans", of,
                   spread=tuple((str(status), count) for status, count in tally))  # fmt: skip
    if "tooth_chart" in here:
        teeth = Lines(TEETH, "tooth_chart", "plans", view.count("tooth_chart"))
        for record in view.records("tooth_chart"):
            tooth = record.data.get("tooth")
            if isinstance(tooth, str) and not is_tooth(tooth):
                teeth.add("implausible_tooth", record.id)
            elif isinstance(tooth, str) and len(tooth) == 2 and tooth.isalpha():
                teeth.add("supernumerary", record.id)
        yield from teeth.findings()


def _of_procedure(data: Mapping[str, Any]) -> Iterator[str]:
    if data.get("fee") is None:
        yield "missing_fee"
    code = data.get("code")
    if not code and not data.get("procedure_code_id"):
        yield "missing_code"
    elif isinstance(code, str) and not _CODE.fullmatch(code):
        yield "local_code"
    tooth, surface = data.get("tooth"), data.get("surface")
    if isinstance(tooth, str) and not is_tooth(tooth):
        yield "implausible_tooth"
    if isinstance(surface, str) and not _SURFACE.fullmatch(surface.strip().upper()):
        yield "implausible_surface"
    if data.get("status") == "completed" and not data.get("performed_on"):
        yield "completed_without_day"
