"""Who follows a record, v2, and who may see it, v1: Pipedrive API `/{items}/{id}/followers` and `permittedUsers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack_pipedrive.sandbox import checks
from flitstack_pipedrive.sandbox.answers import Answer, data_v1, data_v2, not_found, refused_v2
from flitstack_pipedrive.sandbox.call import hiding
from flitstack_pipedrive.sandbox.paging import list_v2
from flitstack_pipedrive.sandbox.resources.leads import MISSING

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call, Handler
    from flitstack_pipedrive.sandbox.state import Row, Where


def list_followers(table: str) -> Handler:
    """Return the handler of a page of a record's followers."""

    def handler(call: Call) -> Answer:
        row = call.row(table, call.number())
        return list_v2(call, "follower", wheres=_of(table, row.id), shown=_shown)

    return handler


def add_follower(table: str) -> Handler:
    """Return the handler that makes an active user follow a record; once is enough, twice is a 400."""

    def handler(call: Call) -> Answer:
        row = call.live_row(table, call.number())
        body = call.fields()
        checks.validate(body, {"user_id": checks.owner}, call.account, required=("user_id",))
        if _found(call, table, row.id, body["user_id"]):
            raise refused_v2({"user_id": "The user already follows this item"})
        doc = {"entity": table, "of_id": row.id, "user_id": body["user_id"], "add_time": call.account.now()}
        new = call.account.new_row("follower", doc)
        with call.store.transaction():
            call.store.put("follower", new)
        return data_v2(_shown([new.doc])[0], 201)

    return handler


def remove_follower(table: str) -> Handler:
    """Return the handler that ends a user's following."""

    def handler(call: Call) -> Answer:
        row = call.live_row(table, call.number())
        found = _found(call, table, row.id, call.number(1))
        if found is None:
            raise not_found()
        found.deleted = True
        with call.store.transaction():
            call.store.put("follower", found)
        return data_v2({"user_id": found.doc["user_id"]})

    return handler


def permitted_users(table: str) -> Handler:
    """Return the handler of the ids of the active users who may see a record."""

    def handler(call: Call) -> Answer:
        key, wanted = ("uid", call.param) if table == "lead" else ("id", call.number())
        alive: Where = (f"{key} = ? AND deleted = 0", (wanted,))
        if not call.store.count(table, [alive, *call.visible(table)]):
            raise not_found(MISSING if table == "lead" else "Entity was not found")
        members = [member for member in call.account.members.values() if member.active]
        seeing = [member.id for member in members if member.is_admin or _sees(call, table, alive, member.id)]
        return data_v1(seeing)

    return handler


def _sees(call: Call, table: str, alive: Where, user: int) -> bool:
    return call.store.count(table, [alive, *hiding(call.account, table, user)]) > 0


def _of(table: str, number: int) -> list[Where]:
    return [("deleted = 0 AND entity = ? AND of_id = ?", (table, number))]


def _found(call: Call, table: str, number: int, user: int) -> Row | None:
    return call.store.find("follower", [*_of(table, number), ("user_id = ?", (user,))])


def _shown(docs: list[Doc]) -> list[Doc]:
    return [{"user_id": doc["user_id"], "add_time": doc["add_time"]} for doc in docs]
