"""Keeps an imitated account in one SQLite file: documents by kind and id, all of them also in memory."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Doc = dict[str, Any]


class Store:
    """Documents of an account; what a request changed is written when it is done.

    :param file: None keeps them in memory alone.
    """

    def __init__(self, file: str | None) -> None:
        self._db = sqlite3.connect(file or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS doc (kind TEXT, id TEXT, body TEXT, PRIMARY KEY (kind, id))")
        self._docs: dict[str, dict[str, Doc]] = {}
        self._changed: dict[tuple[str, str], None] = {}  # in order, as a file keeps it
        for kind, id, body in self._db.execute("SELECT kind, id, body FROM doc ORDER BY rowid"):
            self._docs.setdefault(kind, {})[id] = json.loads(body)

    @property
    def is_new(self) -> bool:
        """Whether nothing is kept yet."""
        return not self._docs

    def get(self, kind: str, id: str) -> Doc | None:
        """Return a document, None when there is none."""
        return self._docs.get(kind, {}).get(id)

    def all(self, kind: str) -> Iterator[Doc]:
        """Yield the documents of a kind, the oldest first."""
        yield from list(self._docs.get(kind, {}).values())

    def put(self, kind: str, id: str, doc: Doc) -> Doc:
        """Keep a document and return it."""
        self._docs.setdefault(kind, {})[id] = doc
        self._changed[kind, id] = None
        return doc

    def drop(self, kind: str, id: str) -> None:
        """Forget a document."""
        self._docs.get(kind, {}).pop(id, None)
        self._changed[kind, id] = None

    def kinds(self) -> list[str]:
        """Return the kinds of which there are documents."""
        return [kind for kind, docs in self._docs.items() if docs]

    def next_id(self) -> str:
        """Return a number that no record has yet."""
        meta = self.get("meta", "ids") or {"last": 1_000}
        meta["last"] += 1
        self.put("meta", "ids", meta)
        return str(meta["last"])

    def commit(self) -> None:
        """Write what changed."""
        if not self._changed:
            return
        self._db.execute("BEGIN")
        for kind, id in self._changed:
            doc = self.get(kind, id)
            if doc is None:
                self._db.execute("DELETE FROM doc WHERE kind = ? AND id = ?", (kind, id))
            else:
                sql = "INSERT INTO doc VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body"
                self._db.execute(sql, (kind, id, json.dumps(doc)))
        self._db.execute("COMMIT")
        self._changed.clear()

    def close(self) -> None:
        """Write what changed and close the file."""
        self.commit()
        self._db.close()
