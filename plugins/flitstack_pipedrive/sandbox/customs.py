"""Values of custom fields: what each of the sixteen types takes, in v2's shape and, for leads, in v1's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flitstack_pipedrive.sandbox.answers import Doc, refused_v2
from flitstack_pipedrive.sandbox.checks import address, filled_address, is_currency, is_number
from flitstack_pipedrive.sandbox.texts import CLOCK, is_date, with_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack_pipedrive.sandbox.account import Account, CustomField

TYPES = (
    "varchar",
    "varchar_auto",
    "text",
    "double",
    "monetary",
    "date",
    "daterange",
    "time",
    "timerange",
    "enum",
    "set",
    "phone",
    "address",
    "user",
    "org",
    "people",
)
TEXT_LIMITS = {"varchar": 255, "varchar_auto": 255, "phone": 255, "text": 65_535}
_TOO_LARGE = 10**14
_LINKED = {"org": "organization", "people": "person"}


class _WrongError(Exception):
    """A value does not fit its field; the text is what was expected, or a sentence."""


def checked_customs(values: Any, entity: str, account: Account) -> Doc:
    """Return the custom fields as they are stored.

    :raises ApiError: 400 for the whole request; one wrong key or value is enough.
    Source: Pipedrive API v2 migration guide, custom fields; observed error texts.
    """
    if not isinstance(values, dict):
        raise refused_v2({"custom_fields": "The value is not a valid 'object'"})
    known = account.custom_fields(entity)
    unknown = [key for key in values if key not in known]
    if unknown:
        raise refused_v2({"custom_fields": "; ".join(f"Unknown key '{key}'" for key in unknown)})
    stored: Doc = {}
    reasons = []
    for key, value in values.items():
        try:
            stored[key] = None if value is None else _STORED[known[key].type](value, known[key], account)
        except _WrongError as exc:
            reasons.append(_reason(str(exc), entity, key))
    if reasons:
        raise refused_v2({"custom_fields": "; ".join(reasons)})
    return stored


def _reason(expected: str, entity: str, key: str) -> str:
    if " " in expected:
        return f"{expected} for {entity} custom field '{key}'"
    return f"Expected '{expected}' as value for {entity} custom field '{key}'"


def _text(value: Any, field: CustomField, account: Account) -> str:
    if not isinstance(value, str):
        raise _WrongError("string")
    if len(value) > TEXT_LIMITS[field.type]:
        raise _WrongError("The value is too long")
    return value


def _number(value: Any, field: CustomField, account: Account) -> int | float:
    if not is_number(value):
        raise _WrongError("number")
    return value


def _double(value: Any, field: CustomField, account: Account) -> int | float:
    """Return a number of at most 14 digits: Pipedrive knowledge base, custom field limitations."""
    if abs(_number(value, field, account)) >= _TOO_LARGE:
        raise _WrongError("The value has more than 14 digits")
    return _number(value, field, account)


def _money(value: Any, field: CustomField, account: Account) -> Doc:
    if not isinstance(value, dict) or set(value) != {"value", "currency"}:
        raise _WrongError("object")
    amount = _number(value["value"], field, account)
    if not is_currency(value["currency"]):
        raise _WrongError("The currency is unknown")
    return {"value": amount, "currency": value["currency"]}


def _day(value: Any, field: CustomField, account: Account) -> str:
    if not is_date(value):
        raise _WrongError("date")
    return str(value)


def _day_range(value: Any, field: CustomField, account: Account) -> Doc:
    if not isinstance(value, dict) or set(value) != {"value", "until"}:
        raise _WrongError("object")
    return {part: _day(value[part], field, account) for part in ("value", "until")}


def _zone(value: Mapping[str, Any], account: Account) -> str:
    zone = value.get("timezone_name", account.time_zone)
    try:
        ZoneInfo(zone)
    except (TypeError, ValueError, OSError, KeyError):
        raise _WrongError("The time zone is unknown") from None
    return str(zone)


def _clock(value: Any) -> str:
    if not isinstance(value, str) or not CLOCK.fullmatch(value):
        raise _WrongError("time")
    return with_seconds(value)


def _time(value: Any, field: CustomField, account: Account) -> Doc:
    if not isinstance(value, dict) or not {"value"} <= set(value) <= {"value", "timezone_name"}:
        raise _WrongError("object")
    return {"value": _clock(value["value"]), "timezone_name": _zone(value, account)}


def _time_range(value: Any, field: CustomField, account: Account) -> Doc:
    if not isinstance(value, dict) or not {"value", "until"} <= set(value) <= {"value", "until", "timezone_name"}:
        raise _WrongError("object")
    return {
        "value": _clock(value["value"]),
        "until": _clock(value["until"]),
        "timezone_name": _zone(value, account),
    }


def _option(value: Any, field: CustomField, account: Account) -> int:
    if type(value) is not int:
        raise _WrongError("number")
    if value not in field.options:
        raise _WrongError("The option does not exist")
    return value


def _options(value: Any, field: CustomField, account: Account) -> list[int]:
    if not isinstance(value, list) or not value:
        raise _WrongError("array")
    # The account does not keep the order in which options were given.
    return sorted({_option(item, field, account) for item in value})


def _address(value: Any, field: CustomField, account: Account) -> Doc:
    reason = address(value, account)
    if reason:
        raise _WrongError("object" if not isinstance(value, dict) else reason)
    return filled_address(value) | {"formatted_address": value.get("formatted_address") or value["value"]}


def _link(value: Any, field: CustomField, account: Account) -> int:
    if type(value) is not int:
        raise _WrongError("number")
    if field.type == "user":
        found = value in account.members
    else:
        found = account.store.live(_LINKED[field.type], value)
    if not found:
        raise _WrongError("The record does not exist")
    return value


_STORED: Mapping[str, Callable[[Any, CustomField, Account], Any]] = {
    **dict.fromkeys(TEXT_LIMITS, _text),
    **dict.fromkeys(("user", "org", "people"), _link),
    "double": _double,
    "monetary": _money,
    "date": _day,
    "daterange": _day_range,
    "time": _time,
    "timerange": _time_range,
    "enum": _option,
    "set": _options,
    "address": _address,
}


# --- leads: deal fields as top-level keys, in v1's form --------------------------------------------------------------

_V1_COMPANIONS = {
    "monetary": ("currency",),
    "daterange": ("until",),
    "time": ("timezone_id",),
    "timerange": ("until", "timezone_id"),
}


def lead_customs(body: Mapping[str, Any], account: Account) -> tuple[Doc, dict[str, str]]:
    """Return the lead's custom values as stored (top-level keys), and the reasons against those that are wrong.

    Source: v1 leads; set as `"1,2"`, enum as the option's id in text, companions such as `KEY_currency`.
    """
    stored: Doc = {}
    reasons: dict[str, str] = {}
    for key, field in account.custom_fields("deal").items():
        if key not in body:
            continue
        companions = {name: body.get(f"{key}_{name}") for name in _V1_COMPANIONS.get(field.type, ())}
        try:
            stored |= _lead_value(key, body[key], field, companions, account)
        except _WrongError as exc:
            reasons[key] = _reason(str(exc), "deal", key)
    return stored, reasons


def lead_custom_keys(account: Account) -> set[str]:
    """Return every top-level key that a custom field of a lead may use."""
    fields = account.custom_fields("deal").values()
    return {f.code for f in fields} | {f"{f.code}_{name}" for f in fields for name in _V1_COMPANIONS.get(f.type, ())}


def _lead_value(key: str, value: Any, field: CustomField, companions: Mapping[str, Any], account: Account) -> Doc:
    names = [f"{key}_{name}" for name in companions]
    if value is None:
        return {key: None, **dict.fromkeys(names)}
    if field.type == "enum":
        return {key: str(_option(_as_number(value), field, account))}
    if field.type == "set":
        ids = value.split(",") if isinstance(value, str) else value
        if not isinstance(ids, list):
            raise _WrongError("string")
        return {key: ",".join(map(str, _options([_as_number(item) for item in ids], field, account)))}
    if field.type == "monetary":
        money = _money({"value": value, "currency": companions["currency"] or account.currency}, field, account)
        return {key: money["value"], names[0]: money["currency"]}
    if field.type == "daterange":
        return {key: _day(value, field, account), names[0]: _day(companions["until"], field, account)}
    if field.type in ("time", "timerange"):
        until = {f"{key}_until": _clock(companions["until"])} if field.type == "timerange" else {}
        return {key: _clock(value), **until, f"{key}_timezone_id": _zone_id(companions["timezone_id"])}
    if field.type == "address":
        if not isinstance(value, str):
            raise _WrongError("string")
        return {key: value}
    return {key: _STORED[field.type](value, field, account)}


def _zone_id(value: Any) -> int | None:
    if value is not None and type(value) is not int:
        raise _WrongError("The time zone is unknown")
    return value


def _as_number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value
