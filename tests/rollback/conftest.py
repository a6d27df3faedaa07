"""Migrations that were carried out, and what taking them back is asked with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.stages.rollback.scope import Scope
from flitstack.stages.rollback.walk import RollbackOptions, rollback
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flitstack.stages.rollback.report import RollbackReport

    Undo = Callable[..., RollbackReport]


def undo_of(migration: Migration) -> Undo:
    """Return `undo(run=..., object=..., keys=..., **options)`: one invocation of the rollback."""

    def undo(*, run: str | None = None, object: str | None = None, keys: tuple[str, ...] = (), **more: Any) -> Any:
        options = RollbackOptions(migration.journal, Scope(run, object, keys), **{"unseen": "test", **more})
        migration.stop.raised = False
        return asyncio.run(
            rollback(options, migration.words, migration.stop, registry=migration.registry, clock=migration.clock)
        )

    return undo


@pytest.fixture
def migration(tmp_path: Path) -> Migration:
    """Return a migration of the small load, not begun."""
    migration = Migration(tmp_path)
    small_load(migration.export)
    return migration


@pytest.fixture
def undo(migration: Migration) -> Undo:
    """Return what takes the migration back."""
    return undo_of(migration)
