"""Records both ways: an operation to the body of its request, an answer to a `Stored` record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.errors import Rejected
from flitstack.protocols import Stored, full_key
from flitstack_pipedrive.codec.fieldbook import KEY_FIELD, FieldBook
from flitstack_pipedrive.codec.marker import split_marker, with_marker
from flitstack_pipedrive.codec.times import canonical_time, read_time
from flitstack_pipedrive.codec.values import (
    LINK_TYPES,
    checked_text,
    decimal_text,
    decode_lead_value,
    decode_value,
    encode_lead_value,
    encode_value,
    link_id,
    number_of,
    unfit,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import JSON, Operation
    from flitstack_pipedrive.codec.fieldbook import CustomField
    from flitstack_pipedrive.codec.shapes import Native, Shape

NO_BYTES = frozenset({"size", "sha256", "path"})
MONEY = ("value", "currency")
UUID_LINKS = frozenset({"lead_id"})


@dataclass(slots=True)
class Directory:
    """What the account calls things: its custom fields, and its activity types (id to key string)."""

    fields: FieldBook = field(default_factory=FieldBook)
    activity_types: dict[str, str] = field(default_factory=dict)

    def type_id(self, key_string: str) -> str | None:
        """Return the id of the activity type, or None when the account has none of that key string."""
        return next((id for id, known in self.activity_types.items() if known == key_string), None)


def encode(shape: Shape, operation: Operation, directory: Directory) -> dict[str, Any]:
    """Return the request's body for a create or an update of a record; a create leaves out what is empty.

    :raises Rejected: a value does not fit, a field is not in the account, or the API cannot change it.
    """
    creating = operation.verb == "create"
    body: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in operation.fields.items():
        if name in shape.natives:
            body.update(_encode_native(shape.natives[name], value, operation))
        elif shape.object == "lead" and name in MONEY:
            continue
        elif not (shape.object == "file" and name in NO_BYTES) and not (creating and value is None):
            custom.update(_encode_custom(shape, name, value, directory))
    for name, target in operation.links.items():
        body.update(_encode_link(shape, name, target, directory, custom))
    if shape.object == "lead":
        body.update(_encode_lead_money(operation))
    _put_key(shape, operation, directory, body, custom)
    if custom and shape.object == "lead":
        body.update(custom)
    elif custom:
        body["custom_fields"] = custom
    return body


def decode(shape: Shape, raw: Mapping[str, Any], directory: Directory) -> Stored:
    """Return a record of the API in canonical form; fields without a value are left out."""
    fields: dict[str, JSON] = {name: native.read(raw.get(name)) for name, native in shape.natives.items()}
    links = {name: str(raw[api]) for name, api in shape.links.items() if raw.get(api) not in (None, "")}
    key = None
    if shape.marked is not None:
        fields[shape.marked], key = _split(fields[shape.marked])
    if shape.entity is not None:
        key = _decode_custom(shape, raw, directory, fields, links)
    _decode_rest(shape, raw, directory, fields, links)
    for name in shape.seen:
        fields.setdefault(name, _opaque(raw.get(name)))
    return Stored(
        object=shape.object,
        id=str(raw["id"]),
        key=key,
        fields={name: value for name, value in fields.items() if value is not None},
        links=links,
        added=read_time(raw.get("add_time")),
        updated=read_time(raw.get("update_time")),
    )


def _encode_native(native: Native, value: JSON, operation: Operation) -> dict[str, Any]:
    creating = operation.verb == "create"
    if value is None or value in ("", []):
        return {} if creating else _clear(native, operation)
    if native.create_only and not creating:
        raise Rejected(
            "not_changeable",
            f'Field "{native.name}": Pipedrive sets it once, when the record is created.',
            "Change it back in the source, or accept the value the account has.",
            native.name,
        )
    return {native.name: native.write(value, native.name)}


def _clear(native: Native, operation: Operation) -> dict[str, Any]:
    match native.clear:
        case "by_status" if "status" in operation.fields:
            return {}
        case "null" | "by_status":
            return {native.name: None}
        case "empty":
            return {native.name: ""}
        case "zero":
            return {native.name: 0}
        case "list":
            return {native.name: []}
        case _:
            raise Rejected(
                "cannot_clear",
                f'Field "{native.name}": Pipedrive has no way to empty it.',
                "Empty it by hand in the account, then verify.",
                native.name,
            )


def _encode_custom(shape: Shape, name: str, value: JSON, directory: Directory) -> dict[str, Any]:
    known = _custom_field(shape, name, directory)
    return (
        encode_lead_value(known, name, value)
        if shape.object == "lead"
        else {known.code: encode_value(known, name, value)}
    )


def _custom_field(shape: Shape, name: str, directory: Directory) -> CustomField:
    known = directory.fields.named(shape.entity).get(name) if shape.entity else None
    if known is None:
        raise Rejected(
            "field_unknown",
            f'Field "{name}": the account has no such field for a {shape.object}.',
            "Create it through the mapping's schema, or take it out of the mapping.",
            name,
        )
    return known


def _encode_link(shape: Shape, name: str, target: str, directory: Directory, custom: dict[str, Any]) -> dict[str, Any]:
    """Return the body's keys for a link; one that is a custom field goes into `custom`. Empty clears it."""
    if shape.object == "activity" and name == "type":
        if target not in directory.activity_types:
            raise unfit("type", "is no activity type of the account")
        return {"type": directory.activity_types[target]}
    if shape.object == "activity" and name == "person_id":
        return {"participants": [{"person_id": link_id(target, name), "primary": True}] if target else []}
    if name in shape.links:
        if not target:
            return {shape.links[name]: None}
        return {shape.links[name]: target if name in UUID_LINKS else link_id(target, name)}
    custom.update(_encode_custom(shape, name, target, directory))
    return {}


