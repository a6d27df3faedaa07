"""Whether a v2 body is as the API takes it: one table of checks per resource, every fault named at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from flitstack_pipedrive.sandbox.account import CURRENCY_CODES
from flitstack_pipedrive.sandbox.answers import refused_v2
from flitstack_pipedrive.sandbox.shapes import no_such_parameter, not_a
from flitstack_pipedrive.sandbox.texts import CLOCK, DURATION, is_date, parse_v2_time

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.account import Account

Check: TypeAlias = Callable[[Any, "Account"], str | None]
LARGEST_NUMBER = 1e300
_POSTAL_CODE = re.compile(r"\b\d{5}(?:-\d{4})?\b")
ADDRESS_PARTS = (
    "country",
    "admin_area_level_1",
    "admin_area_level_2",
    "locality",
    "sublocality",
    "route",
    "street_number",
    "subpremise",
    "postal_code",
)


def validate(
    body: Mapping[str, Any], checks: Mapping[str, Check], account: Account, required: Collection[str] = ()
) -> None:
    """Check every key of the body.

    :raises ApiError: 400 that names each key at fault and why, never a value.
    """
    reasons = {key: "The parameter is required" for key in required if key not in body}
    for key, value in body.items():
        check = checks.get(key)
        reason = no_such_parameter(key) if check is None else check(value, account)
        if reason:
            reasons[key] = reason
    if reasons:
        raise refused_v2(reasons)


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether it is a number that a float can hold; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER


def is_currency(value: object) -> bool:
    """Return whether it is the code of a currency that the account knows."""
    return isinstance(value, str) and value in CURRENCY_CODES


def string(value: Any, account: Account) -> str | None:
    return None if isinstance(value, str) else not_a("string")


def integer(value: Any, account: Account) -> str | None:
    return None if type(value) is int else not_a("integer")


def number(value: Any, account: Account) -> str | None:
    return None if is_number(value) else not_a("number")


def boolean(value: Any, account: Account) -> str | None:
    return None if isinstance(value, bool) else not_a("boolean")


def day(value: Any, account: Account) -> str | None:
    return None if is_date(value) else not_a("date")


def moment(value: Any, account: Account) -> str | None:
    return None if parse_v2_time(value) else "The value is not a valid datetime"


def time_of_day(value: Any, account: Account) -> str | None:
    return None if isinstance(value, str) and CLOCK.fullmatch(value) else not_a("time")


def duration(value: Any, account: Account) -> str | None:
    return None if isinstance(value, str) and DURATION.fullmatch(value) else not_a("duration")


def currency(value: Any, account: Account) -> str | None:
    return None if is_currency(value) else not_a("currency")


def title(value: Any, account: Account) -> str | None:
    """Check a name, title or subject: not empty, not too long."""
    if not isinstance(value, str):
        return not_a("string")
    if not value.strip():
        return "The value is empty"
    return None if len(value) <= account.switches.name_max else "The value is too long"


def text(longest: int) -> Check:
    """Return the check of a text of at most that many characters."""

    def check(value: Any, account: Account) -> str | None:
        if not isinstance(value, str):
            return not_a("string")
        return None if len(value) <= longest else "The value is too long"

    return check


def nullable(check: Check) -> Check:
    """Return the check that also takes null."""
    return lambda value, account: None if value is None else check(value, account)


def one_of(*allowed: str) -> Check:
    """Return the check of a closed set of words."""
    return lambda value, account: None if isinstance(value, str) and value in allowed else "The value is not allowed"


def reference(table: str) -> Check:
    """Return the check of the id of a live record."""

    def check(value: Any, account: Account) -> str | None:
        if type(value) is not int:
            return not_a("integer")
        return None if account.store.live(table, value) else f"The {table} does not exist"

    return check


def lead_reference(value: Any, account: Account) -> str | None:
    if not isinstance(value, str):
        return not_a("string")
    found = account.store.count("lead", [("uid = ? AND deleted = 0", (value,))])
    return None if found else "The lead does not exist"


def owner(value: Any, account: Account) -> str | None:
    """Check a new owner: an active user ("What happens when a user gets deactivated")."""
    if type(value) is not int:
        return not_a("integer")
    member = account.members.get(value)
    if member is None:
        return "The user does not exist"
    return None if member.active else "The user is deactivated and cannot own new items"


def user(value: Any, account: Account) -> str | None:
    if type(value) is not int:
        return not_a("integer")
    return None if value in account.members else "The user does not exist"


def visibility(value: Any, account: Account) -> str | None:
    if type(value) is not int:
        return not_a("integer")
    return None if value in account.plan.visibilities else "The value is not allowed on this plan"


def labels(allowed: Collection[int]) -> Check:
    """Return the check of a list of label options' ids."""

    def check(value: Any, account: Account) -> str | None:
        if not isinstance(value, list) or any(type(item) is not int for item in value):
            return not_a("array")
        return None if all(item in allowed for item in value) else "The option does not exist"

    return check


def contact_points(value: Any, account: Account) -> str | None:
    """Check emails, phones or im: objects with a value, perhaps a label and a primary flag; no bare strings."""
    if not isinstance(value, list):
        return not_a("array")
    for item in value:
        if not isinstance(item, dict):
            return not_a("object")
        if set(item) - {"value", "label", "primary"} or not isinstance(item.get("value"), str):
            return "An item needs a 'value' and may have 'label' and 'primary' only"
        if not isinstance(item.get("label", ""), str) or not isinstance(item.get("primary", False), bool):
            return "A label is not a valid 'string', or 'primary' not a valid 'boolean'"
    return None


def address(value: Any, account: Account) -> str | None:
    """Check an address object: `value` is required, parts are texts or null."""
    if not isinstance(value, dict):
        return not_a("object")
    if not isinstance(value.get("value"), str):
        return "An address needs a 'value'"
    unknown = set(value) - {"value", "formatted_address", *ADDRESS_PARTS}
    if unknown:
        return "An address has a part that is not allowed"
    return None if all(part is None or isinstance(part, str) for part in value.values()) else not_a("string")


def filled_address(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the address with every part that was left out set to null; of a bare line, the postal code is parsed.

    Source: reads may show parts that Pipedrive found in the line; which parts it finds in what is not documented.
    """
    parts = {part: value.get(part) for part in ADDRESS_PARTS}
    found = _POSTAL_CODE.findall(value["value"]) if set(value) == {"value"} else []
    return {"value": value["value"], **parts, **({"postal_code": found[-1]} if found else {})}


def with_primary(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return contact points with default labels and exactly one primary: the first marked one, else the first."""
    marked = next((place for place, point in enumerate(points) if point.get("primary")), 0)
    return [
        {"value": point["value"].strip(), "primary": place == marked, "label": point.get("label") or "work"}
        for place, point in enumerate(points)
    ]
