"""One request as a resource sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack_pipedrive.sandbox.answers import Answer, failed, forbidden, not_found, refused_v1, refused_v2

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.account import Account, Member
    from flitstack_pipedrive.sandbox.state import Row, Store, Where


@dataclass(slots=True)
class Call:
    """An authenticated request to a known path.

    :param params: what stands in the path for `{id}` or `{field_code}` and what may follow it.
    :param body: parsed JSON, or None without a body.
    :param form: fields of a form; `upload` holds the file's name and bytes.
    """

    account: Account
    user: Member
    version: str
    params: tuple[str, ...]
    query: Mapping[str, str]
    body: Any
    form: Mapping[str, str]
    upload: tuple[str, bytes] | None
    host: str

    @property
    def store(self) -> Store:
        return self.account.store

    @property
    def param(self) -> str:
        """Return what stands in the path for `{id}` or `{field_code}`."""
        return self.params[0]

    def number(self, place: int = 0) -> int:
        """Return an id in the path, the first unless said otherwise.

        :raises ApiError: 400, it is no number.
        """
        text = self.params[place]
        if not (text.isdecimal() and text.isascii()) or len(text) > 18:
            refused = refused_v2 if self.version == "v2" else refused_v1
            raise refused({"id": "The value is not a valid 'integer'"})
        return int(text)

    def fields(self) -> dict[str, Any]:
        """Return the JSON object of the body.

        :raises ApiError: 400, the body is something else.
        """
        if isinstance(self.body, dict):
            return self.body
        refused = refused_v2 if self.version == "v2" else refused_v1
        raise refused({"body": "The value is not a valid 'object'"})

    def need_admin(self) -> None:
        """Raise the 403 of a right that only admins have."""
        if not self.user.is_admin:
            raise forbidden()

    def visible(self, table: str) -> list[Where]:
        """Return the conditions that hide what this user may not see."""
        return [] if self.user.is_admin else hiding(table, self.user.id)

    def row(self, table: str, number: int, missing: str = "Entity was not found") -> Row:
        """Return the record, deleted within the last 30 days included.

        :raises ApiError: 404, there is none that this user may see.
        """
        row = self.store.find(table, [("id = ?", (number,)), *self.visible(table)])
        if row is None or (row.deleted and row.updated < self.account.purged_before()):
            raise not_found(missing)
        return row

    def live_row(self, table: str, number: int, missing: str = "Entity was not found") -> Row:
        """Return the record that a write is about.

        :raises ApiError: 404, there is none, or it is deleted.
        """
        row = self.row(table, number, missing)
        if row.deleted:
            raise not_found(missing)
        return row

    def no_filter_id(self) -> None:
        """Raise a 501 for saved filters, which the sandbox does not have."""
        if "filter_id" in self.query:
            raise failed(501, "The sandbox does not do filter_id.", errorCode=501)


Handler: TypeAlias = Callable[[Call], Answer]


def hiding(table: str, user: int) -> list[Where]:
    """Return the conditions that hide what a user without admin rights may not see."""
    return _HIDING[table](table, user)


def _own_or_open(table: str, user: int) -> list[Where]:
    """Return the rule for items: the owner's own, those he follows, and what is open to more than the owner."""
    followed = (
        "EXISTS (SELECT 1 FROM follower f WHERE f.deleted = 0 AND f.user_id = ?"
        f" AND f.entity = '{table}' AND f.of_id = {table}.id)"
    )
    own = f"CAST({table}.visible_to AS INTEGER) <> 1 OR {table}.owner_id = ? OR {followed}"
    return [(own, (user, user))]


def _through_links(table: str, user: int) -> list[Where]:
    """Return the rule for notes, activities and files: visible only if every linked item is."""
    wheres: list[Where] = []
    for column, target, key in (
        ("person_id", "person", "id"),
        ("org_id", "organization", "id"),
        ("deal_id", "deal", "id"),
        ("lead_id", "lead", "uid"),
    ):
        hidden = (
            f"NOT EXISTS (SELECT 1 FROM {target} t WHERE t.{key} = {table}.{column}"  # noqa: S608 - names are ours
            " AND CAST(t.visible_to AS INTEGER) = 1 AND t.owner_id <> ?)"
        )
        wheres.append((hidden, (user,)))
    return wheres


def _everybody(table: str, user: int) -> list[Where]:
    return []


_HIDING: Mapping[str, Callable[[str, int], list[Where]]] = {
    **dict.fromkeys(("person", "organization", "deal", "lead", "product"), _own_or_open),
    **dict.fromkeys(("activity", "note", "file"), _through_links),
    **dict.fromkeys(("pipeline", "stage", "activity_type", "field", "follower", "deal_product"), _everybody),
}
