"""Products, v2: Pipedrive API `/products`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox import checks
from flitstack_pipedrive.sandbox.extras import view
from flitstack_pipedrive.sandbox.paging import STANDARD_SORTS, by_ids, list_v2, updated
from flitstack_pipedrive.sandbox.resources.entities import (
    create,
    custom_object,
    delete,
    get_entity,
    save,
    take_customs,
)
from flitstack_pipedrive.sandbox.shapes import not_a

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.sandbox.answers import Answer, Doc
    from flitstack_pipedrive.sandbox.call import Call

_PRICE = frozenset({"price", "currency", "cost", "direct_cost", "notes"})
FREQUENCIES = ("one-time", "annually", "semi-annually", "quarterly", "monthly", "weekly")


def _prices(value: Any, account: Any) -> str | None:
    """Check a product's prices: one object per currency, an amount each."""
    if not isinstance(value, list):
        return not_a("array")
    for item in value:
        if not isinstance(item, dict) or set(item) - _PRICE:
            return not_a("object")
        if not checks.is_number(item.get("price")) or not checks.is_currency(item.get("currency")):
            return "A price needs a 'price' and a known 'currency'"
        if not all(item.get(key) is None or checks.is_number(item[key]) for key in ("cost", "direct_cost")):
            return not_a("number")
        if not isinstance(item.get("notes", ""), str):
            return not_a("string")
    currencies = [item["currency"] for item in value]
    return None if len(set(currencies)) == len(currencies) else "A currency is given twice"


def _visibility(value: Any, account: Any) -> str | None:
    return checks.visibility(value, account)


def cycles(value: Any, account: Any) -> str | None:
    """Check how often a price recurs: 1 to 208 times, or without end."""
    return None if value is None or (type(value) is int and 1 <= value <= 208) else "The value is not allowed"


def category(value: Any, account: Any) -> str | None:
    """Refuse every category: the account has none to choose from."""
    return "The option does not exist"


_CHECKS: Mapping[str, checks.Check] = {
    "name": checks.title,
    "code": checks.text(255),
    "description": checks.text(65_535),
    "unit": checks.text(255),
    "tax": checks.number,
    "category": category,
    "owner_id": checks.owner,
    "is_linkable": checks.boolean,
    "visible_to": _visibility,
    "prices": _prices,
    "billing_frequency": checks.one_of(*FREQUENCIES),
    "billing_frequency_cycles": cycles,
    "custom_fields": custom_object,
}


def list_products(call: Call) -> Answer:
    """Return a page of products."""
    call.no_filter_id()
    return list_v2(
        call,
        "product",
        ("owner_id",),
        extra={"ids": by_ids, "updated_since": updated("updated_since", ">=")},
        also=frozenset({"custom_fields"}),
        sorts=(*STANDARD_SORTS, "name"),
        shown=view(call, "product"),
    )


def get_product(call: Call) -> Answer:
    """Return one product."""
    return get_entity(call, "product")


def create_product(call: Call) -> Answer:
    """Create a product; 201."""
    body = call.fields()
    checks.validate(body, _CHECKS, call.account, required=("name",))
    doc: Doc = {
        "name": "",
        "code": "",
        "description": "",
        "unit": "",
        "tax": 0,
        "category": None,
        "is_linkable": True,
        "is_deleted": False,
        "visible_to": max(call.account.plan.visibilities),
        "owner_id": call.user.id,
        "add_time": None,
        "update_time": None,
        "billing_frequency": "one-time",
        "billing_frequency_cycles": None,
        "prices": [{"price": 0, "currency": call.account.currency}],
        "custom_fields": {},
    }
    _take(call, doc, body, call.store.next_id("product"))
    return create(call, "product", doc, status=201)


def update_product(call: Call) -> Answer:
    """Change a product."""
    row = call.live_row("product", call.number())
    body = call.fields()
    checks.validate(body, _CHECKS, call.account)
    _take(call, row.doc, body, row.id)
    return save(call, "product", row)


def delete_product(call: Call) -> Answer:
    """Delete a product, which only admins may; deals keep what they have of it."""
    call.need_admin()
    return delete(call, "product")


def _take(call: Call, doc: Doc, body: Mapping[str, Any], number: int) -> None:
    for key in ("code", "description", "unit", "tax", "owner_id", "is_linkable", "visible_to", "prices",
                "billing_frequency", "billing_frequency_cycles"):  # fmt: skip
        if key in body:
            doc[key] = body[key]
    if "name" in body:
        doc["name"] = body["name"].strip()
    doc["prices"] = [_price(item, number) for item in doc["prices"]]
    take_customs(call, "product", doc, body)


def _price(item: Mapping[str, Any], product: int) -> Doc:
    return {
        "product_id": product,
        "price": item["price"],
        "currency": item["currency"],
        "cost": item.get("cost") or 0,
        "direct_cost": item.get("direct_cost"),
        "notes": item.get("notes", ""),
    }
