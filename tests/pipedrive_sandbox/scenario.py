"""One request at least for every operation that the sandbox offers, in an order in which each has what it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.customs import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox

CHOICES = ("enum", "set")
ADDRESS = {"value": "1 Example Street, Sampleton 12345", "locality": "Sampleton"}
_VALUES: dict[str, Any] = {
    **dict.fromkeys(("varchar", "varchar_auto", "text", "phone"), "Invented"),
    "double": 1.5,
    "monetary": {"value": 12.5, "currency": "USD"},
    "date": "2020-02-29",
    "daterange": {"value": "2020-01-01", "until": "2020-02-01"},
    "time": {"value": "09:30:00", "timezone_name": "Europe/London"},
    "timerange": {"value": "09:30:00", "until": "10:30:00", "timezone_name": "Europe/London"},
    "address": ADDRESS,
    **dict.fromkeys(("user", "org", "people"), 1),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that was made: the operation it is for, its answer, and what it cost in tokens."""

    call: str
    answer: httpx.Response
    cost: int


@dataclass(slots=True)
class Walk:
    """Makes requests of a sandbox and remembers them."""

    sandbox: Sandbox
    client: httpx.Client
    made: list[Asked] = field(default_factory=list)

    def __call__(self, call: str, *ids: Any, query: str = "", **more: Any) -> Any:
        """Make one request and return the answer's `data`.

        :param call: as in the specifications, `v2 GET /persons/{id}`; `ids` fill its braces in order.
        """
        version, method, path = call.split(" ")
        parts = iter(ids)
        filled = "/".join(str(next(parts)) if part.startswith("{") else part for part in path.split("/"))
        before = self.sandbox.tokens_used
        answer = self.client.request(method, f"/api/{version}{filled}{query}", **more)
        assert answer.status_code < 300, f"{call}: {answer.status_code} {answer.text}"
        self.made.append(Asked(call, answer, self.sandbox.tokens_used - before))
        if not answer.headers["content-type"].startswith("application/json"):
            return answer.content
        return answer.json()["data"]


def every_call(sandbox: Sandbox, client: httpx.Client) -> Iterator[Asked]:
    """Yield a good request at least for every offered operation, made on a new account without narrow limits."""
    walk = Walk(sandbox, client)
    for steps in (_settings, _fields, _people, _deals, _activities, _leads, _notes_and_files, _products, _searches,
                  _deletions):  # fmt: skip
        steps(walk)
        yield from walk.made
        walk.made.clear()


def _settings(walk: Walk) -> None:
    for path in ("users", "users/me", "currencies", "leadLabels", "leadSources", "webhooks", "activityTypes"):
        walk(f"v1 GET /{path}")
    walk("v1 GET /users/{id}", 1)
    walk("v1 GET /users/find", query="?term=al")
    kind = walk("v1 POST /activityTypes", json={"name": "Recall", "icon_key": "bell", "color": "FFAA00"})
    walk("v1 PUT /activityTypes/{id}", kind["id"], json={"name": "Recalls", "order_nr": 9})
    walk("v1 DELETE /activityTypes/{id}", kind["id"])
    pipeline = walk("v2 POST /pipelines", json={"name": "Plans", "is_deal_probability_enabled": True})["id"]
    walk("v2 PATCH /pipelines/{id}", pipeline, json={"name": "Treatments"})
    stage = walk("v2 POST /stages", json={"name": "Proposed", "pipeline_id": pipeline, "deal_probability": 50})["id"]
    walk("v2 PATCH /stages/{id}", stage, json={"is_deal_rot_enabled": True, "days_to_rotten": 30})
    for name, number in (("pipelines", pipeline), ("stages", stage)):
        walk(f"v2 GET /{name}", query="?limit=2&sort_by=update_time&sort_direction=desc")
        walk(f"v2 GET /{name}/{{id}}", number)
    walk("v2 DELETE /stages/{id}", stage)
    walk("v2 DELETE /pipelines/{id}", pipeline)
    walk("v2 GET /activityFields", query="?include_fields=ui_visibility")
    walk("v2 GET /activityFields/{field_code}", "subject")


