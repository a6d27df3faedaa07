"""A migration from memory to memory that has run once: five people of one company, each with a visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import FlitError
from flitstack.testing.memory import Fault
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def people(tmp_path: Path) -> Migration:
    """Return a migration of five people, done and read back."""
    migration = Migration(tmp_path)
    migration.export.add("staff", "s1", name="Sam", email="sam@example.org")
    migration.export.add("companies", "a", name="Alpha")
    migration.export.add("companies", "b", name="Beta")
    for number in range(1, 6):
        migration.export.add(
            "contacts", str(number), name=f"Name {number}", phone=f"{number}", email=f"{number}@example.org",
            company_id="a",
        )  # fmt: skip
        migration.export.add("visits", str(number), contact_id=str(number), kind="check", note=f"Visit {number}")
    assert migration.run().exit_code == 0
    return migration


@pytest.fixture
def stopped(people: Migration) -> Migration:
    """Return it after a run that wrote a sixth person and was stopped at the seventh, before anything was read back."""
    people.export.add("contacts", "6", name="Six", phone="6")
    people.export.add("contacts", "7", name="Seven", phone="7")
    people.account.faults[people.account.arrived + 2] = Fault.CRASH
    with pytest.raises(FlitError):
        people.run()
    return people
