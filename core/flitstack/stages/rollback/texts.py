"""What people see before an undo: what goes, what is put back, what stays and why, and what nothing takes back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flitstack.protocols import full_key
from flitstack.stages.rollback.decision import REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.protocols import Spent
    from flitstack.stages.context import RunContext
    from flitstack.stages.rollback.decision import Decision, Kept
    from flitstack.stages.rollback.scope import Scope

SHOWN = 20


def undo_text(ctx: RunContext, scope: Scope, decision: Decision, ahead: Spent, account: str) -> str:
    """Return what is shown before an undo begins; counts, keys and names of fields, no value."""
    lines = [f"To undo: {scope.words()}, in the account {account}."]
    deletes = Counter(one.object for one in decision.delete)
    lines += [f"  delete {count:,} {object_}" for object_, count in deletes.items()]
    restores = Counter(restore.ours.object for restore in decision.restore)
    for object_, count in restores.items():
        names = Counter(
            name
            for restore in decision.restore
            if restore.ours.object == object_
            for name in (*restore.fields, *restore.links)
        )
        told = ", ".join(f"{name} ({n:,})" for name, n in sorted(names.items()))
        lines.append(f"  put back {count:,} {object_} as the account had them: {told}")
    schema = Counter(one.object for one in decision.schema)
    lines += [f"  delete {count:,} {object_} that nothing uses any more" for object_, count in schema.items()]
    if decision.options:
        lines.append(f"  take back options of {len(decision.options):,} fields")
    if decision.gone:
        lines.append(f"  {len(decision.gone):,} are gone already: somebody deleted them")
    if not decision.writes:
        lines.append("  nothing: all that could be undone is undone")
    lines += kept_lines(decision.kept)
    lines += [f"Takes about {ahead.requests:,} requests and {ahead.tokens:,} tokens."] if decision.writes else []
    final = final_words(ctx, decision)
    if final and decision.writes:
        lines += ["What no undo takes back:", *(f"  {text}" for text in final)]
    return "\n".join(lines)


def kept_lines(kept: Sequence[Kept]) -> list[str]:
    """Return what stays and why: counts, and the first of them by key and field."""
    if not kept:
        return []
    records = {(one.ours.object, one.ours.name) for one in kept}
    lines = [f"{len(records):,} stay as they are (conflicts):"]
    lines += [f"  {kept_line(one)}" for one in kept[:SHOWN]]
    if len(kept) > SHOWN:
        lines.append(f"  and {len(kept) - SHOWN:,} more; the report lists all.")
    return lines


def kept_line(one: Kept) -> str:
    """Return one line for what stays: object, key, field, and why."""
    name = f", {one.field.removeprefix('@')}" if one.field else ""
    by = ", ".join(f"{n:,} {object_}" for object_, n in one.by.items())
    return f"{one.ours.object} {full_key(one.ours.key, one.ours.part)}{name}: {REASONS.get(one.code, one.code)}" + (
        f" ({by})" if by else ""
    )


def final_words(ctx: RunContext, decision: Decision) -> list[str]:
    """Return what an undo of this cannot take back, in words."""
    deleted = {one.object for one in decision.delete}
    days = Counter(ctx.behaviours.objects[object_].restore_days for object_ in deleted)
    lines = []
    if any(days):
        lines.append(f"Deleted records can be brought back by hand for {min(d for d in days if d)} days, then never.")
    hard = sorted(o for o in deleted if not ctx.behaviours.objects[o].restore_days)
    if hard:
        lines.append(f"Once deleted, nobody brings these back: {', '.join(hard)}.")
    return [*lines, *ctx.behaviours.irreversible]


def undo_notes(ctx: RunContext) -> tuple[str, ...]:
    """Return what the last gate says of taking it all back again, in lines."""
    final = "".join(f"\n  {text}" for text in ctx.behaviours.irreversible)
    told = f" What no undo takes back:{final}" if final else ""
    return (f"Can be taken back with `flit rollback`, but for what people change meanwhile.{told}",)
