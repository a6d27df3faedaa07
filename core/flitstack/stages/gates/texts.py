"""What gates show: plain words, counts before details, no value of a record; the same input gives the same text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from flitstack.journal import BUCKETS
from flitstack.stages.plan.document import described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.stages.plan.document import Owners, PlanDocument

OPTIONS = 8


def owners_text(owners: Owners, owner_map: str | None) -> list[str]:
    """Return who owns what: how many of the source's people are users, the owner map with its hash, the fallback."""
    told = f"Owners: {owners.matched:,} of {len(owners.people):,} people of the source are users of the account"
    if owner_map is None:
        told += " (matched by e-mail; no owner map)."
    else:
        digest = hashlib.sha256(Path(owner_map).read_bytes()).hexdigest()
        told += f" (by owner map {Path(owner_map).name}, sha256 {digest[:16]}, else by e-mail)."
    return [told, f"What nobody of them owns goes to {owners.fallback} ({owners.why})."]


def map_text(document: PlanDocument, owners: Sequence[str]) -> str:
    """Return what the `map` gate shows: which map, its constants, who owns what, its compromises."""
    spec = document.spec
    lines = [
        f"Map {spec.template}, sha256 {spec.sha256[:16]}:",
        *(f"  {entry.stream} becomes {entry.object} ({entry.name})" for entry in spec.entries),
        "Settled:",
        *(f"  {name} = {_settled(value)}" for name, value in spec.values.items()),
        *owners,
    ]
    lines += ["What the destination cannot hold as asked:"]
    lines += [f"  - {text}" for text in document.compromises] or ["  - nothing"]
    return "\n".join(lines)


def schema_text(document: PlanDocument) -> str:
    """Return what the `schema` gate shows: what is created, reused, and folded for want of room."""
    fit, account = document.fit, document.account
    lines = [f"{len(fit.create)} to create in the account {account.name}, {len(fit.reuse)} there already:"]
    for item in fit.create:
        kind, options = str(item.settings.get("type", "")), list(item.settings.get("options", ()))
        told = ", ".join(filter(None, [kind.replace("_", " "), _few(options)]))
        lines.append(f"  {described(item)}{f' ({told})' if told else ''}")
    lines += [
        f"Takes {needed:,} of the {free:,} {name.replace('_', ' ')}s for which the account's plan has room."
        for name, (needed, free) in document.room.items()
    ]
    if fit.folded:
        lines.append(f"{len(fit.folded)} fields have no room on this plan and fold into one text field each:")
        lines += [f"  {item.of} {item.name}" for item in fit.folded]
    lines += [f"  add to {_called(key)}: {', '.join(options)}" for key, options in fit.add_options.items()]
    lines += [
        f"  the account has another {_called(key)}: {item.name} is used instead" for key, item in fit.clashes.items()
    ]
    return "\n".join(lines)


def _few(options: Sequence[object]) -> str:
    """Return the first options of a field; the plan's report has all."""
    told = ", ".join(str(option) for option in options[:OPTIONS])
    more = f" and {len(options) - OPTIONS:,} more" if len(options) > OPTIONS else ""
    return f"options {told}{more}" if options else ""


def _called(key: str) -> str:
    """Return what a schema item's key says, as people write it."""
    return " ".join(part for part in key.split("/", 2) if part)


def _settled(value: object) -> str:
    """Return a constant of the spec as people write it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_settled(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_settled(item) for item in value) or "none"
    return str(value)


def full_text(document: PlanDocument) -> str:
    """Return what the `full` gate shows: counts, what is written, what it costs, what cannot move and why."""
    plan, total = document.summary, _totals(document.streams)
    moves = total["read"] - total["rejected"] - total["blocked"] - total["skipped"]
    lines = [
        f"Export as of {document.as_of or 'unknown'}: {total['read']:,} source records.",
        f"  {moves:,} move, {total['skipped']:,} are left out by rule, {total['rejected']:,} cannot move, "
        f"{total['blocked']:,} wait for one that cannot.",
        "Writes:",
        *(f"  {verb} {n:,} {object_}" for (object_, verb), n in plan.operations.items()),
    ]
    if plan.cleared:
        lines.append(f"  {plan.cleared:,} fields that an earlier run filled are emptied")
    if plan.unwanted:
        lines.append(f"  {plan.unwanted:,} records of earlier runs are no longer wanted by this map; they stay")
    lines.append(f"What nobody of the source owns goes to {document.owners.fallback}.")
    lines += [cost_text(document), grade_text(document)]
    lines += _reasons(document)
    lines.append(f"Fingerprint of the export: {document.fingerprint[:16]}; of the plan: {document.hash[:12]}.")
    return "\n".join(lines)


def cost_text(document: PlanDocument) -> str:
    """Return what writing and reading back takes of the account, in one line."""
    ahead, days, budget = document.summary.ahead, document.duration.days, document.account.daily_budget
    told = f"Takes {ahead.requests:,} requests and {ahead.tokens:,} tokens{f', of {budget:,} a day' if budget else ''}"
    if days is None:
        return f"{told}; how many days that is, the account does not tell."
    return f"{told}: {days:,} day{'' if days == 1 else 's'}."


def grade_text(document: PlanDocument) -> str:
    """Return the grade and what weighs in it, in one line."""
    grade = document.grade
    weighs = ", ".join(f"{reason.name} {reason.points}" for reason in grade.reasons)
    return f"Complexity: {grade.letter} (A is simple, D is not), {grade.points} of 12 points: {weighs}."


def _totals(streams: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {name: sum(counts[name] for counts in streams.values()) for name in ("read", *BUCKETS)}


def _reasons(document: PlanDocument) -> list[str]:
    """Return what cannot move, what is left out, and what was noticed."""
    lines: list[str] = []
    if document.rejections:
        lines.append("Cannot move:")
        lines += [f"  {n:,} of {stream}: {code}. {reason}" for stream, code, reason, n in document.rejections]
    if document.skips:
        lines.append("Left out by rule (docs: Rejections):")
        for stream, rules in groupby(document.skips, key=itemgetter(0)):
            lines.append(f"  {stream}: " + ", ".join(f"{n:,} {rule}" for _, rule, n in rules))
    if document.noticed:
        lines.append("Noticed:")
        lines += [f"  {finding.message}" for finding in document.noticed]
    return lines
