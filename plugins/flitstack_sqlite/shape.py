"""What a table looks like as a stream: its key, its columns' types, its links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlite_utils import Database
    from sqlite_utils.db import Table, View

    from flitstack.protocols import Schema
    from flitstack_sqlite.settings import Settings

ROWID = "rowid"
MANIFEST = "export_info"
"""A table that says of what day the database is, in its column `as_of`; it is no stream."""
_TAKEN = ("id", "key")
"""Names that every record has in expressions; a column of such a name is reached as `id_` or `key_`."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column, the name under which records hold it, and the kind of its declared type (see `values`)."""

    name: str
    field: str
    kind: str
    references: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A table, or a view, as a stream.

    :param key: columns whose values together name a row; `rowid` where it has none.
    :param stable: whether the key survives a VACUUM and a copy of the table.
    """

    name: str
    key: tuple[str, ...]
    stable: bool
    columns: tuple[Column, ...]

    @property
    def schema(self) -> Schema:
        """Return the JSON Schema of its records."""
        return {"type": "object", "properties": {column.field: _property(column) for column in self.columns}}


def shapes_of(database: Database, settings: Settings) -> dict[str, Shape]:
    """Return the shape of every table that is to be read, by name.

    :raises SettingsError: a setting names a table or column that is not there, or a view has no key.
    """
    found: dict[str, Table | View] = {table.name: table for table in database.tables if _is_plain(database, table)}
    if settings.views:
        found |= {view.name: view for view in database.views}
    _check_names(settings, found)
    wanted = {
        name: table
        for name, table in found.items()
        if (settings.tables is None or name in settings.tables) and name not in settings.leave_out
    }
    keys = {name: _key(database, name, table, settings) for name, table in wanted.items()}
    return {name: _shape(table, keys, settings) for name, table in wanted.items()}


def _is_plain(database: Database, table: Table) -> bool:
    """Tell whether a table is neither SQLite's own, nor the manifest, nor behind a virtual one."""
    if table.name == MANIFEST or table.name.startswith("sqlite_"):
        return False
    kinds = {row[0]: row[1] for row in database.execute("SELECT name, type FROM pragma_table_list").fetchall()}
    return kinds.get(table.name) == "table"


def _check_names(settings: Settings, found: Mapping[str, Table | View]) -> None:
    named = {
        *((table, "tables") for table in settings.tables or ()),
        *((table, "leave_out") for table in settings.leave_out),
        *((table, "keys") for table in settings.keys),
        *((table, "references") for table, _ in settings.references),
        *((target, "references") for target in settings.references.values()),
    }
    for table, setting in sorted(named):
        if table not in found:
            raise SettingsError(
                f'source.{setting}: the database has no table "{table}". It has: {", ".join(sorted(found)) or "none"}.'
            )
    places = {(table, column) for table, columns in settings.keys.items() for column in columns}
    for table, column in sorted(places | set(settings.references)):
        if column not in found[table].columns_dict:
            raise SettingsError(f'The settings name column "{column}" of table "{table}", which it does not have.')


def _key(database: Database, name: str, table: Table | View, settings: Settings) -> tuple[tuple[str, ...], bool]:
    """Return the columns of the key, and whether it is stable."""
    if name in settings.keys:
        return settings.keys[name], True
    rows = database.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (name,)).fetchall()
    if rows:
        return tuple(row[0] for row in rows), True
    if name in database.view_names():
        raise SettingsError(
            f'A view has no key of its own. Name the columns that name a row of "{name}": '
            f"""--set 'source.keys={{"{name}": ["COLUMN"]}}', or leave it out."""
        )
    return (ROWID,), False


def _shape(table: Table | View, keys: Mapping[str, tuple[tuple[str, ...], bool]], settings: Settings) -> Shape:
    name = table.name
    key, stable = keys[name]
    links = {column: target for (owner, column), target in settings.references.items() if owner == name}
    for foreign in getattr(table, "foreign_keys", ()):
        target = keys.get(foreign.other_table)
        if target is not None and target[0] == (foreign.other_column or target[0][0],):
            links.setdefault(foreign.column, foreign.other_table)
    columns = table.columns
    fields = _fields([column.name for column in columns])
    return Shape(
        name,
        key,
        stable,
        tuple(
            Column(column.name, fields[column.name], kind_of(column.type), links.get(column.name)) for column in columns
        ),
    )


def _fields(names: Sequence[str]) -> dict[str, str]:
    """Return column to the name that expressions use: letters, digits and underscores, each once."""
    fields: dict[str, str] = {}
    for name in names:
        base = "".join(letter if letter.isalnum() else "_" for letter in name.strip()) or "column"
        base = f"_{base}" if base[0].isdigit() else base
        base = f"{base}_" if base in _TAKEN or base.startswith("_") else base
        base = base.lstrip("_") or "column"
        base = f"c{base}" if base[0].isdigit() else base
        field, number = base, 2
        while field in fields.values():
            field, number = f"{base}_{number}", number + 1
        fields[name] = field
    return fields


def kind_of(declared: str) -> str:
    """Return the kind of a declared type, "any" when it says nothing.

    SQLite takes any word as a type; these follow its documentation, "Datatypes In SQLite", and the names that other
    databases use for days and times.
    """
    word = declared.upper().partition("(")[0].strip()
    if word in ("DATE",):
        return "date"
    if word in ("DATETIME", "TIMESTAMP"):
        return "moment"
    if word.startswith(("BOOL",)):
        return "boolean"
    if word.startswith(("DECIMAL", "NUMERIC", "MONEY")):
        return "decimal"
    if "INT" in word:
        return "integer"
    if any(part in word for part in ("CHAR", "CLOB", "TEXT", "STRING", "UUID", "JSON")):
        return "text"
    if any(part in word for part in ("REAL", "FLOA", "DOUB")):
        return "number"
    return "blob" if "BLOB" in word else "any"


_TYPES: Mapping[str, Mapping[str, Any]] = {
    "date": {"type": ["string", "null"], "x-type": "date"},
    "moment": {"type": ["string", "null"], "x-type": "local-datetime"},
    "decimal": {"type": ["string", "null"], "x-type": "decimal"},
    "boolean": {"type": ["boolean", "null"]},
    "integer": {"type": ["integer", "null"]},
    "number": {"type": ["number", "null"]},
    "text": {"type": ["string", "null"]},
    "blob": {"type": ["string", "null"]},
    "any": {},
}


def _property(column: Column) -> Mapping[str, Any]:
    if column.references is None:
        return _TYPES[column.kind]
    name = column.field.removesuffix("_id") if column.field.endswith("_id") else f"{column.field}_row"
    return {"type": ["string", "null"], "x-references": column.references, "x-as": name}
