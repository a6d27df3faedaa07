"""Custom fields and their options, v2: Pipedrive API `/personFields`, `/organizationFields`, `/dealFields`."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox import checks
from flitstack_pipedrive.sandbox.answers import Answer, data_v2, not_found, page_v2, plan_cap, refused_v2, to_json
from flitstack_pipedrive.sandbox.customs import TYPES
from flitstack_pipedrive.sandbox.paging import LARGEST_PAGE, page_limit, refuse_unknown
from flitstack_pipedrive.sandbox.resources.native_fields import FIRST_CUSTOM_OPTION, field_doc, native_fields
from flitstack_pipedrive.sandbox.shapes import no_such_parameter, not_a

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call, Handler
    from flitstack_pipedrive.sandbox.state import Row

MOST_OPTIONS = 10_000
LONGEST_LABEL = 255
_SETTINGS = ("ui_visibility", "important_fields", "required_fields")
_DEFAULTS: dict[str, Doc] = {
    "ui_visibility": {"add_visible_flag": True, "details_visible_flag": True},
    "important_fields": {"enabled": False, "stage_ids": []},
    "required_fields": {"enabled": False},
}


def _settings(value: Any, account: object) -> str | None:
    return None if isinstance(value, dict) else not_a("object")


def _any_options(value: Any, account: object) -> str | None:
    return None


def _checks_for(entity: str) -> dict[str, checks.Check]:
    table: dict[str, checks.Check] = {"field_name": checks.title, **dict.fromkeys(_SETTINGS, _settings)}
    if entity == "deal":
        table["description"] = checks.nullable(checks.string)
    return table


def list_fields(entity: str) -> Handler:
    """Return the handler of a page of fields, built-in ones first."""

    def handler(call: Call) -> Answer:
        refuse_unknown(call, {"limit", "cursor", "include_fields"})
        docs = [*native_fields(entity), *call.store.docs("field", [("entity = ? AND deleted = 0", (entity,))])]
        start, limit = _start(call), page_limit(call, LARGEST_PAGE)
        cursor = base64.urlsafe_b64encode(str(start + limit).encode()).decode() if len(docs) > start + limit else None
        return page_v2([to_json(_shown(call, entity, doc)) for doc in docs[start : start + limit]], cursor)

    return handler


def get_field(entity: str) -> Handler:
    """Return the handler of one field."""

    def handler(call: Call) -> Answer:
        for doc in native_fields(entity):
            if doc["field_code"] == call.param:
                return data_v2(_shown(call, entity, doc))
        return data_v2(_shown(call, entity, _custom(call, entity).doc))

    return handler


def create_field(entity: str) -> Handler:
    """Return the handler that adds a custom field, within the plan's cap."""
    table = _checks_for(entity) | {"field_type": checks.one_of(*TYPES), "options": _any_options}

    def handler(call: Call) -> Answer:
        call.need_admin()
        body = call.fields()
        checks.validate(body, table, call.account, required=("field_name", "field_type"))
        options = _first_options(body)
        cap = call.account.plan.custom_fields
        if cap is not None and call.store.count("field", [("deleted = 0", ())]) >= cap:
            raise plan_cap(
                "Couldn't add the field. Custom fields limit reached.", "feature_capping_custom_fields_limit"
            )
        with call.store.transaction():
            number = call.store.new_id("field")
            code = call.account.key("field", entity, number)
            shown = None if options is None else _numbered(call, options)
            doc = field_doc(code, body["field_name"].strip(), body["field_type"], shown, custom=True)
            doc |= {name: {**default, **body.get(name, {})} for name, default in _DEFAULTS.items()}
            doc["description"] = body.get("description")
            row = call.account.new_row("field", {"id": None, **doc}, entity=entity)
            call.store.put("field", row)
        call.account.schema_changed()
        return data_v2(_shown(call, entity, row.doc, settings=True))

    return handler


def update_field(entity: str) -> Handler:
    """Return the handler that renames a field or changes how it is shown; key and type stay."""

    def handler(call: Call) -> Answer:
        call.need_admin()
        row = _custom(call, entity)
        body = call.fields()
        checks.validate(body, _checks_for(entity), call.account)
        for name, value in body.items():
            row.doc[name] = {**row.doc[name], **value} if name in _SETTINGS else value
        _save(call, row)
        return data_v2(_shown(call, entity, row.doc, settings=True))

    return handler


def delete_field(entity: str) -> Handler:
    """Return the handler that marks a field deleted; its values go from every record."""

    def handler(call: Call) -> Answer:
        call.need_admin()
        row = _custom(call, entity)
        row.deleted = True
        _save(call, row)
        _rewrite(call, entity, row.doc["field_code"], gone=None)
        return data_v2(_shown(call, entity, row.doc))

    return handler


def add_options(entity: str) -> Handler:
    """Return the handler that adds options, all or none."""

    def handler(call: Call) -> Answer:
        row = _choice(call, entity)
        labels = _labels(call.body)
        if len(row.doc["options"]) + len(labels) > MOST_OPTIONS:
            raise refused_v2({"options": f"At most {MOST_OPTIONS} options are allowed"})
        with call.store.transaction():
            added = _numbered(call, labels)
            row.doc["options"] += added
            call.store.put("field", row)
        call.account.schema_changed()
        return _touched(added)

    return handler


def change_options(entity: str) -> Handler:
    """Return the handler that relabels options, all or none."""

    def handler(call: Call) -> Answer:
        row = _choice(call, entity)
        labels = _labels(call.body)
        ids = _option_ids(call.body, row, {"id", "label"})
        touched = []
        for number, label in zip(ids, labels, strict=True):
            option = next(o for o in row.doc["options"] if o["id"] == number)
            option["label"] = label
            touched.append(option)
        _save(call, row)
        return _touched(touched)

    return handler


