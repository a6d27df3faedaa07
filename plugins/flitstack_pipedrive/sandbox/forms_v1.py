"""Whether a v1 body is as the API takes it: looser than v2 about numbers in text, as strict about unknown keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack_pipedrive.sandbox.answers import refused_v1
from flitstack_pipedrive.sandbox.shapes import no_such_parameter

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.state import Where

Read: TypeAlias = Callable[[Any, "Account"], Any]


class WrongValueError(Exception):
    """A value that v1 refuses; the text is the reason."""


def read_body(
    body: Mapping[str, Any], readers: Mapping[str, Read], account: Account, required: Collection[str] = ()
) -> dict[str, Any]:
    """Return the body's values as they are stored.

    :raises ApiError: 400 that names each key at fault and why.
    """
    values: dict[str, Any] = {}
    reasons = {key: "The parameter is required" for key in required if body.get(key) in (None, "")}
    for key, value in body.items():
        reader = readers.get(key)
        if reader is None:
            reasons[key] = no_such_parameter(key)
            continue
        try:
            values[key] = reader(value, account)
        except WrongValueError as exc:
            reasons.setdefault(key, str(exc))
    if reasons:
        raise refused_v1(reasons)
    return values


def whole(value: Any, account: Account) -> int:
    if isinstance(value, str) and value.isdecimal() and len(value) <= 18:
        return int(value)
    if type(value) is not int:
        raise WrongValueError("The value is not a valid 'integer'")
    return value


def words(value: Any, account: Account) -> str:
    if not isinstance(value, str):
        raise WrongValueError("The value is not a valid 'string'")
    return value


def flag(value: Any, account: Account) -> bool:
    """Read 0 and 1, as numbers, text or booleans."""
    if value in (0, 1, "0", "1"):
        return bool(int(value))
    raise WrongValueError("The value must be 0 or 1")


def boolean(value: Any, account: Account) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError("The value is not a valid 'boolean'")
    return value


def or_null(reader: Read) -> Read:
    """Return the reader that also takes null."""
    return lambda value, account: None if value is None else reader(value, account)


def existing(table: str) -> Read:
    """Return the reader of the id of a live record."""

    def read(value: Any, account: Account) -> int:
        number = whole(value, account)
        if not account.store.live(table, number):
            raise WrongValueError(f"The {table} does not exist")
        return number

    return read


def existing_lead(value: Any, account: Account) -> str:
    alive: Where = ("uid = ? AND deleted = 0", (words(value, account),))
    if not account.store.count("lead", [alive]):
        raise WrongValueError("The lead does not exist")
    return str(value)


def active_user(value: Any, account: Account) -> int:
    """Read a user who may be given new items: an active one."""
    number = whole(value, account)
    member = account.members.get(number)
    if member is None:
        raise WrongValueError("The user does not exist")
    if not member.active:
        raise WrongValueError("The user is deactivated and cannot own new items")
    return number


def nothing(value: Any, account: Account) -> None:
    """Read a link to something the sandbox has none of."""
    if value is not None:
        raise WrongValueError("The record does not exist")