def _fields(walk: Walk) -> None:
    for entity in ("person", "organization", "deal", "product"):
        path, one = f"/{entity}Fields", f"/{entity}Fields/{{field_code}}"
        for kind in TYPES:
            more = {"options": [{"label": "One"}, {"label": "Two"}]} if kind in CHOICES else {}
            code = walk(f"v2 POST {path}", json={"field_name": f"My {kind}", "field_type": kind, **more})["field_code"]
        code = walk(f"v2 POST {path}", json={"field_name": "Colour", "field_type": "set", "options": [{"label": "A"}]})
        code = code["field_code"]
        walk(f"v2 PATCH {one}", code, json={"field_name": "Color", "ui_visibility": {"add_visible_flag": False}})
        added = walk(f"v2 POST {one}/options", code, json=[{"label": "Red"}, {"label": "Blue"}])
        walk(f"v2 PATCH {one}/options", code, json=[{"id": added[0]["id"], "label": "Green"}])
        walk(f"v2 DELETE {one}/options", code, json=[{"id": added[1]["id"]}])
        walk(f"v2 GET {path}", query="?limit=100" + ("" if entity == "product" else "&include_fields=ui_visibility"))
        walk(f"v2 GET {one}", code)
        walk(f"v2 DELETE {one}", code)


def customs(client: httpx.Client, entity: str) -> dict[str, Any]:
    """Return a value for every custom field of an entity."""
    docs = client.get(f"/api/v2/{entity}Fields?limit=500").json()["data"]
    values: dict[str, Any] = {}
    for doc in docs:
        if doc["is_custom_field"]:
            options = [option["id"] for option in doc["options"] or ()]
            kind = doc["field_type"]
            values[doc["field_code"]] = options if kind == "set" else options[0] if kind == "enum" else _VALUES[kind]
    return values


def _people(walk: Walk) -> None:
    walk("v2 POST /organizations", json={"name": "Sample Lab"})
    walk("v2 POST /persons", json={"name": "Robin Example"})
    walk("v2 POST /persons", json={"name": "Mononym"})
    walk("v2 POST /persons", json={"last_name": "Mononym"})
    organization = walk(
        "v2 POST /organizations",
        json={"name": "Sample Dental Lab", "address": ADDRESS, "label_ids": [5], "owner_id": 1, "visible_to": 3,
              "add_time": "2020-01-02T03:04:05Z", "custom_fields": customs(walk.client, "organization")},
    )["id"]  # fmt: skip
    person = walk(
        "v2 POST /persons",
        json={"first_name": "Kim", "last_name": "Invented", "org_id": organization, "label_ids": [1],
              "emails": [{"value": "kim@sample.example", "label": "home", "primary": True}],
              "phones": [{"value": "555 0100"}], "add_time": "2020-01-02T03:04:05Z",
              "custom_fields": customs(walk.client, "person")},
    )["id"]  # fmt: skip
    walk("v2 PATCH /organizations/{id}", organization, json={"name": "Sample Lab Two"})
    walk("v2 PATCH /persons/{id}", person, json={"phones": [], "visible_to": 1})
    for name, number in (("persons", person), ("organizations", organization)):
        walk(f"v2 GET /{name}", query="?limit=1&include_fields=notes_count,next_activity_id,followers_count")
        walk(f"v2 GET /{name}", query="?include_option_labels=true&include_labels=true")
        walk(f"v2 GET /{name}/{{id}}", number)
        walk(f"v2 POST /{name}/{{id}}/followers", number, json={"user_id": 2})
        walk(f"v2 GET /{name}/{{id}}/followers", number)
        walk(f"v2 DELETE /{name}/{{id}}/followers/{{follower_id}}", number, 2)
        walk(f"v1 GET /{name}/{{id}}/permittedUsers", number)


