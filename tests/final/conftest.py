"""The demo, migrated once; and small migrations in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of the demo, done and verified."""
    path = tmp_path_factory.mktemp("demo") / "flit-demo" / "flit.db"
    args = ["run", "--source", "dental", "--dest", "pipedrive", "--demo", "--journal", str(path), "--json"]
    ended = CliRunner().invoke(cli, args)
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["report"] == str(path.parent / "flit-reports" / "report.html")
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Migration:
    """Return a migration whose export holds no stream yet."""
    return Migration(tmp_path)


@pytest.fixture
def migration(empty: Migration) -> Migration:
    """Return a migration with the small load."""
    small_load(empty.export)
    return empty
