"""Patients and their families: who is on file as what, who pays for whom, and whom a child is reached through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.validators.lines import Lines, Words, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.protocols import Finding, StagedView

STATUSES = {
    "deceased": Words(
        "info",
        "Deceased patients.",
        "By default they stay behind; with them recalls and open visits.",
        "Shall the deceased be moved (deceased=import)?",
        "they stay behind",
    ),
    "deleted": Words("info", "Patients deleted in the old system.", "They stay behind."),
    "archived": Words(
        "info", "Archived patients.", "They are moved.", "Shall they stay behind (archived=skip)?", "moved"
    ),
    "non_patient": Words(
        "info",
        "People on file who are no patients, such as guarantors.",
        "They are moved.",
        "Shall they stay behind (non_patients=skip)?",
        "moved",
    ),
    "inactive": Words("info", "Inactive patients.", "They are moved, without recalls."),
    "prospective": Words("info", "Prospective patients.", "They are moved as leads."),
}
NAMES = {
    "zz_name": Words(
        "warning",
        "Names that begin with ZZ, by which practices mark who is archived.",
        "They are moved as they are.",
        "Shall they stay behind?",
        "moved as they are",
    ),
}
FAMILIES = {
    "guarantor_circle": Words(
        "warning",
        "People who are each other's guarantor, in a circle.",
        "They are moved; the circle is closed by a second write.",
    ),
    "no_guarantor": Words("info", "People without a guarantor.", "They are moved without one."),
    "own_guarantor": Words("info", "People who are their own guarantor.", "They are moved as they are."),
    "child_without_mobile": Words(
        "info",
        "Children without a mobile number of their own, reached through their family.",
        "They are moved as they are.",
    ),
}
REACH = {
    "no_texts": Words("info", "Patients who do not want text messages.", "It is moved as it is."),
}
BILLING = Words("info", "Billing addresses beside the mailing address.", "Both are moved.")
ADULT_YEARS = 18


def check_statuses(view: StagedView) -> Iterator[Finding]:
    """Yield how many patients have each status, and names that mark a status."""
    if "patients" not in view.streams():
        return
    of = view.count("patients")
    tally = view.tally("patients", "status")
    words = Words("info", "Patients by their status.")
    spread = tuple((str(status), count) for status, count in sorted(tally.items(), key=lambda pair: -pair[1]))
    yield line("patient_statuses", words, "patients", "identity", of, spread=spread)
    lines = Lines(STATUSES, "patients", "identity", of)
    names = Lines(NAMES, "patients", "identity", of)
    reach = Lines(REACH, "patients", "contact", of)
    for record in view.records("patients"):
        lines.add(str(record.data.get("status")), record.id)
        last = record.data.get("last_name")
        if isinstance(last, str) and last.upper().startswith("ZZ"):
            names.add("zz_name", record.id)
        if record.data.get("text_ok") is False:
            reach.add("no_texts", record.id)
    yield from lines.findings()
    yield from names.findings()
    yield from reach.findings()
    billing = view.tally("addresses", "kind").get("billing", 0) if "addresses" in view.streams() else 0
    if billing:
        yield line("billing_address", BILLING, "addresses", "contact", billing, of=view.count("addresses"))


def check_families(view: StagedView) -> Iterator[Finding]:
    """Yield circles of guarantors, people without one, and children who are reached through their family."""
    if "patients" not in view.streams():
        return
    pays: dict[str, str] = {}
    children: list[str] = []
    as_of = view.as_of()
    youngest = f"{as_of.year - ADULT_YEARS}{as_of.isoformat()[4:10]}" if as_of is not None else "9999"
    lines = Lines(FAMILIES, "patients", "families", view.count("patients"))
    for record in view.records("patients"):
        guarantor, born = record.data.get("guarantor_id"), record.data.get("birth_date")
        if guarantor is None:
            lines.add("no_guarantor", record.id)
        elif guarantor == record.id:
            lines.add("own_guarantor", record.id)
        else:
            pays[record.id] = str(guarantor)
        if isinstance(born, str) and born > youngest:
            children.append(record.id)
    for member in _in_circles(pays):
        lines.add("guarantor_circle", member)
    if "contact_points" in view.streams():
        reached = {
            record.data.get("patient_id")
            for record in view.records("contact_points")
            if record.data.get("kind") == "mobile"
        }
        for child in children:
            if child not in reached:
                lines.add("child_without_mobile", child)
    yield from lines.findings()


def _in_circles(pays: dict[str, str]) -> Iterator[str]:
    """Yield whoever comes back to themselves by going from guarantor to guarantor."""
    settled: set[str] = set()
    for start in pays:
        path: dict[str, int] = {}
        one = start
        while one in pays and one not in settled and one not in path:
            path[one] = len(path)
            one = pays[one]
        if one in path:
            yield from list(path)[path[one] :]
        settled.update(path)
