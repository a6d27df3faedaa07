"""A migration from memory to memory that has run once: five people of one company, each with a visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
