"""The plan for people: a summary on the terminal, one self-contained page, and the same as JSON for machines."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from flitstack.reports.estimate import span
from flitstack.reports.html import render, write_report
from flitstack.reports.tables import add_counts, plain_table, say
from flitstack.stages.gates.texts import cost_text
from flitstack.stages.plan.document import described

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from flitstack.stages.gates.gate import Gate
    from flitstack.stages.plan.document import PlanDocument

GRADES = {"A": "simple", "B": "moderate", "C": "demanding", "D": "hard"}
SEVERITY = {"A": "ok", "B": "ok", "C": "warning", "D": "error"}
TOLD = 8


def write_plan(document: PlanDocument, folder: Path) -> tuple[Path, Path]:
    """Write the page and the JSON file, named by the plan's hash and readable by their owner alone; return both."""
    name = f"plan-{document.hash[:12]}"
    page = write_report(folder, f"{name}.html", plan_page(document))
    return page, write_report(folder, f"{name}.json", document.text())


def publish_plan(document: PlanDocument, folder: Path) -> str:
    """Write the report and return its page's path, as a run does before its gates."""
    return str(write_plan(document, folder)[0])


def plan_page(document: PlanDocument) -> str:
    """Return the plan as one HTML page; counts, names of fields and of users, no value of a record."""
    length = document.duration
    values: dict[str, Any] = {
        "plan": document,
        "grade": document.grade,
        "grade_word": GRADES[document.grade.letter],
        "grade_severity": SEVERITY[document.grade.letter],
        "operations": _operations(document),
        "cost": cost_text(document),
        "at_the_rate": "" if length.burst_s is None else span(length.burst_s),
        "created": [(described(item), _settings(item.settings)) for item in document.fit.create],
        "folded": [described(item) for item in document.fit.folded],
        "added": [(_called(key), ", ".join(options)) for key, options in document.fit.add_options.items()],
        "clashes": [(_called(key), item.name) for key, item in document.fit.clashes.items()],
        "skips": [
            (stream, ", ".join(f"{count:,} {rule}" for _, rule, count in rules))
            for stream, rules in groupby(document.skips, key=itemgetter(0))
        ],
        "unmatched": [(f"{stream}:{id_}", how) for stream, id_, user, how in document.owners.people if user is None],
        "settled": [(name, _plain(value)) for name, value in document.spec.values.items()],
    }
    return render("plan.html.j2", values)


def print_plan(document: PlanDocument, gates: Sequence[Gate], console: Console, journal: str) -> None:
    """Print the plan: what is written, what is created, what it costs, its grade, and what is to be approved."""
    table = plain_table("What a run would write")
    table.add_column("object", no_wrap=True)
    verbs = [verb for verb in ("create", "update", "delete") if any(v == verb for _, v in document.summary.operations)]
    for verb in verbs:
        add_counts(table, verb)
    for object_, counts in _operations(document):
        table.add_row(object_, *(f"{counts[verb]:,}" if verb in counts else "" for verb in verbs))
    console.print(table)
    say(console, cost_text(document))
    fit = document.fit
    say(
        console, f"{len(fit.create):,} fields, pipelines, stages and types to create, {len(fit.reuse):,} there already."
    )
    for name, (needed, free) in document.room.items():
        say(console, f"  {needed:,} of the {free:,} {name.replace('_', ' ')}s that the account's plan has room for.")
    for words, items in (("fold into one text for want of room", fit.folded), ("names are taken", fit.clashes)):
        if items:
            say(console, f"  {len(items):,} {words}.")
    owners = document.owners
    say(console, f"Owners: {owners.matched:,} of {len(owners.people):,} matched; the rest to {owners.fallback} "
                  f"({owners.why}).")  # fmt: skip
    say(console, f"{len(document.compromises):,} compromises; {len(document.rejections):,} kinds of rejections.")
    grade = document.grade
    say(console, f"Complexity {grade.letter} ({GRADES[grade.letter]}), {grade.points} of 12 points:")
    for reason in grade.reasons:
        say(console, f"  {reason.points}  {reason.name}: {reason.words}")
    _say_gates(gates, console, journal)


def _say_gates(gates: Sequence[Gate], console: Console, journal: str) -> None:
    if not gates:
        say(console, "Nothing is to be approved: there is nothing to write, or it was approved and is under way.")
    for gate in gates:
        say(console, f"Gate {gate.name}: {gate.approved or 'open'}{'' if gate.approved else '.'}")
        if not gate.approved:
            for line in gate.notes[:TOLD]:
                say(console, f"  {line}")
    if any(not gate.approved for gate in gates):
        say(console, f"`flit run` shows each gate in full, and the command that approves it (--journal {journal}).")


def _operations(document: PlanDocument) -> list[tuple[str, dict[str, int]]]:
    counted: dict[str, dict[str, int]] = {}
    for (object_, verb), count in document.summary.operations.items():
        counted.setdefault(object_.replace("_", " "), {})[verb] = count
    return list(counted.items())


def _settings(settings: Any) -> dict[str, str]:
    return {
        "type": str(settings.get("type", "")).replace("_", " "),
        "options": ", ".join(str(option) for option in settings.get("options", ())),
        "priority": str(settings.get("priority", "")),
        "label": str(settings.get("label") or ""),
    }


def _called(key: str) -> str:
    return " ".join(part for part in key.split("/", 2) if part)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)