def _deals(walk: Walk) -> None:
    walk("v2 POST /deals", json={"title": "Whitening"})
    deal = walk(
        "v2 POST /deals",
        json={"title": "Crown", "person_id": 1, "org_id": 1, "value": 950.5, "currency": "USD", "status": "won",
              "won_time": "2021-02-03T04:05:06Z", "label_ids": [9], "expected_close_date": "2021-03-01",
              "probability": 50, "custom_fields": customs(walk.client, "deal")},
    )["id"]  # fmt: skip
    lost = walk("v2 POST /deals", json={"title": "Bridge", "status": "lost", "lost_reason": "Moved away"})["id"]
    walk("v2 PATCH /deals/{id}", lost, json={"is_archived": True})
    walk("v2 GET /deals/{id}", deal)
    walk("v2 GET /deals", query="?limit=1&include_fields=products_count,smart_bcc_email")
    walk("v2 GET /deals/archived")
    walk("v2 POST /deals/{id}/followers", deal, json={"user_id": 2})
    walk("v2 GET /deals/{id}/followers", deal)
    walk("v2 DELETE /deals/{id}/followers/{follower_id}", deal, 2)
    walk("v1 GET /deals/{id}/permittedUsers", deal)


def _activities(walk: Walk) -> None:
    walk("v2 POST /activities", json={})
    activity = walk(
        "v2 POST /activities",
        json={"subject": "Check-up", "type": "meeting", "due_date": "2021-02-03", "due_time": "09:30",
              "duration": "00:45", "done": True, "deal_id": 1, "org_id": 1, "note": "<b>Seen</b>", "priority": 12,
              "location": ADDRESS, "participants": [{"person_id": 1, "primary": True}],
              "attendees": [{"email": "kim@sample.example", "name": "Kim"}], "public_description": "Visit"},
    )["id"]  # fmt: skip
    walk("v2 PATCH /activities/{id}", activity, json={"done": False, "busy": True})
    walk("v2 GET /activities/{id}", activity, query="?include_fields=attendees")
    walk("v2 GET /activities", query="?limit=1&sort_by=due_date")


def _leads(walk: Walk) -> None:
    label = walk("v1 GET /leadLabels")[0]["id"]
    lead = walk(
        "v1 POST /leads",
        json={"title": "Implant", "person_id": 1, "organization_id": 1, "label_ids": [label], "visible_to": "3",
              "value": {"amount": 12, "currency": "USD"}, "expected_close_date": "2021-02-03"},
    )["id"]  # fmt: skip
    walk("v1 PATCH /leads/{id}", lead, json={"title": "Implants", "was_seen": True})
    walk("v1 GET /leads/{id}", lead)
    walk("v1 GET /leads", query="?limit=1")
    walk("v1 GET /leads/{id}/permittedUsers", lead)
    walk("v1 PATCH /leads/{id}", lead, json={"is_archived": True})
    walk("v1 GET /leads/archived")


def _notes_and_files(walk: Walk) -> None:
    lead = walk("v1 POST /leads", json={"title": "Veneer", "person_id": 1})["id"]
    walk("v1 POST /notes", json={"content": "On a person", "person_id": 1})
    walk("v1 POST /notes", json={"content": "On a deal", "deal_id": 1})
    walk("v1 POST /files", files={"file": ("alone.txt", b"")})
    note = walk(
        "v1 POST /notes",
        json={"content": "<b>Robin called</b>", "person_id": 1, "org_id": 1, "deal_id": 1, "lead_id": lead,
              "user_id": 2, "add_time": "2020-01-02 03:04:05", "pinned_to_person_flag": 1},
    )["id"]  # fmt: skip
    walk("v1 PUT /notes/{id}", note, json={"content": "Robin called back"})
    walk("v1 GET /notes/{id}", note)
    walk("v1 GET /notes", query="?limit=1&person_id=1&sort=add_time DESC")
    links = {"person_id": "1", "org_id": "1", "deal_id": "1", "lead_id": lead, "activity_id": "1"}
    file = walk("v1 POST /files", files={"file": ("letter.txt", b"Invented.")}, data=links)["id"]
    walk("v1 PUT /files/{id}", file, data={"name": "letter two.txt", "description": "Invented"})
    walk("v1 GET /files/{id}", file)
    walk("v1 GET /files", query="?limit=1")
    for name in ("persons", "organizations", "deals"):
        walk(f"v1 GET /{name}/{{id}}/files", 1)
    walk("v1 GET /files/{id}/download", file)


