"""A sample that was migrated: what was chosen, its diff, and the gate that stands on both."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from flitstack.errors import UsageError
from flitstack.journal import dumps
from flitstack.mapping import load_template
from flitstack.stages.gates.gate import Gate
from flitstack.stages.publishing import REPORTS
from flitstack.stages.sample.taken import TakenSample

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flitstack.mapping import Template
    from flitstack.stages.context import RunContext
    from flitstack.stages.intake.specs import Prepared
    from flitstack.stages.options import SampleOptions
    from flitstack.stages.proof.verify import Verification
    from flitstack.stages.publishing import Publishing
    from flitstack.stages.sample.choice import Sample
    from flitstack.stages.sample.diff import Diff
    from flitstack.stages.setup import Setup

META = "sample"


def main_stream(setup: Setup) -> str:
    """Return the stream of which a sample takes so many.

    :raises UsageError: the source names none.
    """
    if not setup.source.required_streams:
        raise UsageError(
            f'A sample needs to know what to count: the source "{setup.source.name}" names no main stream.'
        )
    return setup.source.required_streams[0]


def is_taken(ctx: RunContext, options: SampleOptions, prepared: Prepared) -> bool:
    """Tell whether this very sample was taken already: of the same map and export, and as large."""
    kept = _kept(ctx)
    return kept is not None and kept["basis"] == _basis(ctx, options, prepared)


def keep_sample(
    ctx: RunContext, options: SampleOptions, publishing: Publishing, prepared: Prepared, sample: Sample, diff: Diff,
    found: Verification,
) -> TakenSample:  # fmt: skip
    """Publish what was taken, remember it for its gate, and return it."""
    template = load_template(Path(prepared.template))
    latest = ctx.journal.staging.latest()
    as_of = (latest.as_of if latest else None) or ""
    taken = TakenSample(
        sample, diff, prepared.spec.sha256, prepared.spec.template, as_of, found.mismatched, _first_page(template, diff)
    )
    page = publishing.sample(taken, ctx.journal.path.parent / REPORTS) if publishing.sample else ""
    kept = {"basis": _basis(ctx, options, prepared), "spec": taken.spec, "text": _text(taken), "page": Path(page).name,
            "at": ctx.at(), "records": diff.records}  # fmt: skip
    ctx.journal.runs.remember(META, dumps(kept))
    return taken


def sample_gate(ctx: RunContext, prepared: Prepared) -> list[Gate]:
    """Return the gate of the sample that was taken last, [] when none was."""
    kept = _kept(ctx)
    if kept is None:
        return []
    text = str(kept["text"])
    if kept["spec"] != prepared.spec.sha256:
        text += (
            "\nThe map has changed since. Take the sample again (flit sample), or approve that it was another map's."
        )
    page = str(kept.get("page", ""))
    notes = (f"The report: {ctx.journal.path.parent / REPORTS / page}",) if page else ()
    return [Gate("sample", text, notes=notes, event=_event(kept))]


def _event(kept: Mapping[str, Any]) -> tuple[str, str] | tuple[()]:
    """Return when the sample was migrated and what that changes; () for one that an older version took."""
    if "at" not in kept:
        return ()
    at = str(kept["at"])
    many = "1 record" if kept["records"] == 1 else f"{kept['records']:,} records"
    return (
        at,
        f"a sample was migrated on {at[:10]} {at[11:16]} UTC: its {many} are there, and are no longer to be written",
    )


def _kept(ctx: RunContext) -> Mapping[str, Any] | None:
    text = ctx.journal.runs.meta(META)
    return json.loads(text) if text else None


def _basis(ctx: RunContext, options: SampleOptions, prepared: Prepared) -> str:
    parts = [prepared.spec.sha256, ctx.journal.staging.fingerprint(), options.size, options.random]
    return hashlib.sha256(dumps(parts).encode()).hexdigest()


def _text(taken: TakenSample) -> str:
    """Return what the gate shows: counts, and what stands out; no value of a record."""
    sample, diff = taken.sample, taken.diff
    lines = [
        f"A sample of {sample.size:,} of {sample.of:,} {sample.stream} was migrated with all that hangs on them: "
        f"{diff.records:,} records.",
        f"  {diff.equal:,} of {diff.compared:,} fields were read back as the map makes them.",
        f"  {sample.covered:,} of {sample.values:,} values of {sample.fields:,} fields with few values are in it.",
    ]
    lines += [f"Looks wrong: {flag.entry}, {flag.field}: {flag.text}" for flag in diff.flags]
    if not diff.flags:
        lines.append("No column looks wrong as a whole; look at the rows all the same.")
    return "\n".join([*lines, f"Hash of what it shows: {taken.sha256[:16]}."])


def _first_page(template: Template, diff: Diff) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return what the template puts first; else names, dates and amounts of each entry."""
    if template.first_page:
        return list(template.first_page)
    found: dict[str, list[str]] = {}
    for each in diff.fields:
        if each.field in ("name", "title", "value") or each.field.endswith(("date", "time")):
            found.setdefault(each.entry, []).append(each.field)
    return [(entry.replace("_", " "), entry, tuple(fields)) for entry, fields in found.items()]
