"""The official response schemas, and where the sandbox knowingly differs from them."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    import httpx

ROOT = Path(__file__).resolve().parents[2]
SPECS = os.environ.get("FLITSTACK_SPECS")
NO_SPECS = "FLITSTACK_SPECS names no folder with openapi-v1.yaml and openapi-v2.yaml"
FORMATS = FormatChecker(("date", "uuid"))
_INDEX = re.compile(r"/\d+(?=/|$)")


def _waivers() -> dict[str, str]:
    items = json.loads((Path(__file__).parent / "waivers.json").read_text(encoding="utf-8"))
    return {f"{one['calls']} {place} {one['rule']}": one["why"] for one in items for place in one["places"]}


# Where the specifications contradict themselves, Pipedrive's guides or what is observed. Each is `call pointer rule`
# with `*` for anything, and may only go: a test fails when the sandbox no longer needs one.
WAIVERS: Mapping[str, str] = _waivers()


@cache
def tool(name: str) -> ModuleType:
    """Return a script of the tools folder as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def specification(version: str) -> Any:
    """Return one of the official files."""
    return tool("derive_contract").Specification(Path(str(SPECS)) / f"openapi-{version}.yaml")


@cache
def operations(version: str) -> Mapping[str, Any]:
    """Return the operations of a file, keyed as `POST /persons`."""
    found: Mapping[str, Any] = specification(version).operations()
    return found


@cache
def answer_schema(call: str, status: int) -> Any:
    """Return the schema of an answer's JSON body, or None when the specification has none."""
    version, _, line = call.partition(" ")
    spec = specification(version)
    stated = operations(version)[line]["responses"].get(str(status), {})
    content = spec.resolved(stated).get("content", {}).get("application/json", {})
    return spec.schema(content["schema"]) if "schema" in content else None


@cache
def answer_check(call: str, status: int) -> Draft202012Validator | None:
    """Return the validator of an answer's JSON body, or None when the specification has none."""
    schema = answer_schema(call, status)
    return None if schema is None else Draft202012Validator(schema, format_checker=FORMATS)


def faults(call: str, answer: httpx.Response) -> Iterator[str]:
    """Yield what an answer has against its official schema, as `call pointer rule`."""
    if answer.status_code >= 300:
        return
    if answer.status_code not in statuses(call):
        yield f"{call} / status {answer.status_code}"
    check = answer_check(call, answer.status_code)
    if check is None or not answer.headers["content-type"].startswith("application/json"):
        return
    body = answer.json()
    for error in check.iter_errors(body):
        pointer = "".join(f"/{part}" for part in error.absolute_path)
        null = " null" if error.instance is None else ""
        yield f"{call} {_INDEX.sub('/*', pointer) or '/'} {error.validator}{null}"
    known = named_elsewhere(call)
    for place in _undocumented(check.schema, body, ""):
        if place.rpartition("/")[2] not in known:
            yield f"{call} {place} undocumented"


@cache
def named_elsewhere(call: str) -> frozenset[str]:
    """Return the names that an operation's examples hold, or that `include_fields` asks for."""
    version, _, line = call.partition(" ")
    operation = operations(version)[line]
    names = set()
    for parameter in map(specification(version).resolved, operation["parameters"]):
        if parameter["name"] == "include_fields":
            names |= {part for words in parameter["schema"].get("enum", ()) for part in words.split(",")}
    for stated in operation["responses"].values():
        content = specification(version).resolved(stated).get("content", {}).get("application/json", {})
        examples = [content.get("example"), *(one.get("value") for one in content.get("examples", {}).values())]
        names |= {name for example in examples for name in _names(example)}
    return frozenset(names)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _names(member)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)


def statuses(call: str) -> list[int]:
    """Return the statuses of success."""
    version, _, line = call.partition(" ")
    return [int(status) for status in operations(version)[line]["responses"] if str(status).startswith("2")]


def _undocumented(schema: Any, value: Any, place: str) -> Iterator[str]:
    """Yield the pointers of members that the schema does not name, where it names any."""
    if isinstance(value, list):
        for item in value:
            yield from _undocumented(schema.get("items", {}), item, f"{place}/*")
    elif isinstance(value, dict) and "properties" in schema and "additionalProperties" not in schema:
        for name, member in value.items():
            if name in schema["properties"]:
                yield from _undocumented(schema["properties"][name], member, f"{place}/{name}")
            else:
                yield f"{place}/{name}"


def waiver(fault: str) -> str | None:
    """Return the waiver that a fault falls under, or None."""
    return next((pattern for pattern in WAIVERS if fnmatchcase(fault, pattern)), None)
