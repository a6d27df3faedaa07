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
        return [] if self.user.is_admin else hiding(self.account, table, self.user.id)

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


def hiding(account: Account, table: str, user: int) -> list[Where]:
    """Return the conditions that hide what a user without admin rights may not see.

    Source: `visible_to` 1 is the owner and, on plans with two visibilities, the followers; notes, activities and files
    are visible only if every linked item is.
    """
    followers_see = len(account.plan.visibilities) == _SIMPLE
    if table in _ITEMS:
        seen, values = _seen(table, table, user, followers_see=followers_see)
        return [(seen, values)]
    if table not in _HANGING:
        return []
    wheres: list[Where] = []
    for column, target, key in _LINKS:
        seen, values = _seen("t", target, user, followers_see=followers_see)
        hidden = f"NOT EXISTS (SELECT 1 FROM {target} t WHERE t.{key} = {table}.{column} AND NOT ({seen}))"  # noqa: S608 - names are ours
        wheres.append((hidden, values))
    return wheres


_SIMPLE = 2
_ITEMS = frozenset({"person", "organization", "deal", "lead", "product"})
_HANGING = frozenset({"activity", "note", "file"})
_LINKS = (
    ("person_id", "person", "id"),
    ("org_id", "organization", "id"),
    ("deal_id", "deal", "id"),
    ("lead_id", "lead", "uid"),
)


def _seen(alias: str, table: str, user: int, *, followers_see: bool) -> Where:
    """Return the condition under which a user sees an item: open to more than the owner, his own, or followed."""
    own = f"CAST({alias}.visible_to AS INTEGER) <> 1 OR {alias}.owner_id = ?"
    if not followers_see:
        return own, (user,)
    follows = (
        "EXISTS (SELECT 1 FROM follower f WHERE f.deleted = 0 AND f.user_id = ?"  # noqa: S608 - names are ours
        f" AND f.entity = '{table}' AND f.of_id = {alias}.id)"
    )
    return f"{own} OR {follows}", (user, user)
