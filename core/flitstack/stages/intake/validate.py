"""Validate: let validators look at the staged whole and keep what they find."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from flitstack.errors import FlitError, PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal import Journal
    from flitstack.protocols import Finding, Record, Schema, Stream, Validator
    from flitstack.stages.context import RunContext

STAGE = "audit"


class StagedRecords:
    """The staged whole as validators see it; see `flitstack.protocols.StagedView`."""

    def __init__(self, journal: Journal, streams: Mapping[str, Stream]) -> None:
        self._journal = journal
        self._streams = streams
        self._tallies: dict[tuple[str, str, int, int], Mapping[str | None, int]] = {}

    def streams(self) -> Sequence[str]:
        return [name for name in self._journal.staging.streams() if name in self._streams]

    def schema(self, stream: str) -> Schema:
        return self._streams[stream].schema

    def as_of(self) -> datetime | date | None:
        latest = self._journal.staging.latest()
        text = latest.as_of if latest else None
        if text is None:
            return None
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)

    def records(self, stream: str) -> Iterator[Record]:
        return self._journal.staging.records(stream)

    def texts(self, stream: str) -> Iterator[tuple[str, str]]:
        return self._journal.looking.texts(stream)

    def count(self, stream: str, state: str = "ok") -> int:
        return self._journal.looking.count(stream, state)

    def tally(self, stream: str, field: str, first: int = 1, length: int = 0) -> Mapping[str | None, int]:
        asked = (stream, field, first, length)
        if asked not in self._tallies:  # each takes a look at all records of the stream, and several ask the same
            self._tallies[asked] = self._journal.looking.tally(*asked)
        return self._tallies[asked]

    def missing_references(self, stream: str, field: str) -> Iterator[str]:
        target = self._streams[stream].schema["properties"][field]["x-references"]
        return self._journal.staging.missing_references(stream, field, target)

    def broken_references(self, stream: str) -> Iterator[tuple[str, str, str | None]]:
        held = set(self._journal.staging.streams())
        properties = self._streams[stream].schema.get("properties", {}).items()
        targets = {field: each["x-references"] for field, each in properties if each.get("x-references") in held}
        return self._journal.looking.broken_references(stream, targets)


def validate(ctx: RunContext, validators: Sequence[Validator], view: StagedRecords) -> list[Finding]:
    """Run every validator, note its findings in the journal and return them, in the validators' order.

    :raises PluginError: one failed; it is named.
    """
    found: list[Finding] = []
    ctx.progress.begin("audit", len(validators))
    try:
        for validator in validators:
            ctx.stop.check()
            try:
                found += validator.check(view)
            except FlitError:
                raise
            except Exception as exc:
                raise PluginError(f'validator "{validator.name}" failed with {type(exc).__name__}.') from exc
            ctx.progress.advance()
    finally:
        ctx.progress.end()
    ctx.journal.staging.forget_findings(STAGE)
    ctx.journal.staging.add_findings(STAGE, found)
    return found
