"""Stage: read an export into the journal, stream by stream, each row accounted for."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flitstack.errors import NotAnExportError, UsageError
from flitstack.protocols import Finding
from flitstack.stages.intake.calm import seldom_collected
from flitstack.stages.rejects.overlay import hand_corrections, note_corrected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.protocols import SourcePlugin, SourceReader, Stream
    from flitstack.stages.context import RunContext


def stage_export(ctx: RunContext, plugin: SourcePlugin, reader: SourceReader) -> None:
    """Read every stream of the export; what it does not hold stays as the last snapshot had it.

    :raises NotAnExportError: a stream that must be there has no record, now or before.
    :raises UsageError: nothing tells of what time the export is.
    """
    staging = ctx.journal.staging
    streams = reader.streams()
    hand_corrections(ctx.journal, reader)
    snapshot = staging.begin(ctx.id, ctx.at())
    ctx.progress.begin("read")
    try:
        with seldom_collected():
            for stream in streams:
                _stage_stream(ctx, snapshot, stream, reader)
    finally:
        ctx.progress.end()
    noticed = [*reader.findings(), *_absent(ctx, streams), *_vanished(ctx, streams), *_leading_nowhere(ctx, streams)]
    staging.add_findings("stage", [*noticed, *note_corrected(ctx.journal, reader, streams)])
    _require_records(ctx, plugin, {stream.name for stream in streams})
    files = reader.inventory()
    digest = hashlib.sha256("".join(sorted(f"{f.name}:{f.sha256}" for f in files)).encode()).hexdigest()
    staging.complete(snapshot, ctx.at(), _as_of(ctx, reader, streams), files, digest)


def _stage_stream(ctx: RunContext, snapshot: int, stream: Stream, reader: SourceReader) -> None:
    staging = ctx.journal.staging
    stamps = frozenset(n for n, p in stream.schema.get("properties", {}).items() if p.get("x-change-stamp"))
    staging.add_stream(snapshot, stream)
    for count, rejections in staging.add_all(snapshot, reader.read(stream.name), stamps):
        ctx.stop.check()
        for rejection in rejections:
            ctx.notify("flit_record_rejected", rejection=rejection)
        ctx.progress.advance(count)


def _absent(ctx: RunContext, streams: Sequence[Stream]) -> list[Finding]:
    """Name the streams that an earlier snapshot had and this export does not."""
    here = {stream.name for stream in streams}
    return [
        Finding(
            "stream_absent",
            f"The export holds no {name}: those of the last snapshot stay as they are, none counts as vanished.",
            "warning",
            name,
            ctx.journal.staging.count(name),
        )
        for name in ctx.journal.staging.streams()
        if name not in here
    ]


def _vanished(ctx: RunContext, streams: Sequence[Stream]) -> Iterator[Finding]:
    """Count the records of an earlier export that this one leaves out, though it holds their stream."""
    if ctx.journal.staging.latest() is None:
        return
    for stream in streams:
        gone = ctx.journal.staging.vanished(stream.name)
        if gone:
            message = f"{len(gone):,} of {stream.name} were in an earlier export, are not in this one, and are kept."
            yield Finding("vanished", message, "warning", stream.name, len(gone), tuple(gone[:10]))


def _leading_nowhere(ctx: RunContext, streams: Sequence[Stream]) -> Iterator[Finding]:
    """Count references into streams that no export has held."""
    held = set(ctx.journal.staging.streams())
    for stream in streams:
        properties = stream.schema.get("properties", {})
        targets = {field: schema["x-references"] for field, schema in properties.items() if "x-references" in schema}
        nowhere = {field: target for field, target in targets.items() if target not in held}
        for field, count in ctx.journal.staging.filled(stream.name, list(nowhere)).items():
            if count:
                target = nowhere[field]
                message = f"{count:,} of {stream.name} name one of {target} ({field}); the export holds no {target}."
                yield Finding("reference_nowhere", message, "warning", stream.name, count)


def _require_records(ctx: RunContext, plugin: SourcePlugin, here: set[str]) -> None:
    for name in plugin.required_streams:
        staging = ctx.journal.staging
        if name in here and not staging.is_fresh(name) and staging.count(name):
            raise UsageError(
                f"The export holds no {name}, and the last one held {staging.count(name):,}. If that is so by mistake, "
                "export again; to keep those of the last export, leave that file out."
            )
        if ctx.journal.staging.count(name) == 0:
            raise NotAnExportError(
                f"The export holds no {name}. Check that --input is the whole export; if its files have other names "
                "or columns, `flit map propose` drafts a layout for --set source.layout=FILE."
            )


def _as_of(ctx: RunContext, reader: SourceReader, streams: Sequence[Stream]) -> str:
    """Return the snapshot's own time.

    When a file that is no stream's is missing (a manifest, which may have stated it), the last snapshot's time holds;
    when a stream is missing, its time is never before the last snapshot's.
    """
    stated: Any = reader.as_of()
    staging = ctx.journal.staging
    latest = staging.latest()
    known = latest.as_of if latest else None
    text: str | None = stated.isoformat() if stated is not None else None
    if known is not None and text != known and _lacks_metadata(ctx, reader):
        message = f"The file that stated the export's day is missing; the last export's day holds ({known})."
        staging.add_findings("stage", [Finding("day_kept", message, "warning")])
        return known
    missing = set(staging.streams()) - {stream.name for stream in streams}
    if known is not None and (text is None or (missing and _instant(text) < _instant(known))):
        return known
    if text is None:
        raise UsageError(
            "Nothing in the export says of what day it is. Say so: --set source.as_of=2026-06-30 (the day it was made)."
        )
    return text


def _lacks_metadata(ctx: RunContext, reader: SourceReader) -> bool:
    """Tell whether the last export held a file with a role that is no stream's, and this one does not."""
    here = {file.role for file in reader.inventory()}
    streams = {stream.name for stream in reader.known_streams()}
    before = {file["role"] for file in ctx.journal.staging.files()}
    return bool({role for role in before - here if role is not None} - streams)


def _instant(text: str) -> str:
    """Return a time in a form that compares with others, zone left aside."""
    return datetime.fromisoformat(text).replace(tzinfo=None).isoformat()