def _encode_lead_money(operation: Operation) -> dict[str, Any]:
    if not any(name in operation.fields for name in MONEY):
        return {}
    value, currency = (operation.fields.get(name) for name in MONEY)
    if value is None:
        return {} if operation.verb == "create" else {"value": None}
    if not currency:
        raise unfit("value", "is no amount with a currency")
    return {"value": {"amount": number_of(value, "value"), "currency": currency}}


def _put_key(
    shape: Shape, operation: Operation, directory: Directory, body: dict[str, Any], custom: dict[str, Any]
) -> None:
    key = full_key(operation.key, operation.part)
    if shape.marked is not None and (operation.verb == "create" or shape.marked in body):
        text = with_marker(body.get(shape.marked, ""), key)
        body[shape.marked] = shape.natives[shape.marked].write(text, shape.marked)
    if shape.entity is not None and operation.verb == "create":
        known = _custom_field(shape, KEY_FIELD, directory)
        custom[known.code] = checked_text(key, KEY_FIELD, 255)


def _split(text: JSON) -> tuple[JSON, str | None]:
    if not isinstance(text, str):
        return text, None
    rest, key = split_marker(text)
    return rest or None, key


def _decode_custom(
    shape: Shape, raw: Mapping[str, Any], directory: Directory, fields: dict[str, JSON], links: dict[str, str]
) -> str | None:
    """Put the custom fields into `fields` and `links`, and return the source key."""
    key = None
    values = raw.get("custom_fields") or {}
    for known in directory.fields.named(shape.entity or "person").values():
        if shape.object == "lead":
            value = decode_lead_value(known, dict(raw))
        else:
            value = decode_value(known, values.get(known.code))
        if known.name == KEY_FIELD:
            key = str(value) if value else None
            fields[KEY_FIELD] = key
        elif known.type in LINK_TYPES:
            if value is not None:
                links[known.name] = str(value)
        elif known.name not in fields:
            fields[known.name] = value
    return key


def _opaque(value: Any) -> JSON:
    """Return a value that is never written as one text, so that two that differ do; None where there is none.

    A filled-in place and contact data come in parts, all of them empty where nobody filled them in.
    """
    if isinstance(value, dict):
        value = {name: part for name, part in value.items() if part not in (None, "", [])}
    if isinstance(value, list):
        value = [item for item in value if not isinstance(item, dict) or item.get("value", True) not in (None, "")]
    return None if value in (None, "", [], {}) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _decode_rest(
    shape: Shape, raw: Mapping[str, Any], directory: Directory, fields: dict[str, JSON], links: dict[str, str]
) -> None:
    """Put in what is written in another place than it is read from."""
    match shape.object:
        case "activity":
            people = raw.get("participants") or []
            first = next((one for one in people if one.get("primary")), people[0] if people else None)
            person = first["person_id"] if first else raw.get("person_id")
            if person is not None:
                links["person_id"] = str(person)
            fields["participants"] = _opaque(sorted(one["person_id"] for one in people if one is not first))
            type_id = directory.type_id(str(raw.get("type")))
            if type_id is not None:
                links["type"] = type_id
        case "lead":
            money = raw.get("value") or {}
            fields["value"], fields["currency"] = decimal_text(money.get("amount")), money.get("currency")
            fields["is_archived"] = bool(raw.get("is_archived"))
        case "file":
            fields["size"] = raw.get("file_size")
            fields["add_time"] = canonical_time(raw.get("add_time"))
        case "deal":
            fields["is_archived"] = bool(raw.get("is_archived"))
        case _:
            pass
