"""Answers of a destination's plugin that its contract does not allow: the run ends with its name, nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import PluginError
from flitstack.protocols import DestinationPlugin, Operation, Outcome, Stored, WriterContext
from flitstack.registry import load_plugins
from flitstack.testing.memory import MemoryWriter
from flitstack.testing.memory_source import memory_source
from flitstack.testing.migration import MemoryPlugin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime

    from flitstack.testing.migration import Migration

GUILTY = 'plugin of destination "memory" is at fault'


@dataclass(slots=True)
class Faults:
    """What the writer does to its answers; each may be changed between two runs."""

    outcomes: Callable[[Sequence[Operation], list[Outcome]], Any] = field(default=lambda asked, answer: answer)
    held: Callable[[Sequence[Stored]], Any] = field(default=lambda answer: answer)
    listed: Callable[[Stored], Any] = field(default=lambda stored: stored)
    circling: bool = False


class Hostile(MemoryWriter):
    """A writer of an account in memory that may say anything."""

    faults: Faults

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        answer: list[Outcome] = self.faults.outcomes(operations, await super().apply(operations))
        return answer

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        answer: Sequence[Stored] = self.faults.held(await super().get_many(object, ids))
        return answer

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        shown = [stored async for stored in super().list(object, since, parent)]
        while True:
            for stored in shown:
                yield self.faults.listed(stored)
            if not (shown and self.faults.circling):
                return


@pytest.fixture
def faults(migration: Migration) -> Faults:
    """Let the migration write through a writer whose answers these faults change."""
    faults = Faults()

    def open_(settings: Mapping[str, Any], context: WriterContext) -> Hostile:
        writer = Hostile(migration.account, migration.behaviours, context.exhausted)
        writer.faults = faults
        return writer

    found = DestinationPlugin(
        "memory", {"type": "object", "properties": {}}, {}, frozenset(), migration.behaviours, open_
    )
    migration.registry = load_plugins((), {"memory": MemoryPlugin(memory_source(migration.export), found)})
    return faults


def _nothing_is_lost_or_doubled(migration: Migration) -> None:
    """Run again with a plugin that was mended: all is there, each record once."""
    report = migration.run()
    assert report.status == "done"
    assert report.verification is not None
    assert not report.verification.differences
    keys = [(stored.object, stored.key) for stored in migration.account.records.values() if stored.key is not None]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda asked, told: [], id="too few"),
        pytest.param(lambda asked, told: [*told, *told], id="twice"),
        pytest.param(lambda asked, told: [replace(one, operation=one.operation + 1) for one in told], id="of another"),
        pytest.param(lambda asked, told: None, id="nothing"),
        pytest.param(lambda asked, told: [None for _ in told], id="no outcomes"),
        pytest.param(lambda asked, told: [replace(one, destination_id=None) for one in told], id="no id"),
        pytest.param(lambda asked, told: [replace(one, destination_id=7) for one in told], id="a number for an id"),
        pytest.param(lambda asked, told: [replace(one, error="no") for one in told], id="a text for an error"),
    ],
)
def test_outcomes_that_are_not_those_of_the_operations_end_the_run_and_are_found_out_by_the_next(
    migration: Migration, faults: Faults, answer: Callable[..., Any]
) -> None:
    faults.outcomes = lambda asked, told: answer(asked, told) if asked[0].object == "contact" else told
    with pytest.raises(PluginError, match=GUILTY) as refusal:
        migration.run()
    assert "apply() of contact" in str(refusal.value)

    faults.outcomes = lambda asked, told: told
    _nothing_is_lost_or_doubled(migration)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda held: [*held, Stored("contact", "stranger", None, {}, {})], id="nobody asked for it"),
        pytest.param(lambda held: None, id="nothing"),
        pytest.param(lambda held: [None], id="no record"),
        pytest.param(lambda held: [Stored("memo", "x", None, {}, {})], id="of another object"),
        pytest.param(lambda held: [replace(one, id=7) for one in held] or [None], id="a number for an id"),
    ],
)
def test_records_that_nobody_asked_for_end_the_reading_back_with_the_name_of_the_plugin(
    migration: Migration, faults: Faults, answer: Callable[..., Any]
) -> None:
    faults.held = lambda held: answer(held)
    with pytest.raises(PluginError, match=f"{GUILTY}: get_many"):
        migration.run()

    faults.held = lambda held: held
    _nothing_is_lost_or_doubled(migration)


def test_a_record_that_is_given_twice_counts_once(migration: Migration, faults: Faults) -> None:
    faults.held = lambda held: [*held, *held]
    _nothing_is_lost_or_doubled(migration)


def test_a_list_that_goes_in_circles_is_ended_and_named(migration: Migration, faults: Faults) -> None:
    faults.circling = True
    with pytest.raises(PluginError, match=f"{GUILTY}: list.. of .* again and again"):
        migration.run()

    faults.circling = False
    _nothing_is_lost_or_doubled(migration)


@pytest.mark.parametrize(
    "change", [lambda stored: None, lambda stored: replace(stored, id=""), lambda stored: replace(stored, object="x")]
)
def test_a_list_of_what_is_no_record_is_named(
    migration: Migration, faults: Faults, change: Callable[[Stored], Any]
) -> None:
    faults.listed = change
    with pytest.raises(PluginError, match=f"{GUILTY}: list"):
        migration.run()

    faults.listed = lambda stored: stored
    _nothing_is_lost_or_doubled(migration)
