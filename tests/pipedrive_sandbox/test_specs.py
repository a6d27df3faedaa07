"""The sandbox against the official OpenAPI files; set FLITSTACK_SPECS to their folder to run these."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from flitstack_pipedrive.sandbox.app import Switches
from flitstack_pipedrive.sandbox.resources.activity_types import ICONS

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox

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


def body_keys(spec: dict[str, Any], method: str, path: str) -> set[str]:
    """Return the keys that an operation's JSON body may have."""
    content = resolved(spec, spec["paths"][path][method]["requestBody"])["content"]
    return schema_keys(spec, content["application/json"]["schema"])


def resolved(spec: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Return what a node refers to, or the node."""
    while "$ref" in node:
        target: Any = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def schema_keys(spec: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    schema = resolved(spec, schema)
    keys = set(schema.get("properties", {}))
    for part in (part for way in ("allOf", "oneOf", "anyOf") for part in schema.get(way, [])):
        keys |= schema_keys(spec, part)
    return keys


@pytest.mark.parametrize(
    ("version", "path", "verbs", "refused"),
    [
        ("v2", "/persons", ("post", "patch"), set()),
        ("v2", "/organizations", ("post", "patch"), set()),
        ("v2", "/deals", ("post", "patch"), set()),
        ("v2", "/activities", ("post", "patch"), set()),
        ("v2", "/pipelines", ("post", "patch"), set()),
        ("v2", "/stages", ("post", "patch"), set()),
        ("v2", "/personFields", ("post",), set()),
        ("v2", "/organizationFields", ("post",), set()),
        ("v2", "/dealFields", ("post",), set()),
        ("v1", "/leads", ("post",), set()),
        ("v1", "/notes", ("post", "put"), set()),
        ("v1", "/activityTypes", ("post", "put"), set()),
    ],
)
def test_every_documented_parameter_is_known_and_no_other(
    specs: dict[str, Any],
    open_sandbox: Callable[..., Sandbox],
    sign_in: Callable[..., httpx.Client],
    version: str,
    path: str,
    verbs: tuple[str, ...],
    refused: set[str],
) -> None:
    client = sign_in(open_sandbox(switches=Switches(contact_sync=True, organization_profile=True)))
    for first, name in (("persons", "name"), ("organizations", "name"), ("deals", "title"), ("activities", "subject")):
        client.post(f"/api/v2/{first}", json={name: "A"})
    client.post("/v1/notes", json={"content": "A", "person_id": 1})
    for verb in verbs:
        keys = body_keys(specs[version], verb, path if verb == "post" else f"{path}/{{id}}")
        # No parameter takes this value, so every known one is named with another reason.
        body = {key: {"no": ["such", "value"]} for key in [*keys, "add_thyme"]}
        answer = client.request(verb, f"/api/{version}{path}" + ("" if verb == "post" else "/1"), json=body)

        said = answer.json()["error"] + str(answer.json().get("error_info"))

        assert answer.status_code == 400
        assert {key for key in body if f"Parameter '{key}' is not allowed" in said} == {"add_thyme"} | refused
