"""Every request the writer makes is one that Pipedrive's official specifications describe."""

from __future__ import annotations

import asyncio
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from flitstack.protocols import Operation, WriterContext
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.destination import PipedriveWriter
from flitstack_pipedrive.sandbox.app import Sandbox
from flitstack_pipedrive.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.clock import VirtualClock

SPECS = os.environ.get("FLITSTACK_SPECS")
HASH = re.compile(r"[0-9a-f]{40}(_currency|_until)?")

pytestmark = pytest.mark.skipif(SPECS is None, reason="FLITSTACK_SPECS names the folder with Pipedrive's OpenAPI files")


@cache
def spec(version: str) -> dict[str, Any]:
    text = (Path(str(SPECS)) / f"openapi-v{version}.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe
    return loaded


def described(version: str, method: str, path: str) -> dict[str, Any]:
    """Return the specification's entry for a request; literal paths count before those with braces."""
    for template, operations in sorted(spec(version)["paths"].items(), key=lambda item: "{" in item[0]):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in operations:
            return dict(operations[method.lower()])
    raise AssertionError(f"{method} {path} is in no specification")


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in schema.get("allOf", []):
        found |= properties(part)
    return {**found, **schema.get("properties", {})}


def check(request: httpx.Request) -> None:
    """Assert that path, query and the body's keys are those the specification lists."""
    _, version, path = re.split(r"^/api/v(\d)", request.url.path)
    entry = described(version, request.method, path)
    assert set(request.url.params) <= {one["name"] for one in entry.get("parameters", []) if "name" in one}, path
    if request.headers.get("content-type") != "application/json":
        return
    body = json.loads(request.content)
    schema = entry["requestBody"]["content"]["application/json"]["schema"]
    if isinstance(body, dict):
        keys = {key for key in body if not (path.startswith("/leads") and HASH.fullmatch(key))}
        assert keys <= set(properties(schema)), path
        assert set(schema.get("required", [])) <= keys or request.method != "POST", path
    else:
        assert schema["type"] == "array"


def test_every_request_is_one_the_specifications_describe(
    clock: VirtualClock, operation: Callable[..., Operation]
) -> None:
    sandbox = Sandbox(plan="ultimate", clock=clock)
    inner = httpx.ASGITransport(app=sandbox.app)
    seen: set[str] = set()

    class Checking(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            check(request)
            seen.add(f"{request.method} {request.url.path}")
            return await inner.handle_async_request(request)

    given = {"api_token": str(sandbox.users[0]["token"]), "base_url": "http://localhost", "plan": "ultimate"}
    settings = parse_settings(given)

    def no_documents(path: str) -> Any:
        raise FileNotFoundError(path)

    context = WriterContext(clock, no_documents)
    writer = PipedriveWriter(Client(settings, clock, Checking()), settings, context.open_attachment)

    async def apply(verb: str, object: str, fields: dict[str, Any], **more: Any) -> str:
        (outcome,) = await writer.apply([operation(verb, object, fields, **more)])
        assert outcome.error is None, outcome.error
        return str(outcome.destination_id)

    began = clock.now()

    async def everything() -> None:
        await writer.account()
        await writer.users()
        for of in ("person", "organization", "deal"):
            await apply("create", "field", {"name": "Source_System_ID__c", "of": of, "type": "varchar"})
        kinds = await apply("create", "field", {"name": "Kinds", "of": "deal", "type": "set", "options": ["A"]})
        await apply("update", "field", {"name": "Kind", "options": ["A", "B"]}, destination_id=kinds)
        await apply("update", "field", {"remove_options": ["A"]}, destination_id=kinds)
        pipeline = await apply("create", "pipeline", {"name": "Plans", "of": ""})
        stage = await apply("create", "stage", {"name": "Proposed", "of": "Plans"})
        kind = await apply("create", "activity_type", {"name": "Hygiene", "of": ""})
        made = {"field": kinds, "pipeline": pipeline, "stage": stage, "activity_type": kind}
        made["organization"] = await apply("create", "organization", {"name": "O", "address": "A"})
        contact = [{"value": "5550100", "label": "work", "primary": True}]
        fields = {"name": "P", "phones": contact, "emails": [], "add_time": "2020-01-02T03:04:05Z"}
        made["person"] = await apply("create", "person", fields, links={"org_id": made["organization"]})
        on = {"person_id": made["person"]}
        deal = {"title": "D", "value": "1", "currency": "USD", "status": "won", "won_time": "2020-01-02T03:04:05Z"}
        made["deal"] = await apply("create", "deal", {**deal, "Kind": ["B"]}, links={**on, "stage_id": stage})
        made["lead"] = await apply("create", "lead", {"title": "L", "value": "1", "currency": "USD"}, links=on)
        activity = {"subject": "S", "due_date": "2020-01-02", "due_time": "09:00", "duration": "00:30", "done": True}
        made["activity"] = await apply("create", "activity", activity, links={**on, "type": kind})
        note = {"content": "N", "add_time": "2020-01-02T03:04:05Z"}
        made["note"] = await apply("create", "note", note, links={**on, "user_id": "1"})
        for object, name in (("organization", "name"), ("person", "name"), ("deal", "title"), ("lead", "title")):
            await apply("update", object, {name: "Changed"}, destination_id=made[object])
        await apply("update", "activity", {"note": "Changed"}, destination_id=made["activity"])
        await apply("update", "note", {"content": "Changed"}, destination_id=made["note"])
        for object, id in made.items():
            assert [stored async for stored in writer.list(object, since=began)]
            assert [stored async for stored in writer.list(object, parent=None)]
            assert await writer.get_many(object, [id, *(str(number) for number in range(500, 512))])
        assert [stored async for stored in writer.list("file")] == []
        assert [stored async for stored in writer.list("file", parent="person_id:1")] == []
        for object, id in reversed(made.items()):
            await apply("delete", object, {}, destination_id=id)

    asyncio.run(everything())
    sandbox.close()

    assert len(seen) > 50
