"""A map is remembered when a person approves its gate: names of columns alone, once, and not when told otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import ApprovalNeeded, UsageError
from flitstack.mapping.proposing import AccountWords, KnownAccount, Memory, memory_folder
from flitstack.protocols import KnownColumn, Lexicon, MapProposing, SampledColumn, SchemaItem
from flitstack.registry import load_plugins
from flitstack.stages.gates.gate import Passing
from flitstack.testing.memory import ADMIN, STAFF, memory_destination
from flitstack.testing.memory_source import memory_source
from flitstack.testing.migration import MemoryPlugin, Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLUMNS = (KnownColumn("kunden", "contacts", "Nachname", "contacts.last_name"),)


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Memory:
    monkeypatch.setenv("FLITSTACK_MEMORY", str(tmp_path / "memory"))
    return Memory(memory_folder())


@pytest.fixture
def migration(tmp_path: Path) -> Migration:
    """Return a migration on a map of the user's own, with its gates shown."""
    made = Migration(tmp_path)
    small_load(made.export)

    def own_map(settings: Mapping[str, Any]) -> Path | None:
        return tmp_path / "kunden.yaml"

    def nothing(*given: Any) -> Any:
        raise AssertionError(given)

    parts = MapProposing(nothing, lambda: (), Lexicon, nothing, nothing, lambda path: COLUMNS, own_map=own_map)
    source = replace(memory_source(made.export), proposing=lambda: parts)
    plugin = MemoryPlugin(source, memory_destination(made.account, made.behaviours))
    made.registry = load_plugins((), {"memory": plugin})
    with pytest.raises(ApprovalNeeded):
        made.run(passing=Passing())
    return made


APPROVED = Passing(approve=ADMIN.email)


def test_an_approved_map_is_remembered_with_its_names_only(migration: Migration, memory: Memory) -> None:
    assert memory.all() == []

    migration.run(passing=APPROVED)

    (kept,) = memory.all()
    assert kept.columns == COLUMNS
    assert (kept.source, kept.name, kept.confirmed_on) == ("memory", "kunden.yaml", "2026-07-01")
    assert f"To forget it: flit map memory forget {kept.id}." in " ".join(migration.words.said)


def test_it_is_remembered_and_told_once(migration: Migration, memory: Memory) -> None:
    migration.run(passing=APPROVED)
    told = [line for line in migration.words.said if "remembered" in line]
    migration.clock.advance(3 * 86_400)  # what was approved then covers later exports no more
    migration.export.add("contacts", "99", name="Late")
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=Passing())
    migration.run(passing=APPROVED)

    assert len(memory.all()) == 1
    assert [line for line in migration.words.said if "remembered" in line] == told


def test_what_nobody_looked_at_is_not_remembered(migration: Migration, memory: Memory) -> None:
    migration.run()

    assert memory.all() == []


def test_it_is_not_remembered_when_told_so(migration: Migration, memory: Memory) -> None:
    migration.run(passing=APPROVED, sets=("remember=no",))

    assert memory.all() == []
    with pytest.raises(UsageError, match="remember: say yes or no"):
        migration.run(sets=("remember=perhaps",))


def test_a_folder_that_cannot_be_written_stops_nothing(
    migration: Migration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("FLITSTACK_MEMORY", str(tmp_path / "file" / "maps"))

    assert migration.run(passing=APPROVED).exit_code == 0

    assert any("The map was not remembered" in line for line in migration.words.said)


def column(name: str, *values: str) -> SampledColumn:
    return SampledColumn(name, values, len(values), whole=True)


def test_a_column_is_compared_with_the_accounts_fields_options_and_users() -> None:
    items = [
        SchemaItem("field", "Shirt Size", "person", {"type": "enum", "options": ["S", "M", "L"]}, "1"),
        SchemaItem("field", "Birthday", "person", {"type": "date"}, "2"),
        SchemaItem("field", "Recall_Type__c", "person", {"type": "text"}, "5"),
        SchemaItem("field", "Colour", "deal", {"type": "enum", "options": ["red", "blue"]}, "3"),
        SchemaItem("pipeline", "Shoe", "", {}, "4"),
    ]
    words = AccountWords(KnownAccount(items, [ADMIN, STAFF]), Lexicon({"date": ("datum",)}))

    assert words.of(column("Shirt sizing", "S", "XL")) == (
        'the account has the field "Shirt Size" of person, with 1 of its 2 words as options'
    )
    assert words.of(column("DOB", "1980-02-03")) == 'the account has the field "Birthday" of person'
    assert words.of(column("Shade", "Red", "blue", "red")) == (
        '2 of its 2 words are options of the field "Colour" of deal'
    )
    assert words.of(column("Coordinator", "Ada Admin", "sam@example.org")) == (
        "2 of its 2 words are users of the account: an owner?"
    )
    assert words.of(column("Recall type", "P")) == 'the account has the field "Recall_Type__c" of person'
    assert words.of(column("Shoe", "40", "41")) == ""
    assert words.of(column("", "")) == ""
