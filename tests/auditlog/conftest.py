"""A small migration whose audit log is exported and purged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def moved(tmp_path: Path) -> Migration:
    """A migration that was carried out."""
    site = Migration(tmp_path)
    site.export.add("staff", "s1", name="Sam", email="sam@example.org")
    site.export.add("companies", "c1", name="Hartwick & Sons")
    for number in range(3):
        site.export.add("contacts", f"k{number}", name=f"Quenby {number}", phone=f"555-01{number}", company_id="c1")
    site.export.add("contacts", "k9", phone="555-0199")
    site.export.add("tasks", "t1", contact_id="k1", day="2026-03-04", what="Velvetine")
    site.run()
    return site
