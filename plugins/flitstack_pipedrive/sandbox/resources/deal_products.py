"""Products on a deal, v2: Pipedrive API `/deals/{id}/products` and `/deals/products`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox import checks
from flitstack_pipedrive.sandbox.answers import Answer, Doc, data_v2, not_found, refused_v2
from flitstack_pipedrive.sandbox.paging import STANDARD_SORTS, by_ids, list_v2
from flitstack_pipedrive.sandbox.resources.products import FREQUENCIES, cycles
from flitstack_pipedrive.sandbox.shapes import not_a

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.sandbox.call import Call
    from flitstack_pipedrive.sandbox.state import Row, Where

MOST_AT_ONCE = 100
_ORDER_STEP = 10


def _positive(value: Any, account: Any) -> str | None:
    return None if checks.is_number(value) and value >= 0 else not_a("number")


_CHECKS: Mapping[str, checks.Check] = {
    "product_id": checks.reference("product"),
    "item_price": checks.number,
    "quantity": _positive,
    "tax": _positive,
    "comments": checks.text(65_535),
    "discount": _positive,
    "discount_type": checks.one_of("percentage", "amount"),
    "tax_method": checks.one_of("exclusive", "inclusive", "none"),
    "is_enabled": checks.boolean,
    "product_variation_id": checks.nullable(lambda value, account: "The record does not exist"),
    "billing_frequency": checks.one_of(*FREQUENCIES),
    "billing_frequency_cycles": cycles,
    "billing_start_date": checks.nullable(checks.day),
}
_REQUIRED = ("product_id", "item_price", "quantity")


def list_products_of_deal(call: Call) -> Answer:
    """Return a page of the products on one deal."""
    deal = call.row("deal", call.number()).id
    wheres: list[Where] = [("deleted = 0 AND deal_id = ?", (deal,))]
    return list_v2(call, "deal_product", wheres=wheres, sorts=(*STANDARD_SORTS, "order_nr"))


def list_products_of_deals(call: Call) -> Answer:
    """Return a page of the products on several deals, those that the user may see."""
    _, deals = by_ids(call.query["deal_ids"])
    marks = ",".join("?" * len(deals))
    visible = "".join(f" AND ({sql})" for sql, _ in call.visible("deal"))
    values = (*deals, *(value for _, more in call.visible("deal") for value in more))
    where = (f"deal_id IN (SELECT id FROM deal WHERE id IN ({marks}){visible})", values)  # noqa: S608 - names are ours
    sorts = (*STANDARD_SORTS, "deal_id", "order_nr")
    return list_v2(call, "deal_product", also=frozenset({"deal_ids"}), wheres=[("deleted = 0", ()), where], sorts=sorts)


def add_product(call: Call) -> Answer:
    """Put a product on a deal; 201."""
    return data_v2(_add(call, [call.fields()])[0], 201)


def add_products(call: Call) -> Answer:
    """Put up to 100 products on a deal, all or none; 201."""
    items = call.fields()["data"]
    if not items:
        raise refused_v2({"data": "The value is empty"})
    return data_v2(_add(call, items), 201)


def update_product_of_deal(call: Call) -> Answer:
    """Change a product on a deal."""
    row = _row(call)
    body = call.fields()
    checks.validate(body, _CHECKS, call.account)
    row.doc |= body
    _complete(call, row.doc)
    row.updated = row.doc["update_time"] = call.account.now()
    _put(call, [row])
    return data_v2(row.doc)


def delete_product_of_deal(call: Call) -> Answer:
    """Take a product off a deal."""
    row = _row(call)
    row.deleted = True
    _put(call, [row])
    return data_v2({"id": row.id})


def delete_products_of_deal(call: Call) -> Answer:
    """Take the products named by `ids`, or up to 100, off a deal."""
    deal = call.live_row("deal", call.number()).id
    wheres: list[Where] = [("deleted = 0 AND deal_id = ?", (deal,))]
    if "ids" in call.query:
        wheres.append(by_ids(call.query["ids"]))
    found = [int(number) for (number,) in call.store.select("deal_product", "id", wheres, limit=MOST_AT_ONCE + 1)]
    rows = [row for number in found[:MOST_AT_ONCE] if (row := call.store.find("deal_product", [("id = ?", (number,))]))]
    for row in rows:
        row.deleted = True
    _put(call, rows)
    more = {"more_items_in_collection": len(found) > MOST_AT_ONCE}
    return data_v2({"ids": [row.id for row in rows]}, additional_data=more)


def _add(call: Call, items: list[Mapping[str, Any]]) -> list[Doc]:
    """Return the new rows' records, kept."""
    deal = call.live_row("deal", call.number())
    for item in items:
        checks.validate(item, _CHECKS, call.account, required=_REQUIRED)
    order = call.store.count("deal_product", [("deal_id = ?", (deal.id,))])
    rows = []
    for place, item in enumerate(items, order + 1):
        doc: Doc = {
            "sum": 0,
            "tax": 0,
            "deal_id": deal.id,
            "name": "",
            "product_id": None,
            "product_variation_id": None,
            "order_nr": place * _ORDER_STEP,
            "add_time": None,
            "update_time": None,
            "comments": "",
            "currency": deal.doc["currency"],
            "discount": 0,
            "discount_type": "percentage",
            "quantity": 1,
            "item_price": 0,
            "tax_method": "inclusive",
            "is_enabled": True,
            "billing_frequency": "one-time",
            "billing_frequency_cycles": None,
            "billing_start_date": None,
            **item,
        }
        row = call.account.new_row("deal_product", doc)
        row.doc["add_time"], row.doc["update_time"] = row.added, row.updated
        _complete(call, row.doc)
        rows.append(row)
    _put(call, rows)
    return [row.doc for row in rows]


def _complete(call: Call, doc: Doc) -> None:
    """Set the name, which is the product's, and the sum: the price times the quantity, less the discount, plus tax."""
    ((name,),) = call.store.select("product", "name", [("id = ?", (doc["product_id"],))])
    doc["name"] = name
    total = doc["item_price"] * doc["quantity"]
    total -= total * doc["discount"] / 100 if doc["discount_type"] == "percentage" else doc["discount"]
    if doc["tax_method"] == "exclusive":
        total += total * doc["tax"] / 100
    doc["sum"] = round(total, 2)


def _row(call: Call) -> Row:
    deal = call.live_row("deal", call.number()).id
    wanted: Where = ("id = ? AND deal_id = ? AND deleted = 0", (call.number(1), deal))
    row = call.store.find("deal_product", [wanted])
    if row is None:
        raise not_found()
    return row


def _put(call: Call, rows: list[Row]) -> None:
    with call.store.transaction():
        for row in rows:
            call.store.put("deal_product", row)
