"""The sandbox against the official OpenAPI files; set FLITSTACK_SPECS to their folder to run these."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from flitstack_pipedrive.sandbox.plans import COSTS
from flitstack_pipedrive.sandbox.resources.activity_types import ICONS

if TYPE_CHECKING:
    import httpx

SPECS = os.environ.get("FLITSTACK_SPECS")
pytestmark = pytest.mark.skipif(not SPECS, reason="FLITSTACK_SPECS names no folder with openapi-v1.yaml and -v2.yaml")
CONTACT_SYNC = {"notes", "im", "birthday", "job_title", "postal_address"}
PROFILE = {"website", "linkedin", "industry", "annual_revenue", "employee_count"}


@pytest.fixture(scope="module")
def specs() -> dict[str, Any]:
    folder = Path(str(SPECS))
    return {
        version: yaml.load((folder / f"openapi-{version}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        for version in ("v1", "v2")
    }


def test_every_cost_is_the_one_in_the_specs(specs: dict[str, Any]) -> None:
    official = {
        (version, method, path): specs[version]["paths"].get(path, {}).get(method.lower(), {}).get("x-token-cost")
        for version, method, path in COSTS
    }

    assert official == dict(COSTS)


def test_the_icons_are_the_official_ones(specs: dict[str, Any]) -> None:
    body = specs["v1"]["paths"]["/activityTypes"]["post"]["requestBody"]
    properties = body["content"]["application/json"]["schema"]["properties"]

    assert set(properties["icon_key"]["enum"]) == ICONS


def example(specs: dict[str, Any], version: str, method: str, path: str, status: str = "200") -> dict[str, Any]:
    """Return the record in the specs' example answer."""
    content = specs[version]["paths"][path][method]["responses"][status]["content"]["application/json"]
    data = content["example"]["data"]
    record: dict[str, Any] = data[0] if isinstance(data, list) else data
    return record


@pytest.mark.parametrize(
    ("path", "body", "not_shown"),
    [
        ("/persons", {"name": "A"}, CONTACT_SYNC),
        ("/organizations", {"name": "A"}, PROFILE | {"org_id"}),
        ("/deals", {"title": "A"}, set()),
        ("/activities", {"subject": "A"}, set()),
        ("/pipelines", {"name": "A"}, set()),
        ("/stages", {"name": "A", "pipeline_id": 1}, set()),
    ],
)
def test_v2_records_show_what_the_official_example_shows(
    specs: dict[str, Any], admin: httpx.Client, path: str, body: dict[str, Any], not_shown: set[str]
) -> None:
    made = admin.post(f"/api/v2{path}", json=body).json()["data"]

    assert set(example(specs, "v2", "post", path)) - not_shown <= set(made)


def test_v1_records_show_what_the_official_example_shows(
    specs: dict[str, Any], admin: httpx.Client, person: int
) -> None:
    lead = admin.post("/v1/leads", json={"title": "A", "person_id": person}).json()["data"]
    note = admin.post("/v1/notes", json={"content": "A", "person_id": person}).json()["data"]
    kind = admin.post("/v1/activityTypes", json={"name": "A", "icon_key": "bell"}).json()["data"]
    file = admin.post("/v1/files", files={"file": ("a", b"")}, data={"person_id": "1"}).json()["data"]
    me = admin.get("/v1/users/me").json()["data"]

    assert set(example(specs, "v1", "post", "/leads", "201")) <= set(lead)
    assert set(example(specs, "v1", "post", "/notes")) - {"project"} <= set(note)
    assert set(example(specs, "v1", "post", "/activityTypes")) <= set(kind)
    named = {"deal_name", "person_name", "lead_name", "project_name", "org_name", "product_name"}
    assert set(example(specs, "v1", "post", "/files")) - named <= set(file)
    assert set(example(specs, "v1", "get", "/users/me")) <= set(me)