def delete_options(entity: str) -> Handler:
    """Return the handler that deletes options, all or none; records lose them."""

    def handler(call: Call) -> Answer:
        row = _choice(call, entity)
        ids = set(_option_ids(call.body, row, {"id"}))
        gone = [option for option in row.doc["options"] if option["id"] in ids]
        row.doc["options"] = [option for option in row.doc["options"] if option["id"] not in ids]
        _save(call, row)
        _rewrite(call, entity, row.doc["field_code"], gone=ids)
        return _touched(gone)

    return handler


def _touched(options: list[Doc]) -> Answer:
    return Answer(to_json({"success": True, "data": options, "additional_data": None}).encode())


def _start(call: Call) -> int:
    if "cursor" not in call.query:
        return 0
    try:
        return int(base64.urlsafe_b64decode(call.query["cursor"]))
    except (binascii.Error, ValueError):
        raise refused_v2({"cursor": "The value is not a valid cursor"}) from None


def _shown(call: Call, entity: str, doc: Doc, *, settings: bool = False) -> Doc:
    """Return the field without its number, what is only shown on request, and what its object's fields do not have."""
    asked = call.query.get("include_fields", "").split(",")
    left_out = {"id"} | {name for name in _SETTINGS if not settings and name not in asked}
    if entity in ("product", "activity"):
        left_out |= {"important_fields", "required_fields"}
    if entity != "deal":
        left_out.add("description")
    defaults = {name: _DEFAULTS[name] for name in _SETTINGS if name in asked}
    return {name: value for name, value in {**defaults, **doc}.items() if name not in left_out}


def _custom(call: Call, entity: str) -> Row:
    row = call.store.find("field", [("entity = ? AND field_code = ? AND deleted = 0", (entity, call.param))])
    if row is None:
        raise not_found("The field is not found")
    return row


def _choice(call: Call, entity: str) -> Row:
    call.need_admin()
    row = _custom(call, entity)
    if row.doc["field_type"] not in ("enum", "set"):
        raise refused_v2({"field_code": "The field has no options"})
    return row


def _save(call: Call, row: Row) -> None:
    with call.store.transaction():
        call.store.put("field", row)
    call.account.schema_changed()


def _first_options(body: Doc) -> list[str] | None:
    """Return the labels a new field starts with; None for a type that has no options."""
    if body["field_type"] in ("enum", "set"):
        return _labels(body.get("options"))
    if "options" in body:
        raise refused_v2({"options": no_such_parameter("options")})
    return None


def _labels(items: Any) -> list[str]:
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise refused_v2({"options": not_a("array")})
    labels = [item.get("label") for item in items]
    if not all(isinstance(label, str) and 1 <= len(label.strip()) and len(label) <= LONGEST_LABEL for label in labels):
        raise refused_v2({"options": f"Each item needs a label of 1 to {LONGEST_LABEL} characters"})
    if len({label.strip() for label in labels}) < len(labels):
        raise refused_v2({"options": "A label is given twice"})
    if any(set(item) - {"id", "label", "color"} for item in items):
        raise refused_v2({"options": "An item has a key that is not allowed"})
    return [label.strip() for label in labels]


def _option_ids(items: Any, row: Row, keys: set[str]) -> list[int]:
    if not isinstance(items, list) or not items or not all(isinstance(i, dict) and set(i) == keys for i in items):
        raise refused_v2({"options": not_a("array")})
    known = {option["id"] for option in row.doc["options"]}
    ids = [item["id"] for item in items]
    if not all(type(number) is int and number in known for number in ids):
        raise refused_v2({"options": "The option does not exist"})
    return ids


def _numbered(call: Call, labels: list[str]) -> list[Doc]:
    """Return new options with ids that no option of the account ever had; inside a transaction."""
    first = int(call.store.meta("next_option") or FIRST_CUSTOM_OPTION)
    call.store.set_meta("next_option", str(first + len(labels)))
    return [{"id": first + place, "label": label} for place, label in enumerate(labels)]


def _rewrite(call: Call, entity: str, code: str, gone: set[int] | None) -> None:
    """Take a deleted field's value (`gone` None) or deleted options out of every record that has them."""
    with call.store.transaction():
        for (number,) in call.store.select(entity, "id", [("instr(doc, ?) > 0", (code,))]):
            row = call.store.find(entity, [("id = ?", (number,))])
            if row is not None:
                _take_out(row.doc["custom_fields"], code, gone)
                call.store.put(entity, row)
        if entity == "deal":
            for (number,) in call.store.select("lead", "id", [("instr(doc, ?) > 0", (code,))]):
                _take_out_of_lead(call, int(number), code, gone)


def _take_out(values: Doc, code: str, gone: set[int] | None) -> None:
    if gone is None:
        values.pop(code, None)
    elif isinstance(values.get(code), list):
        values[code] = [number for number in values[code] if number not in gone] or None
    elif values.get(code) in gone:
        values[code] = None


def _take_out_of_lead(call: Call, number: int, code: str, gone: set[int] | None) -> None:
    row = call.store.find("lead", [("id = ?", (number,))])
    if row is None:
        return
    if gone is None:
        row.doc = {key: value for key, value in row.doc.items() if not key.startswith(code)}
    elif isinstance(row.doc.get(code), str):
        row.doc[code] = ",".join(part for part in row.doc[code].split(",") if int(part) not in gone) or None
    call.store.put("lead", row)
