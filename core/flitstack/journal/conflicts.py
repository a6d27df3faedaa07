"""Conflicts: fields, and whole records, that somebody changed in the account since flit wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from flitstack.journal.audit import append
from flitstack.journal.jsontext import dumps, loads

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from flitstack.journal.store import Store
    from flitstack.protocols import JSON

About = Literal["delta", "undo", "written"]
ABOUT: tuple[About, ...] = get_args(About)

_AMONG = "about IN (SELECT value FROM json_each(?))"
_NOTE = """
INSERT INTO conflict (object, key, part, field, about, run, at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (object, key, part, field, about) DO UPDATE SET
    run = CASE WHEN state IN ('open', 'kept') THEN run ELSE excluded.run END,
    at = CASE WHEN state IN ('open', 'kept') THEN at ELSE excluded.at END,
    state = CASE WHEN state = 'kept' AND excluded.state = 'open' THEN state ELSE excluded.state END
"""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that somebody changed in the account; no value is kept of it.

    :param field: a link stands as `@NAME`; "" when the whole record is meant: it is gone, or something hangs on it.
    :param about: what ran into it: a `delta` that would write it, an `undo`, or reading back what was `written`, which
        no reading ever showed as it was written.
    :param run, at: which run saw it first, and when.
    :param state: `open`, nobody decided and what the account holds stays; `kept`, a person decided that it stays;
        `overwritten`; `settled`, both sides agree again, or the wish is gone.
    """

    object: str
    key: str
    part: str
    field: str
    about: About
    run: str
    at: str
    state: str = "open"

    @property
    def name(self) -> tuple[str, str, str]:
        """Return the record: object, key, part."""
        return self.object, self.key, self.part


@dataclass(frozen=True, slots=True)
class Merge:
    """What looking at a record right before an update came to.

    :param operation: the update's number. :param fields, links: what is left to write, as the journal keeps links.
    :param before: what the account held in fields and links (`@NAME`) that are written over all the same.
    :param agreed: `{"fields": ..., "links": ..., "users": ...}` that the account holds already, just as wanted;
        `image` is what was read there, comparable form.
    :param conflicts: what stays as the account has it.
    """

    operation: int
    name: tuple[str, str, str]
    fields: Mapping[str, JSON]
    links: Mapping[str, Sequence[Any]]
    before: Mapping[str, JSON]
    agreed: Mapping[str, Mapping[str, Any]]
    image: Mapping[str, JSON]
    conflicts: tuple[Conflict, ...] = ()


class Conflicts:
    """Keeps conflicts from when they were first seen; one that is over stays, with its last state."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self, conflicts: Iterable[Conflict]) -> None:
        """Keep conflicts; one that stands already keeps when it was seen first, and that a person decided on it."""
        rows = list(conflicts)
        if rows:
            self._store.write(lambda db: note(db, rows))

    def meet(self, conflicts: Iterable[Conflict]) -> None:
        """Keep conflicts that reading back has met; the audit log names those that are new."""
        rows = list(conflicts)

        def job(db: sqlite3.Connection) -> None:
            fresh = [one for one in rows if not _stands(db, one)]
            note(db, rows)
            for one in fresh:
                append(db, one.at, {**_met(one), "fields": [one.field]})

        if rows:
            self._store.write(job)

    def change(self, conflicts: Iterable[Conflict], state: str) -> None:
        """Give conflicts another state."""
        rows = [(state, *one.name, one.field, one.about) for one in conflicts]
        sql = "UPDATE conflict SET state = ? WHERE object = ? AND key = ? AND part = ? AND field = ? AND about = ?"
        if rows:
            self._store.write(lambda db: db.executemany(sql, rows))

    def standing(self, *about: About) -> list[Conflict]:
        """Return what is open or kept about any of these, a delta if none is named; by object, key, part and field."""
        return self._of(f"{_AMONG} AND state IN ('open', 'kept')", _among(about))

    def open(self, *about: About) -> list[Conflict]:
        """Return what nobody decided on, likewise."""
        return self._of(f"{_AMONG} AND state = 'open'", _among(about))

    def every(self, *about: About) -> list[Conflict]:
        """Return all that was ever seen, over or not, likewise."""
        return self._of(_AMONG, _among(about))

    def of_record(self, object_: str, key: str, part: str) -> list[Conflict]:
        """Return all that was ever seen of one record, over or not."""
        return self._of("object = ? AND key = ? AND part = ?", (object_, key, part))

    def of_key(self, key: str) -> list[Conflict]:
        """Return all that was ever seen of the records of one key, over or not."""
        return self._of("key = ?", (key,))

    def agree(
        self,
        name: tuple[str, str, str],
        agreed: Mapping[str, Mapping[str, Any]],
        image: Mapping[str, JSON],
    ) -> None:
        """Take what the account holds for written: a person set it to just what is wanted.

        :param agreed, image: as in `Merge`.
        """
        self._store.write(lambda db: agree(db, name, agreed, image))

    def counts(self, *about: About) -> dict[str, int]:
        """Return, per object, how many records have an open conflict about any of these."""
        sql = (
            "SELECT object, count(*) AS n FROM (SELECT DISTINCT object, key, part FROM conflict "  # noqa: S608 - fixed text
            f"WHERE {_AMONG} AND state = 'open') GROUP BY object"
        )
        return {row["object"]: row["n"] for row in self._store.rows(sql, _among(about))}

    def _of(self, where: str, parameters: tuple[str, ...]) -> list[Conflict]:
        sql = f"SELECT * FROM conflict WHERE {where} ORDER BY object, key, part, field, about"  # noqa: S608 - fixed text
        return [
            Conflict(r["object"], r["key"], r["part"], r["field"], r["about"], r["run"], r["at"], r["state"])
            for r in self._store.rows(sql, parameters)
        ]


def _among(about: Sequence[About]) -> tuple[str]:
    return (dumps(about or ("delta",)),)


def note(db: sqlite3.Connection, conflicts: Iterable[Conflict]) -> None:
    """Keep conflicts within a transaction that is under way."""
    db.executemany(_NOTE, [(*c.name, c.field, c.about, c.run, c.at, c.state) for c in conflicts])


def torn_fields(db: sqlite3.Connection) -> dict[tuple[str, str, str], set[str]]:
    """Return, by record, the fields in which a conflict with a delta stands."""
    found: dict[tuple[str, str, str], set[str]] = {}
    sql = "SELECT object, key, part, field FROM conflict WHERE about = 'delta' AND state IN ('open', 'kept')"
    for object_, key, part, name in db.execute(sql):
        found.setdefault((object_, key, part), set()).add(name)
    return found


def apply_merge(db: sqlite3.Connection, merge: Merge) -> None:
    """Keep, within a transaction that is under way, what an update will really write, and what it leaves alone."""
    before = db.execute("SELECT before FROM operation WHERE id = ?", (merge.operation,)).fetchone()[0]
    image = {**(loads(before) if before else {}), **merge.before}
    kept = {*merge.fields, *(f"@{name}" for name in merge.links)}
    db.execute(
        "UPDATE operation SET fields = ?, links = ?, before = ? WHERE id = ?",
        (dumps(dict(merge.fields)), dumps({name: list(link) for name, link in merge.links.items()}),
         dumps({name: value for name, value in image.items() if name in kept}), merge.operation),
    )  # fmt: skip
    if any(merge.agreed.values()):
        agree(db, merge.name, merge.agreed, merge.image)
    fresh = [one for one in merge.conflicts if not _stands(db, one)]
    note(db, merge.conflicts)
    if fresh:
        names = sorted(each.field for each in fresh)
        append(db, fresh[0].at, {**_met(fresh[0]), "fields": names, "operation": merge.operation})


def agree(
    db: sqlite3.Connection,
    name: tuple[str, str, str],
    agreed: Mapping[str, Mapping[str, Any]],
    image: Mapping[str, JSON],
) -> None:
    """Take what the account holds, and somebody else wrote there, for written: it is just what is wanted."""
    sql = "SELECT wanted, after FROM link WHERE object = ? AND key = ? AND part = ?"
    row = db.execute(sql, name).fetchone()
    if row is None:
        return
    wanted: dict[str, Any] = loads(row["wanted"])
    for kind, values in agreed.items():
        if values:
            wanted[kind] = {**wanted.get(kind, {}), **values}
    named = {*agreed.get("fields", ()), *(f"@{link}" for link in agreed.get("links", ()))}
    wanted["theirs"] = sorted({*wanted.get("theirs", ()), *named})  # an undo leaves what people wrote, however right
    after = dumps({**loads(row["after"]), **image}) if row["after"] else None
    db.execute(
        "UPDATE link SET wanted = ?, after = ? WHERE object = ? AND key = ? AND part = ?", (dumps(wanted), after, *name)
    )


def overwritten(db: sqlite3.Connection, name: tuple[str, str, str], fields: Iterable[str]) -> None:
    """Note that an update went through: what stood against it in these fields and links is over."""
    db.executemany(
        "UPDATE conflict SET state = 'overwritten' WHERE object = ? AND key = ? AND part = ? AND field = ? "
        "AND about = 'delta' AND state IN ('open', 'kept')",
        [(*name, one) for one in fields],
    )


def end_conflicts(db: sqlite3.Connection, name: tuple[str, str, str]) -> None:
    """Note that a record of ours is there no more, by our own deletion: nothing stands against it."""
    db.execute(
        "UPDATE conflict SET state = 'settled' WHERE object = ? AND key = ? AND part = ? AND about <> 'undo' "
        "AND state IN ('open', 'kept')",
        name,
    )


def _met(one: Conflict) -> dict[str, JSON]:
    """Return what the audit log says of a conflict, but for its fields."""
    return {"run": one.run, "outcome": "conflict", "object": one.object, "key": one.key, "part": one.part}


def _stands(db: sqlite3.Connection, one: Conflict) -> bool:
    sql = (
        "SELECT 1 FROM conflict WHERE object = ? AND key = ? AND part = ? AND field = ? AND about = ? "
        "AND state IN ('open', 'kept')"
    )
    return db.execute(sql, (*one.name, one.field, one.about)).fetchone() is not None
