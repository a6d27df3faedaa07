"""Whatever is done to whichever records, reading back says exactly that: each by its key, and in its class."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flitstack.journal import Journal
from flitstack.stages.context import StopFlag
from flitstack.stages.proof.recheck import RecheckOptions, recheck
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import Stored
    from flitstack.testing.memory import MemoryAccount

ACTS = ("edit", "spoil", "unlink", "spoil link", "delete", "double", "stranger", "touch")
OBJECTS = ("company", "contact", "visit", "memo")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Migration:
    """The small load, migrated."""
    migration = Migration(tmp_path_factory.mktemp("random"))
    small_load(migration.export)
    migration.run()
    migration.clock.advance(60)
    return migration


def keys(migration: Migration) -> dict[tuple[str, str], tuple[str, str]]:
    """Return object and key of each record of ours, by object and id."""
    with Journal.existing(migration.journal) as journal:
        return {
            (link.object, link.destination_id): (link.object, link.key + (f"#{link.part}" if link.part else ""))
            for link in journal.records.links()
        }


def act(account: MemoryAccount, what: str, stored: Stored) -> str | None:
    """Do one thing to a record; return the kind of difference it makes, None for none."""
    name, place = next(iter(stored.fields)), (stored.object, stored.id)
    other = {**stored.fields, name: "another"}
    lost = {field: end for field, end in stored.links.items() if field != next(iter(stored.links), None)}
    match what:
        case "edit":
            account.edit(stored, **{name: "another"})
            return "changed"
        case "spoil":
            account.records[place] = replace(stored, fields=other)
            return "altered"
        case "unlink" | "spoil link" if stored.links:
            stamp = account.clock.now() if what == "unlink" else stored.updated
            account.records[place] = replace(stored, links=lost, updated=stamp)
            return "changed" if what == "unlink" else "altered"
        case "delete":
            del account.records[place]
            return "missing"
        case "double":
            twin = account.put(stored.object, stored.key, **stored.fields)
            account.records[stored.object, twin.id] = replace(twin, links=stored.links)
            return "doubled"
        case "stranger":
            account.put(stored.object, None, name="Somebody else's", size=-1)
        case "touch":
            account.edit(stored)
    return None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example({})
@given(st.dictionaries(st.integers(0, 40), st.sampled_from(ACTS), max_size=12))
def test_every_change_is_told_once_and_nothing_else_is(done: Migration, acts: Mapping[int, str]) -> None:
    held = dict(done.account.records)
    ours = keys(done)
    records = [stored for place, stored in held.items() if place in ours and stored.object in OBJECTS]
    try:
        made = {
            (*ours[stored.object, stored.id], kind)
            for number, what in acts.items()
            if number < len(records) and (kind := act(done.account, what, stored := records[number])) is not None
        }
        options = RecheckOptions(done.journal)
        found = asyncio.run(recheck(options, done.words, StopFlag(), registry=done.registry, clock=done.clock))
    finally:
        done.account.records = held

    v = found.verification
    assert sorted((one.object, one.key, one.kind) for one in v.differences) == sorted(made)
    assert v.drifted == sum(kind == "changed" for _, _, kind in made)
    assert v.mismatched == len(made) - v.drifted
    assert found.exit_code == (6 if v.mismatched else 0)
    lists = {stored.object for stored in records}
    assert sum(v.objects[o].held for o in lists) == sum(
        v.objects[o].checked - v.objects[o].missing + v.objects[o].doubled + v.objects[o].left_alone for o in lists
    )
