"""A database moves into an account end to end: once, verified, and no more than what changed afterwards."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.protocols import Record, Rejection
from flitstack_sqlite.example import write_example
from flitstack_sqlite.reader import open_database

if TYPE_CHECKING:
    from pathlib import Path


def move(folder: Path, *more: str) -> dict[str, Any]:
    account = f"dest.base_url=sandbox:{folder / 'account.db'}?plan=growth&seats=2"
    arguments = ["run", "--source", "sqlite", "--dest", "pipedrive", "--input", str(folder / "crm.sqlite")]
    arguments += ["--journal", str(folder / "flit.db"), "--set", account, "--set", "dest.list_lag_s=0"]
    result = CliRunner().invoke(cli, [*arguments, "--approve-unseen", "Test", "--json", *more])
    report: dict[str, Any] = json.loads(result.stdout)
    assert report["status"] in ("done", "verified"), report
    return report


def _data(row: Record | Rejection) -> object:
    assert isinstance(row, Record)
    return row.data


def writes(report: dict[str, Any]) -> dict[str, int]:
    verbs = ("created", "updated", "deleted")
    return {verb: sum(counts[verb] for counts in report["objects"].values()) for verb in verbs}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_example(tmp_path / "crm.sqlite")
    return tmp_path


def test_a_database_moves_once_and_then_only_what_changed(folder: Path) -> None:
    first = move(folder)
    assert first["verified"]["mismatched"] == 0
    assert first["objects"]["person"]["created"] == 4
    assert first["objects"]["note"]["created"] == 2
    assert writes(move(folder)) == {"created": 0, "updated": 0, "deleted": 0}
    with closing(sqlite3.connect(folder / "crm.sqlite")) as opened:
        opened.execute("UPDATE people SET phone = '+44 1803 555 099' WHERE person_id = 2")
        opened.commit()
    assert writes(move(folder)) == {"created": 0, "updated": 1, "deleted": 0}


def test_tables_of_other_names_move_too(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "crm.sqlite")) as opened:
        opened.execute("ALTER TABLE people RENAME TO kontakte")
        opened.execute("DROP TABLE deals")
        opened.commit()
    report = move(folder, "--set", "people=kontakte")
    assert report["streams"]["kontakte"]["created"] == 4
    assert "deal" not in report["objects"]


def test_a_journal_is_a_source_of_what_its_migration_has_read(folder: Path) -> None:
    move(folder)
    reader = open_database(str(folder / "flit.db"), {})
    assert {stream.name for stream in reader.streams()} == {"companies", "people", "deals", "activities", "notes"}
    before = open_database(str(folder / "crm.sqlite"), {})
    for stream in ("people", "deals"):
        assert list(map(_data, reader.read(stream))) == list(map(_data, before.read(stream)))
    assert reader.as_of() == before.as_of()
    reader.close()
    before.close()
