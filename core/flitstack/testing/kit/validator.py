"""The suite of validators: what they find in a staged export is told by counts and keys, never by a value."""

from __future__ import annotations

import atexit
import tempfile
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from flitstack.journal import Journal
from flitstack.protocols import Finding, Record, SourcePlugin, Validator
from flitstack.stages.intake.validate import StagedRecords
from flitstack.testing.kit.common import PluginSuite
from flitstack.testing.kit.exports import Reading, read_export
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.offers import offered, registry_with, with_defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flitstack.protocols import Stream

SEVERITIES = ("info", "warning", "error")
CANARY = "q7canary"
AT = "2026-01-01T00:00:00Z"


class ValidatorSuite(PluginSuite):
    """Subclass it in two lines: `class TestMine(ValidatorSuite): plugin = "mine"`.

    A validator looks at what its source reads; that source is registered by the same plugin, or installed.

    :cvar settings: of the source, as `--set source.KEY=VALUE` would give them.
    """

    kind = "validator"
    settings: ClassVar[Mapping[str, Any]] = {}

    def example(self, source: SourcePlugin, folder: Path) -> str:
        """Return the path of an export to look at: the source's `demo`, unless a subclass has another."""
        if source.demo is None:
            pytest.fail(f"source {source.name} brings no example: override `example`.")
        return source.demo(str(folder))

    @check("V1", "bronze")
    def test_v1_finds_what_a_report_can_show(self) -> None:
        """A finding has a code, a sentence, a severity, a count and keys of records that are there."""
        for validator, staged in self._staged():
            keys = {stream: _ids(rows) for stream, rows in (staged.reading.rows or {}).items()}
            for finding in staged.look(validator):
                assert isinstance(finding, Finding), f"{validator.name}: yields a {type(finding).__name__}"
                place = f"{validator.name}, {finding.code}"
                assert finding.code.replace("_", "").isalnum(), f"{place}: a code is letters, digits and _"
                assert finding.message.rstrip().endswith("."), f"{place}: the message is no sentence"
                assert finding.severity in SEVERITIES, f"{place}: severity is one of {', '.join(SEVERITIES)}"
                assert finding.count >= 0, f"{place}: counts less than none"
                assert finding.of is None or finding.count <= finding.of, f"{place}: counts more than there are"
                assert len(finding.keys) <= 10, f"{place}: at most ten keys are examples"
                known = keys.get(finding.stream or "", None)
                strangers = [] if known is None else [k for k in finding.keys if k not in known and ":" not in k]
                assert not strangers, f"{place}: {len(strangers)} keys are no records of {finding.stream}"

    @check("V2", "bronze")
    def test_v2_finds_the_same_twice(self) -> None:
        """The same export has the same findings: no clock, no chance, nothing kept from the look before."""
        for validator, staged in self._staged():
            assert staged.look(validator) == staged.look(validator), f"{validator.name}: finds something else"

    @check("V3", "bronze")
    def test_v3_no_finding_holds_a_value(self) -> None:
        """Where each text of the export is a mark of its own, no finding shows one."""
        for validator, staged in self._staged(_marked):
            for finding in staged.look(validator):
                shown = [finding.message, finding.handling, finding.decision, finding.default, finding.figure]
                assert CANARY not in " ".join(shown), f"{validator.name}, {finding.code}: shows a value of a record"

    @check("V4", "bronze")
    def test_v4_takes_an_export_without_streams_or_rows(self) -> None:
        """Streams that are empty or absent are looked at without an error."""
        for rows_of in (lambda reading: _emptied(reading), lambda reading: replace(reading, rows={}, streams=())):
            for validator, staged in self._staged(rows_of):
                staged.look(validator)

    @check("V5", "silver")
    def test_v5_takes_records_without_values(self) -> None:
        """A record whose fields are all missing is looked at without an error."""
        for validator, staged in self._staged(_hollow):
            staged.look(validator)

    def _staged(self, change: Callable[[Reading], Reading] | None = None) -> Iterator[tuple[Validator, _Staged]]:
        for validator in offered(self.plugin, Validator):
            suite: Any = type(self)
            reading, streams = _example(suite, validator.source)
            with tempfile.TemporaryDirectory(prefix="flit-kit-") as folder:
                with closing(Journal(Path(folder) / "flit.db")) as journal:
                    yield validator, _Staged(journal, change(reading) if change else reading, streams)


class _Staged:
    """An export in a journal, for validators to look at."""

    def __init__(self, journal: Journal, reading: Reading, streams: Mapping[str, Stream]) -> None:
        self.reading = reading
        staging = journal.staging
        snapshot = staging.begin("kit", AT)
        for stream in reading.streams:
            staging.add_stream(snapshot, stream)
            for _ in staging.add_all(snapshot, reading.of(stream.name), frozenset()):
                pass
        as_of = reading.as_of.isoformat() if reading.as_of is not None else None
        staging.complete(snapshot, AT, as_of, reading.files, "0" * 64)
        self._view = StagedRecords(journal, streams)

    def look(self, validator: Validator) -> list[Finding]:
        """Return what the validator finds; fail the test when it raises."""
        try:
            return list(validator.check(self._view))
        except Exception as exc:  # noqa: BLE001 - a validator may raise anything
            pytest.fail(f"validator {validator.name} failed with {type(exc).__name__}.")


@cache
def _example(suite: Any, name: str) -> tuple[Reading, Mapping[str, Stream]]:
    """Return what the source reads of its example, and all streams that it knows; read once."""
    source = registry_with(suite.plugin).source(name)
    kept = tempfile.TemporaryDirectory(prefix="flit-kit-")
    atexit.register(kept.cleanup)
    path, settings = suite().example(source, Path(kept.name)), with_defaults(source.settings_schema, suite.settings)
    reading = read_export(source, path, settings)
    if reading.refused:
        pytest.fail(f"the example cannot be read: {reading.refused}")
    reader = source.open(path, settings)
    with closing(reader):
        return reading, {stream.name: stream for stream in reader.known_streams()}


def _ids(rows: Any) -> set[str]:
    return {row.id for row in rows if row.id is not None}


def _changed(reading: Reading, change: Callable[[Record, Mapping[str, Any]], Mapping[str, Any]]) -> Reading:
    """Return the reading with other data in its records; change gets a record and its stream's properties."""
    properties = {stream.name: stream.schema.get("properties", {}) for stream in reading.streams}
    rows = {
        name: tuple(replace(r, data=change(r, properties[name])) if isinstance(r, Record) else r for r in found)
        for name, found in (reading.rows or {}).items()
    }
    return replace(reading, rows=rows)


def _marked(reading: Reading) -> Reading:
    """Return the reading with a mark in every plain text: no id, no reference, no code of a list."""

    def mark(record: Record, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        plain = {
            name
            for name, schema in properties.items()
            if not {"enum", "x-references", "x-type", "format", "pattern"} & set(schema)
        }
        return {
            name: f"{CANARY}{value}" if name in plain and isinstance(value, str) and value != record.id else value
            for name, value in record.data.items()
        }

    return _changed(reading, mark)


def _hollow(reading: Reading) -> Reading:
    return _changed(reading, lambda record, properties: dict.fromkeys(properties))


def _emptied(reading: Reading) -> Reading:
    return replace(reading, rows={stream.name: () for stream in reading.streams})
