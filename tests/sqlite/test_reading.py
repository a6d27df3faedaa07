"""Any SQLite database is read whole: tables as streams, rows as records, foreign keys as links, nothing written."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flitstack.errors import NotAnExportError, SettingsError, UsageError
from flitstack.protocols import Record, Rejection
from flitstack_sqlite.example import write_example
from flitstack_sqlite.reader import SqliteReader, open_database


def database(folder: Path, *statements: str) -> str:
    path = folder / "some.sqlite"
    with closing(sqlite3.connect(path)) as opened:
        for statement in statements:
            opened.execute(statement)
        opened.commit()
    return str(path)


def rows(path: str, stream: str, **given_: Any) -> list[Record | Rejection]:
    reader = open_database(path, given_)
    try:
        return list(reader.read(stream))
    finally:
        reader.close()


def records(path: str, stream: str, **given_: Any) -> dict[str, dict[str, Any]]:
    return {row.id: dict(row.data) for row in rows(path, stream, **given_) if isinstance(row, Record)}


def properties(reader: SqliteReader, stream: str) -> Any:
    return next(each for each in reader.streams() if each.name == stream).schema["properties"]


def test_tables_are_streams_and_foreign_keys_are_links(tmp_path: Path) -> None:
    reader = open_database(str(write_example(tmp_path / "example.sqlite")), {})
    assert [stream.name for stream in reader.streams()] == ["companies", "people", "deals", "activities", "notes"]
    link = properties(reader, "people")["company_id"]
    assert (link["x-references"], link["x-as"]) == ("companies", "company")
    assert properties(reader, "deals")["value"]["x-type"] == "decimal"
    assert reader.as_of() == date(2026, 6, 30)
    reader.close()


def test_values_keep_their_kind(tmp_path: Path) -> None:
    found = records(str(write_example(tmp_path / "example.sqlite")), "deals")
    assert found["2"]["value"] == "89.9"  # kept as REAL by SQLite, still the amount that was put in
    assert found["2"]["person_id"] == "3"
    assert found["2"]["closed_on"] == "2026-02-11"
    assert found["3"]["company_id"] is None


def test_a_row_whose_value_is_not_of_its_type_is_rejected_by_column_and_the_others_are_read(tmp_path: Path) -> None:
    path = database(
        tmp_path,
        "CREATE TABLE t (n INTEGER PRIMARY KEY, at DATE, amount DECIMAL)",
        "INSERT INTO t VALUES (1, '2026-02-30', 1), (2, '2026-02-28', 'ten'), (3, '2026-02-28', '10.50')",
    )
    first, second, third = rows(path, "t")
    assert isinstance(first, Rejection)
    assert isinstance(second, Rejection)
    assert (first.code, first.field, second.field) == ("wrong_type", "at", "amount")
    assert "2026-02-30" not in first.message()
    assert isinstance(third, Record)


def test_a_time_with_a_zone_is_not_made_local(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (n INTEGER PRIMARY KEY, at TIMESTAMP)",
                    "INSERT INTO t VALUES (1, '2026-02-28 10:00:00+02:00'), (2, '2026-02-28 10:00:00')")  # fmt: skip
    first, second = rows(path, "t")
    assert isinstance(first, Rejection)
    assert isinstance(second, Record)
    assert second.data["at"] == "2026-02-28T10:00:00"


def test_a_key_of_several_columns_names_each_row_once(tmp_path: Path) -> None:
    path = database(
        tmp_path,
        "CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID",
        "INSERT INTO t VALUES ('x/y', 'z'), ('x', 'y/z')",
    )
    assert set(records(path, "t")) == {"x%2Fy/z", "x/y%2Fz"}


def test_a_table_without_a_key_is_read_by_rowid_and_says_so(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('one'), ('two')")
    reader = open_database(path, {})
    assert [row.id for row in reader.read("t")] == ["1", "2"]
    assert [finding.code for finding in reader.findings()] == ["no_stable_key"]
    reader.close()
    named = open_database(path, {"keys": {"t": ["a"]}})
    assert [row.id for row in named.read("t")] == ["one", "two"]
    assert not named.findings()
    named.close()


def test_a_row_without_its_key_is_rejected(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a TEXT PRIMARY KEY)", "INSERT INTO t VALUES (NULL), ('x'), (x'00')")
    assert sorted(type(row).__name__ for row in rows(path, "t")) == ["Record", "Rejection", "Rejection"]


def test_bytes_are_documents(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE scans (n INTEGER PRIMARY KEY, image BLOB)",
                    "INSERT INTO scans VALUES (7, x'89504e47')")  # fmt: skip
    reader = open_database(path, {})
    (row,) = reader.read("scans")
    assert isinstance(row, Record)
    with reader.open_attachment(str(row.data["image"])) as file:
        assert file.read() == b"\x89PNG"
    for hostile in ("bytes:scans/image/8", "bytes:scans/nothing/7", "/etc/hostname", 'bytes:scans/image" --/7'):
        with pytest.raises(UsageError, match="no such cell"):
            reader.open_attachment(hostile)
    reader.close()


def test_links_that_are_not_declared_can_be_set(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE a (n INTEGER PRIMARY KEY)", "CREATE TABLE b (m INTEGER PRIMARY KEY, a INT)")
    reader = open_database(path, {"references": {"b.a": "a"}})
    assert properties(reader, "b")["a"]["x-references"] == "a"
    reader.close()


@pytest.mark.parametrize(
    ("given_", "named"),
    [
        ({"tables": ["nothing"]}, "source.tables"),
        ({"keys": {"t": ["nothing"]}}, 'column "nothing"'),
        ({"references": {"t.a": "nothing"}}, "source.references"),
    ],
)
def test_a_setting_that_names_what_is_not_there_is_refused(tmp_path: Path, given_: Any, named: str) -> None:
    path = database(tmp_path, "CREATE TABLE t (a TEXT PRIMARY KEY)")
    with pytest.raises(SettingsError, match=named):
        open_database(path, given_)


def test_views_are_read_when_asked_for_and_need_a_key(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a TEXT PRIMARY KEY)", "INSERT INTO t VALUES ('x')",
                    "CREATE VIEW v AS SELECT a FROM t")  # fmt: skip
    with pytest.raises(SettingsError, match="no key of its own"):
        open_database(path, {"views": True})
    assert set(records(path, "v", views=True, keys={"v": ["a"]})) == {"x"}


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"SQLite format 3\x00" + b"\xff" * 200])
def test_what_is_no_database_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "export.csv"
    file.write_bytes(content)
    with pytest.raises(NotAnExportError, match=r"export\.csv"):
        open_database(str(file), {}).streams()


def test_a_missing_file_and_an_empty_database_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAnExportError, match="no such file"):
        open_database(str(tmp_path / "none.sqlite"), {})
    with pytest.raises(NotAnExportError, match="it is a folder"):
        open_database(str(tmp_path), {})
    with pytest.raises(NotAnExportError, match="no table"):
        open_database(database(tmp_path, "CREATE TABLE export_info (as_of TEXT)"), {}).streams()


def test_reading_changes_not_a_byte_and_leaves_no_file_behind(tmp_path: Path) -> None:
    path = write_example(tmp_path / "example.sqlite")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    for stream in ("people", "notes"):
        rows(str(path), stream)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [each.name for each in tmp_path.iterdir()] == ["example.sqlite"]


def test_hostile_names_of_tables_and_columns_are_only_names(tmp_path: Path) -> None:
    path = database(
        tmp_path,
        'CREATE TABLE "a""b; DROP TABLE x" ("id" INTEGER PRIMARY KEY, "1; --" TEXT, "__class__" TEXT, "a b" TEXT, '
        '"a-b" TEXT)',
        "INSERT INTO \"a\"\"b; DROP TABLE x\" VALUES (1, 'w', 'x', 'y', 'z')",
    )
    (data,) = records(path, 'a"b; DROP TABLE x').values()
    assert sorted(str(value) for value in data.values()) == ["1", "w", "x", "y", "z"]
    assert all(name.isidentifier() and not name.startswith("_") for name in data)


def test_text_that_is_no_utf_8_rejects_its_row_and_no_other(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (n INTEGER PRIMARY KEY, a TEXT)",
                    "INSERT INTO t VALUES (1, CAST(x'ff' AS TEXT)), (2, 'fine')")  # fmt: skip
    first, second = rows(path, "t")
    assert isinstance(first, Rejection)
    assert isinstance(second, Record)


def test_what_lies_behind_a_virtual_table_is_no_stream(tmp_path: Path) -> None:
    path = database(tmp_path, "CREATE TABLE t (a TEXT PRIMARY KEY)", "CREATE VIRTUAL TABLE f USING fts5(a)")
    reader = open_database(path, {})
    assert [stream.name for stream in reader.streams()] == ["t"]
    reader.close()


TYPES = {
    "INTEGER": st.integers(-(2**63), 2**63 - 1),
    "TEXT": st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    "REAL": st.floats(allow_nan=False, allow_infinity=False),
    "DATE": st.dates().map(str),
    "BOOLEAN": st.booleans(),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    types = draw(st.lists(st.sampled_from(sorted(TYPES)), min_size=1, max_size=5))
    row = st.tuples(*(st.none() | TYPES[each] for each in types)).map(list)
    return types, draw(st.lists(row, max_size=8))


@settings(max_examples=60, deadline=None)
@given(tables())
def test_any_table_is_read_back_as_it_was_put_in(table: tuple[list[str], list[list[Any]]]) -> None:
    types, put = table
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.sqlite"
        with closing(sqlite3.connect(path)) as opened:
            columns = ", ".join(f"c{number} {each}" for number, each in enumerate(types))
            opened.execute(f"CREATE TABLE t (n INTEGER PRIMARY KEY, {columns})")
            marks = ", ".join("?" * (len(types) + 1))
            opened.executemany(f"INSERT INTO t VALUES ({marks})", [(n, *row) for n, row in enumerate(put)])  # noqa: S608 - marks alone
            opened.commit()
        found = records(str(path), "t")
        assert [list(data.values())[1:] for data in found.values()] == put
