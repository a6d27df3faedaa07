"""A migration from memory to memory, with the small load in its export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def empty(tmp_path: Path) -> Migration:
    """Return a migration whose export holds no stream yet."""
    return Migration(tmp_path)


@pytest.fixture
def migration(empty: Migration) -> Migration:
    """Return a migration with the small load."""
    small_load(empty.export)
    return empty
