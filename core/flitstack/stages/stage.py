"""Stage: read an export into the journal, stream by stream, each row accounted for."""

from __future__ import annotations

import hashlib
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from flitstack.errors import NotAnExportError, UsageError
from flitstack.protocols import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flitstack.protocols import Rejection, SourcePlugin, SourceReader, Stream
    from flitstack.stages.context import RunContext

CHUNK = 2000
T = TypeVar("T")


def chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def stage_export(ctx: RunContext, plugin: SourcePlugin, reader: SourceReader) -> None:
    """Read every stream of the export; what it does not hold stays as the last snapshot had it.

    :raises NotAnExportError: a stream that must be there has no record, now or before.
    :raises UsageError: nothing tells of what time the export is.
    """
    staging = ctx.journal.staging
    streams = reader.streams()
    snapshot = staging.begin(ctx.id, ctx.at())
    ctx.progress.begin("read")
    try:
        for stream in streams:
            _stage_stream(ctx, snapshot, stream, reader)
    finally:
        ctx.progress.end()
    staging.add_findings("stage", [*reader.findings(), *_absent(ctx, streams)])
    _require_records(ctx, plugin)
    files = reader.inventory()
    digest = hashlib.sha256("".join(sorted(f"{f.name}:{f.sha256}" for f in files)).encode()).hexdigest()
    staging.complete(snapshot, ctx.at(), _as_of(ctx, reader, streams), files, digest)


def _stage_stream(ctx: RunContext, snapshot: int, stream: Stream, reader: SourceReader) -> None:
    staging = ctx.journal.staging
    stamps = frozenset(n for n, p in stream.schema.get("properties", {}).items() if p.get("x-change-stamp"))
    staging.add_stream(snapshot, stream)
    for chunk in chunked(reader.read(stream.name), CHUNK):
        ctx.stop.check()
        for rejection in staging.add(snapshot, chunk, stamps):
            _tell(ctx, rejection)
        ctx.progress.advance(len(chunk))


def _tell(ctx: RunContext, rejection: Rejection) -> None:
    ctx.notify("flit_record_rejected", rejection=rejection)


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


def _require_records(ctx: RunContext, plugin: SourcePlugin) -> None:
    for name in plugin.required_streams:
        if ctx.journal.staging.count(name) == 0:
            raise NotAnExportError(
                f"The export holds no {name}. Check that --input is the whole export; if a file has another name or "
                "layout, say so with --set source.layout=NAME."
            )


def _as_of(ctx: RunContext, reader: SourceReader, streams: Sequence[Stream]) -> str:
    """Return the snapshot's own time; when streams are missing, never one before the last snapshot's."""
    stated: Any = reader.as_of()
    latest = ctx.journal.staging.latest()
    known = latest.as_of if latest else None
    text: str | None = stated.isoformat() if stated is not None else None
    missing = set(ctx.journal.staging.streams()) - {stream.name for stream in streams}
    if known is not None and (text is None or (missing and _instant(text) < _instant(known))):
        return known
    if text is None:
        raise UsageError(
            "Nothing in the export says of what day it is. Say so: --set source.as_of=2026-06-30 (the day it was made)."
        )
    return text


def _instant(text: str) -> str:
    """Return a time in a form that compares with others, zone left aside."""
    return datetime.fromisoformat(text).replace(tzinfo=None).isoformat()