def _products(walk: Walk) -> None:
    product = walk(
        "v2 POST /products",
        json={"name": "Crown", "code": "D2740", "description": "Porcelain", "unit": "tooth", "tax": 5,
              "prices": [{"price": 950, "currency": "USD", "cost": 200}], "visible_to": 3,
              "custom_fields": customs(walk.client, "product")},
    )["id"]  # fmt: skip
    bare = walk("v2 POST /products", json={"name": "Bridge"})["id"]
    walk("v2 PATCH /products/{id}", product, json={"tax": 7, "billing_frequency": "monthly"})
    walk("v2 GET /products/{id}", product)
    walk("v2 GET /products", query="?limit=1&sort_by=name")
    walk("v2 POST /products/{id}/followers", product, json={"user_id": 2})
    walk("v2 GET /products/{id}/followers", product)
    walk("v2 DELETE /products/{id}/followers/{follower_id}", product, 2)
    walk("v1 GET /products/{id}/permittedUsers", product)
    one = walk("v2 POST /deals/{id}/products", 1, json={"product_id": product, "item_price": 950, "quantity": 2})["id"]
    item = {"product_id": bare, "item_price": 10.5, "quantity": 1, "discount": 5, "discount_type": "amount"}
    walk("v2 POST /deals/{id}/products/bulk", 1, json={"data": [item, item, item]})
    walk("v2 PATCH /deals/{id}/products/{product_attachment_id}", 1, one, json={"quantity": 3, "comments": "Twice"})
    walk("v2 GET /deals/{id}/products", 1, query="?limit=1&sort_by=order_nr")
    walk("v2 GET /deals/products", query="?deal_ids=1,2")
    walk("v2 DELETE /deals/{id}/products/{product_attachment_id}", 1, one)
    walk("v2 DELETE /deals/{id}/products", 1)


def _searches(walk: Walk) -> None:
    for path, term in (("persons", "robin"), ("organizations", "sample"), ("deals", "crown"), ("leads", "veneer"),
                       ("products", "crown")):  # fmt: skip
        found = walk(f"v2 GET /{path}/search", query=f"?term={term}")
        assert found["items"], path
    walk("v1 GET /leads/search", query="?term=veneer")
    walk("v2 GET /itemSearch", query="?term=crown&limit=1")
    walk("v2 GET /itemSearch", query="?term=letter&item_types=file,deal")
    walk("v2 GET /itemSearch/field", query="?term=Robin&entity_type=person&field=name&match=beginning")
    recent = walk("v1 GET /recents", query="?since_timestamp=2000-01-01 00:00:00&limit=500")
    assert {one["item"] for one in recent} >= {"person", "deal", "note", "file", "activity", "stage", "product"}


def _deletions(walk: Walk) -> None:
    lead = walk("v1 GET /leads")[0]["id"]
    walk("v1 DELETE /leads/{id}", lead)
    for path in ("notes", "files"):
        walk(f"v1 DELETE /{path}/{{id}}", 1)
    for path in ("activities", "deals", "persons", "organizations", "products"):
        walk(f"v2 DELETE /{path}/{{id}}", 1)
