"""Values of custom fields: canonical on one side, version 2 (and, for leads, version 1) on the other.

Sources: Pipedrive API, "Custom fields", and the version 2 migration guide.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from flitstack.errors import Rejected

if TYPE_CHECKING:
    from flitstack.protocols import JSON
    from flitstack_pipedrive.codec.fieldbook import CustomField

LINK_TYPES = frozenset({"user", "org", "people"})
LONGEST = {"varchar": 255, "varchar_auto": 255, "phone": 255, "text": 65_000}


def number_of(value: JSON, name: str) -> int | float:
    """Return a decimal text as the number that JSON carries.

    :raises Rejected: it is no number.
    """
    try:
        number = Decimal(str(value))
        if not number.is_finite():
            raise InvalidOperation
    except InvalidOperation as exc:
        raise unfit(name, "is no number") from exc
    return int(number) if number == number.to_integral_value() else float(number)


def decimal_text(value: Any) -> str | None:
    """Return a number as plain decimal text without an exponent; None for none."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return format(number.normalize() if number else Decimal(0), "f")


def unfit(name: str, why: str) -> Rejected:
    """Return the rejection of a value that the field cannot take."""
    return Rejected(
        "value_unfit", f'Field "{name}": the value {why}.', "Correct it in the source or the mapping, then retry.", name
    )


def checked_text(value: JSON, name: str, longest: int | None) -> str:
    """Return the value as text.

    :raises Rejected: it is no text, or longer than the field can hold.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise unfit(name, "is no text")
    text = str(value)
    if longest is not None and len(text) > longest:
        raise Rejected(
            "value_too_long",
            f'Field "{name}": the text has more than the {longest} characters the field holds.',
            "Shorten it in the mapping, or map it to a longer field.",
            name,
        )
    return text


def encode_value(field: CustomField, name: str, value: JSON) -> Any:
    """Return the value as version 2 takes it inside `custom_fields`; None clears.

    :raises Rejected: the value does not fit the field's type.
    """
    if value is None or value in ("", []):
        return None
    match field.type:
        case "double":
            return number_of(value, name)
        case "monetary":
            return _encode_money(value, name)
        case "enum":
            return _option(field, name, value)
        case "set":
            labels = value if isinstance(value, list) else [value]
            return sorted({_option(field, name, label) for label in labels})
        case "address":
            return {
                "value": value["value"]
                if isinstance(value, dict) and "value" in value
                else checked_text(value, name, None)
            }
        case "user" | "org" | "people":
            return link_id(value, name)
        case "time":
            return value if isinstance(value, dict) else {"value": checked_text(value, name, None)}
        case "daterange" | "timerange":
            return value
        case kind:
            return checked_text(value, name, LONGEST.get(kind))


def link_id(value: JSON, name: str) -> int:
    """Return a destination id as the integer the API wants.

    :raises Rejected: it is none.
    """
    try:
        return int(str(value))
    except ValueError as exc:
        raise unfit(name, "is no id of the account") from exc


def decode_value(field: CustomField, value: Any) -> JSON:
    """Return a version 2 value in canonical form."""
    if value is None:
        return None
    match field.type:
        case "double":
            return decimal_text(value)
        case "monetary" if isinstance(value, dict):
            amount = decimal_text(value.get("value"))
            return None if amount is None else {"value": amount, "currency": value.get("currency")}
        case "enum":
            return field.option_label(_id_in(value))
        case "set":
            return sorted(field.option_label(_id_in(option)) for option in value)
        case "address" | "time" if isinstance(value, dict):
            text = value.get("value")
            return None if text is None else str(text)
        case "user" | "org" | "people":
            return str(_id_in(value))
        case _:
            return value  # type: ignore[no-any-return]


def encode_lead_value(field: CustomField, name: str, value: JSON) -> dict[str, Any]:
    """Return the top-level keys by which version 1 takes the value on a lead.

    :raises Rejected: the value does not fit the field's type.
    """
    encoded = encode_value(field, name, value)
    match field.type:
        case "monetary":
            money = encoded or {"value": None, "currency": None}
            return {field.code: money["value"], f"{field.code}_currency": money["currency"]}
        case "set" if encoded is not None:
            return {field.code: ",".join(str(id) for id in encoded)}
        case "enum" if encoded is not None:
            return {field.code: str(encoded)}
        case "address" | "time" if encoded is not None:
            return {field.code: encoded["value"]}
        case _:
            return {field.code: encoded}


def decode_lead_value(field: CustomField, raw: dict[str, Any]) -> JSON:
    """Return the canonical value of a lead's field, which version 1 spreads over top-level keys."""
    value = raw.get(field.code)
    if value is None or value == "":
        return None
    match field.type:
        case "monetary" if not isinstance(value, dict):
            return {"value": decimal_text(value), "currency": raw.get(f"{field.code}_currency")}
        case "set" if isinstance(value, str):
            return decode_value(field, value.split(","))
        case _:
            return decode_value(field, value)


def _encode_money(value: JSON, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.get("value") is None or not value.get("currency"):
        raise unfit(name, "is no amount with a currency")
    return {"value": number_of(value["value"], name), "currency": value["currency"]}


def _option(field: CustomField, name: str, label: JSON) -> int:
    found = field.option_id(str(label))
    if found is None:
        raise Rejected(
            "option_unknown",
            f'Field "{name}": the account has no such option.',
            "Add the option to the field in the mapping's schema, then plan again.",
            name,
        )
    return found


def _id_in(value: Any) -> int:
    """Return an id that comes bare, as text, or inside an object."""
    if isinstance(value, dict):
        value = value.get("id", value.get("value"))
    return int(value)
