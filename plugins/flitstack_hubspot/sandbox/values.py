"""Checks what a property may hold, and stores it as HubSpot would."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from flitstack_hubspot.sandbox.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 65_536
_DIGITS = re.compile(r"-?\d+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


def stored(definition: Mapping[str, Any], value: str) -> str:
    """Return the value as it is kept.

    :raises ApiError: it does not fit the property's type.
    """
    name = str(definition["name"])
    if definition.get("modificationMetadata", {}).get("readOnlyValue"):
        raise invalid(f'"{name}" is a read only property', "READ_ONLY_VALUE", name)
    if value == "":
        return ""
    if len(value) > LONGEST:
        raise invalid(f'"{name}" is too long', "INVALID_LENGTH", name)
    return _RULES.get(str(definition["type"]), _string)(definition, value)


def _string(definition: Mapping[str, Any], value: str) -> str:
    if definition["name"] != "email":
        return value.strip()
    if not _EMAIL.fullmatch(value.strip()):
        raise invalid("Email address is invalid", "INVALID_EMAIL", "email")
    return value.strip().lower()


def _number(definition: Mapping[str, Any], value: str) -> str:
    try:
        found = Decimal(value) if _NUMBER.fullmatch(value) else None
    except InvalidOperation:
        found = None
    if found is None:
        raise invalid("not a valid number", "INVALID_LONG", str(definition["name"]))
    return format(found, "f")


def _date(definition: Mapping[str, Any], value: str) -> str:
    try:
        if _DIGITS.fullmatch(value):
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(value))
            if moment.time() == datetime.min.time():
                return moment.date().isoformat()
        elif len(value) == 10:
            return date.fromisoformat(value).isoformat()
    except (ValueError, OverflowError):
        pass
    raise invalid("not a valid date: midnight UTC, or YYYY-MM-DD", "INVALID_DATE", str(definition["name"]))


def _time(definition: Mapping[str, Any], value: str) -> str:
    try:
        if _DIGITS.fullmatch(value):
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(value))
        else:
            moment = datetime.fromisoformat(value)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid("not a valid time", "INVALID_DATE", str(definition["name"])) from None
    return spelt(moment)


def _enumeration(definition: Mapping[str, Any], value: str) -> str:
    if definition.get("externalOptions") or definition["name"] in ("dealstage", "pipeline"):
        return value
    allowed = {str(option["value"]) for option in definition["options"]}
    several = definition["fieldType"] == "checkbox"
    parts = value.split(";") if several else [value]
    parts = [part for part in parts if part]
    for part in parts:
        if part not in allowed:
            raise invalid("was not one of the allowed options", "INVALID_OPTION", str(definition["name"]))
    return ";".join(dict.fromkeys(parts))


def _bool(definition: Mapping[str, Any], value: str) -> str:
    if value.lower() not in ("true", "false"):
        raise invalid("not a boolean", "INVALID_BOOLEAN", str(definition["name"]))
    return value.lower()


def spelt(moment: datetime) -> str:
    """Return a time as answers spell it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


_RULES = {
    "string": _string,
    "number": _number,
    "date": _date,
    "datetime": _time,
    "enumeration": _enumeration,
    "bool": _bool,
}
