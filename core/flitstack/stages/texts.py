"""What gates show: plain words, counts before details, no value of a record; the same input gives the same text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from flitstack.journal import BUCKETS

if TYPE_CHECKING:
    from flitstack.journal import Journal
    from flitstack.mapping import Fit
    from flitstack.protocols import Account
    from flitstack.stages.plan import PlanSummary
    from flitstack.stages.specs import Prepared


def owners_text(matched: int, of: int, owner_map: str | None) -> str:
    """Return who owns what: how many of the source's people are users, and the owner map with its hash."""
    told = f"Owners: {matched:,} of {of:,} people of the source are users of the account"
    if owner_map is None:
        return f"{told} (matched by e-mail; no owner map)."
    digest = hashlib.sha256(Path(owner_map).read_bytes()).hexdigest()
    return f"{told} (by owner map {owner_map}, sha256 {digest[:16]}, else by e-mail)."


def map_text(prepared: Prepared, fit: Fit, account: Account, owners: str) -> str:
    """Return what the `map` gate shows: which map, its constants, its compromises."""
    spec = prepared.spec
    lines = [
        f"Map {spec.template} from {prepared.template}.",
        f"In full, as it would be used: {prepared.file}",
        *(f"  {entry.stream} becomes {entry.object} ({entry.name})" for entry in spec.entries),
        "Settled:",
        *(f"  {name} = {_settled(value)}" for name, value in spec.values.items()),
        owners,
    ]
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


def _settled(value: object) -> str:
    """Return a constant of the spec as people write it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_settled(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_settled(item) for item in value) or "none"
    return str(value)


def full_text(journal: Journal, run: str, plan: PlanSummary, budget: int | None, fallback: str) -> str:
    """Return what the `full` gate shows: counts first, then what is written, what cannot move and why, what it costs.

    :param fallback: who owns what nobody else does.
    """
    latest = journal.staging.latest()
    buckets = journal.buckets.streams(run)
    total = {name: sum(counts[name] for counts in buckets.values()) for name in ("read", *BUCKETS)}
    moves = total["read"] - total["rejected"] - total["blocked"] - total["skipped"]
    lines = [
        f"Export as of {latest.as_of if latest else 'unknown'}: {total['read']:,} source records.",
        f"  {moves:,} move, {total['skipped']:,} are left out by rule, {total['rejected']:,} cannot move, "
        f"{total['blocked']:,} wait for one that cannot.",
        "Writes:",
        *(f"  {verb} {n:,} {object_}" for (object_, verb), n in plan.operations.items()),
    ]
    if plan.cleared:
        lines.append(f"  {plan.cleared:,} fields that an earlier run filled are emptied")
    if plan.unwanted:
        lines.append(f"  {plan.unwanted:,} records of earlier runs are no longer wanted by this map; they stay")
    lines.append(f"What nobody of the source owns goes to {fallback}.")
    lines.append(f"{plan.tokens:,} tokens{f', of {budget:,} a day' if budget else ''}.")
    lines += _reasons(journal, run)
    lines.append(f"Fingerprint of the export: {journal.staging.fingerprint()[:16]}.")
    return "\n".join(lines)


def _reasons(journal: Journal, run: str) -> list[str]:
    """Return what cannot move, what is left out, and what was noticed."""
    rejected, skipped = journal.buckets.rejections(), journal.buckets.skips(run)
    noticed = [finding for finding in journal.staging.findings() if finding.severity != "info"]
    lines: list[str] = []
    if rejected:
        lines.append("Cannot move:")
        lines += [f"  {n:,} of {stream}: {code}. {reason}" for stream, code, reason, _, n, _ in rejected]
    if skipped:
        lines.append("Left out by rule (docs: Rejections):")
        for stream, rules in groupby(skipped, key=itemgetter(0)):
            lines.append(f"  {stream}: " + ", ".join(f"{n:,} {rule}" for _, rule, n in rules))
    if noticed:
        lines.append("Noticed:")
        lines += [f"  {finding.message}" for finding in noticed]
    return lines
