"""Insurance: cover that has ended or cannot be meant, that lacks its number or its first; carriers twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flitstack.validators.lines import Lines, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.protocols import Finding, StagedView

COVER = {
    "cover_expired": Words("info", "Cover that has ended.", "It is moved with the day on which it ended."),
    "ends_before_start": Words("warning", "Cover that ends before it begins.", "It is moved as it is."),
    "no_policy_number": Words(
        "warning",
        "Cover without a subscriber's or policy number.",
        "It is moved without one.",
        "Shall the numbers be filled in first? The new system cannot ask the carrier without.",
        "moved without",
    ),
    "second_without_first": Words("info", "People with a second cover and no first.", "It is moved as the second."),
    "cover_unverified": Words("info", "Cover that the old system marks as not verified.", "It is moved as it is."),
}
CARRIERS = {
    "carrier_twice": Words(
        "warning",
        "Carriers whose name another has too, but for its spelling.",
        "Each name is moved as it is written.",
        "Shall they be made one in the old system first?",
        "moved as they are",
    ),
}
PLANS = {
    "placeholder_group": Words(
        "info", "Plans with a group number that many carriers' plans share.", "It is moved as it is."
    ),
}
SHARED = 3
_NOISE = re.compile(r"\b(?:insurance|ins|company|co|inc|llc|corp|corporation|of|the|plan|dental)\b|[^a-z0-9 ]")


def check_insurance(view: StagedView) -> Iterator[Finding]:
    """Yield what is odd about cover, carriers and plans."""
    here = view.streams()
    if "patient_insurance" in here:
        yield from _cover(view)
    if "insurance_carriers" in here:
        yield from _carriers(view)
    if "insurance_plans" in here:
        yield from _plans(view)


def _cover(view: StagedView) -> Iterator[Finding]:
    day = str(view.as_of() or "9999")[:10]
    subscriptions: dict[str, Mapping[str, Any]] = {}
    if "insurance_subscriptions" in view.streams():
        names = ("policy_number", "effective_on", "terminated_on")
        for record in view.records("insurance_subscriptions"):
            subscriptions[record.id] = {name: record.data[name] for name in names if record.data.get(name)}
    lines = Lines(COVER, "patient_insurance", "insurance", view.count("patient_insurance"))
    first: set[Any] = set()
    second: dict[Any, str] = {}
    for record in view.records("patient_insurance"):
        data = {**subscriptions.get(str(record.data.get("subscription_id")), {}), **record.data}
        begins, ends = data.get("effective_on"), data.get("terminated_on")
        if begins and ends and str(ends) < str(begins):
            lines.add("ends_before_start", record.id)
        if ends and str(ends) < day:
            lines.add("cover_expired", record.id)
        if not data.get("policy_number"):
            lines.add("no_policy_number", record.id)
        if data.get("pending"):
            lines.add("cover_unverified", record.id)
        if data.get("ordinal") == 2:
            second.setdefault(data.get("patient_id"), record.id)
        else:
            first.add(data.get("patient_id"))
    for patient, record_id in second.items():
        if patient not in first:
            lines.add("second_without_first", record_id)
    yield from lines.findings()


def _carriers(view: StagedView) -> Iterator[Finding]:
    lines = Lines(CARRIERS, "insurance_carriers", "insurance", view.count("insurance_carriers"))
    known: set[str] = set()
    for record in view.records("insurance_carriers"):
        name = str(record.data.get("name") or "").casefold()
        plain = "".join(_NOISE.sub("", name).split()) or name
        if plain and plain in known:
            lines.add("carrier_twice", record.id)
        known.add(plain)
    yield from lines.findings()


def _plans(view: StagedView) -> Iterator[Finding]:
    carriers: dict[str, set[Any]] = {}
    plans: dict[str, list[str]] = {}
    for record in view.records("insurance_plans"):
        group = record.data.get("group_number")
        if isinstance(group, str) and group:
            carriers.setdefault(group, set()).add(record.data.get("carrier_id"))
            plans.setdefault(group, []).append(record.id)
    lines = Lines(PLANS, "insurance_plans", "insurance", view.count("insurance_plans"))
    for group, ids in plans.items():
        if len(carriers[group]) >= SHARED:
            for record_id in ids:
                lines.add("placeholder_group", record_id)
    yield from lines.findings()
