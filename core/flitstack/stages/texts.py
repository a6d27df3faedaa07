"""What gates show: plain words, counts before details, no value of a record; the same input gives the same text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flitstack.journal import Journal
    from flitstack.mapping import Fit
    from flitstack.protocols import Account
    from flitstack.stages.plan import PlanSummary
    from flitstack.stages.specs import Prepared


def map_text(prepared: Prepared, fit: Fit, account: Account) -> str:
    """Return what the `map` gate shows: which map, its constants, its compromises."""
    spec = prepared.spec
    lines = [f"Map {spec.template} (spec {spec.sha256[:16]}), {len(spec.entries)} entries."]
    lines += [f"  {entry.name}: {entry.stream} to {entry.object}" for entry in spec.entries]
    lines += ["Settled:", *(f"  {name} = {value}" for name, value in spec.values.items())]
    lines += ["What the destination cannot hold as asked:"]
    lines += [f"  - {text}" for text in (*fit.compromises, *account.compromises)]
    return "\n".join(lines)


def schema_text(fit: Fit, account: Account) -> str:
    """Return what the `schema` gate shows: what is created, reused, and folded for want of room."""
    lines = [f"{len(fit.create)} to create in the account {account.name}, {len(fit.reuse)} there already:"]
    for item in fit.create:
        kind = item.settings.get("type", "")
        lines.append(
            "  " + " ".join(part for part in (item.object, item.of, item.name, f"({kind})" if kind else "") if part)
        )
    if fit.folded:
        lines.append(f"{len(fit.folded)} fields have no room on this plan and fold into one text field each:")
        lines += [f"  {item.of} {item.name}" for item in fit.folded]
    lines += [f"  add to {key}: {', '.join(options)}" for key, options in fit.add_options.items()]
    lines += [f"  the account has another {key}: {item.name} is used instead" for key, item in fit.clashes.items()]
    return "\n".join(lines)


def full_text(journal: Journal, plan: PlanSummary, budget: int | None) -> str:
    """Return what the `full` gate shows: what will be written, what cannot move, and what it costs."""
    latest = journal.staging.latest()
    lines = [f"Export as of {latest.as_of if latest else 'unknown'}, fingerprint {journal.staging.fingerprint()[:16]}."]
    lines += [f"  {verb} {n:,} {object_}" for (object_, verb), n in plan.operations.items()]
    lines.append(f"{plan.tokens:,} tokens{f', of {budget:,} a day' if budget else ''}.")
    rejected = journal.buckets.rejections()
    if rejected:
        lines.append("Cannot move:")
        lines += [f"  {n:,} of {stream}: {code}. {reason}" for stream, code, reason, _, n, _ in rejected]
    skipped = journal.buckets.skips()
    if skipped:
        lines.append("Left out by rule:")
        lines += [f"  {n:,} of {stream}: {rule}" for stream, rule, n in skipped]
    return "\n".join(lines)
