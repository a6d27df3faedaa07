"""Products, and products on deals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

PRODUCTS = "/api/v2/products"


@pytest.fixture
def product(admin: httpx.Client) -> int:
    prices = [{"price": 950, "currency": "USD"}]
    number: int = admin.post(PRODUCTS, json={"name": "Crown", "prices": prices}).json()["data"]["id"]
    return number


@pytest.fixture
def deal(admin: httpx.Client) -> int:
    number: int = admin.post("/api/v2/deals", json={"title": "Robin's crown"}).json()["data"]["id"]
    return number


def put_on(client: httpx.Client, deal: int, product: int, **more: Any) -> dict[str, Any]:
    body = {"product_id": product, "item_price": 100, "quantity": 2, **more}
    made: dict[str, Any] = client.post(f"/api/v2/deals/{deal}/products", json=body).json()["data"]
    return made


def test_a_product_is_kept_with_its_prices_changed_and_deleted(admin: httpx.Client, product: int) -> None:
    admin.patch(f"{PRODUCTS}/{product}", json={"code": "D2740"})

    kept = admin.get(f"{PRODUCTS}/{product}").json()["data"]
    admin.delete(f"{PRODUCTS}/{product}")

    assert (kept["name"], kept["code"], kept["visible_to"]) == ("Crown", "D2740", 7)
    assert kept["prices"] == [
        {"product_id": product, "price": 950, "currency": "USD", "cost": 0, "direct_cost": None, "notes": ""}
    ]
    assert admin.get(PRODUCTS).json()["data"] == []
    assert admin.get(f"{PRODUCTS}/{product}").json()["data"]["is_deleted"] is True


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "A", "tax": "5"},
        {"name": "A", "visible_to": 2},
        {"name": "A", "category": 1},
        {"name": "A", "prices": [{"price": 1, "currency": "XXX"}]},
        {"name": "A", "prices": [{"price": 1, "currency": "USD"}, {"price": 2, "currency": "USD"}]},
        {"name": "A", "billing_frequency": "hourly"},
        {"name": "A", "billing_frequency_cycles": 209},
        {"name": "A", "owner_id": 3},
    ],
)
def test_a_product_that_is_not_as_documented_is_refused(admin: httpx.Client, body: dict[str, Any]) -> None:
    assert admin.post(PRODUCTS, json=body).status_code == 400


def test_products_have_custom_fields_of_their_own(admin: httpx.Client) -> None:
    code = admin.post("/api/v2/productFields", json={"field_name": "Shade", "field_type": "varchar"}).json()["data"]
    body = {"name": "Crown", "custom_fields": {code["field_code"]: "A2"}}

    made = admin.post(PRODUCTS, json=body).json()["data"]

    assert made["custom_fields"] == {code["field_code"]: "A2"}
    assert "required_fields" not in code


def test_a_product_on_a_deal_has_its_name_and_its_sum(admin: httpx.Client, product: int, deal: int) -> None:
    plain = put_on(admin, deal, product)
    less = put_on(admin, deal, product, discount=10)
    taxed = put_on(admin, deal, product, discount=20, discount_type="amount", tax=10, tax_method="exclusive")

    assert [one["sum"] for one in (plain, less, taxed)] == [200, 180, 198]
    assert (plain["name"], plain["currency"], plain["order_nr"], less["order_nr"]) == ("Crown", "USD", 10, 20)


def test_many_products_are_put_on_a_deal_all_or_none(admin: httpx.Client, product: int, deal: int) -> None:
    item = {"product_id": product, "item_price": 5, "quantity": 1}
    bulk = f"/api/v2/deals/{deal}/products/bulk"

    refused = admin.post(bulk, json={"data": [item, {**item, "product_id": 99}]})
    too_many = admin.post(bulk, json={"data": [item] * 101})
    made = admin.post(bulk, json={"data": [item] * 100})

    assert (refused.status_code, too_many.status_code, made.status_code) == (400, 400, 201)
    assert len(admin.get(f"/api/v2/deals/{deal}/products?limit=500").json()["data"]) == 100


def test_products_come_off_a_deal_one_by_one_or_together(admin: httpx.Client, product: int, deal: int) -> None:
    first, second, third = (put_on(admin, deal, product)["id"] for _ in range(3))
    path = f"/api/v2/deals/{deal}/products"

    assert admin.delete(f"{path}/{first}").json()["data"] == {"id": first}
    assert admin.delete(f"{path}/{first}").status_code == 404
    assert admin.delete(f"{path}?ids={second}").json()["data"] == {"ids": [second]}
    assert admin.get(path).json()["data"][0]["id"] == third
    assert admin.delete(path).json()["additional_data"] == {"more_items_in_collection": False}
    assert admin.get(path).json()["data"] == []


def test_products_of_several_deals_are_listed_as_far_as_the_deals_are_visible(
    admin: httpx.Client, staff: httpx.Client, product: int, deal: int
) -> None:
    private = admin.post("/api/v2/deals", json={"title": "A", "visible_to": 1}).json()["data"]["id"]
    shared = put_on(admin, deal, product)["id"]
    hidden = put_on(admin, private, product)["id"]
    path = f"/api/v2/deals/products?deal_ids={deal},{private}"

    assert [one["id"] for one in admin.get(path).json()["data"]] == [shared, hidden]
    assert [one["id"] for one in staff.get(path).json()["data"]] == [shared]
    assert admin.get("/api/v2/deals/products").status_code == 400


def test_a_product_belongs_to_the_deal_in_its_path(admin: httpx.Client, product: int, deal: int) -> None:
    other = admin.post("/api/v2/deals", json={"title": "Other"}).json()["data"]["id"]
    number = put_on(admin, deal, product)["id"]

    answer = admin.patch(f"/api/v2/deals/{other}/products/{number}", json={"quantity": 9})

    assert answer.status_code == 404
    assert admin.patch(f"/api/v2/deals/{deal}/products/{number}", json={"quantity": 9}).json()["data"]["sum"] == 900
