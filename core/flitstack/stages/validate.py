"""Validate: let plugins' validators look at the staged whole and keep what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal import Journal
    from flitstack.protocols import Record, Stream, Validator
    from flitstack.stages.context import RunContext


class _View:
    """The staged whole as validators see it."""

    def __init__(self, journal: Journal, streams: Mapping[str, Stream]) -> None:
        self._journal = journal
        self._streams = streams

    def streams(self) -> Sequence[str]:
        return self._journal.staging.streams()

    def records(self, stream: str) -> Iterator[Record]:
        return self._journal.staging.records(stream)

    def missing_references(self, stream: str, field: str) -> Iterator[str]:
        target = self._streams[stream].schema["properties"][field]["x-references"]
        return self._journal.staging.missing_references(stream, field, target)


def validate(ctx: RunContext, validators: Sequence[Validator], streams: Mapping[str, Stream]) -> None:
    """Run every validator and note its findings.

    :raises PluginError: one failed; it is named.
    """
    view = _View(ctx.journal, streams)
    for validator in validators:
        try:
            found = list(validator.check(view))
        except Exception as exc:
            raise PluginError(f'validator "{validator.name}" failed with {type(exc).__name__}.') from exc
        ctx.journal.staging.add_findings("validate", found)
