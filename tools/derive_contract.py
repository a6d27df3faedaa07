"""Derive the sandbox's validation tables from the official OpenAPI files.

    python tools/derive_contract.py SPECS_FOLDER > plugins/flitstack_pipedrive/sandbox/contract.json

SPECS_FOLDER holds `openapi-v1.yaml` and `openapi-v2.yaml` as Pipedrive publishes them. The tables hold facts only:
names, types, enums, required, nullable, read-only, lengths, statuses and costs of every operation; no text.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, TypeAlias

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the files are big, and C is ten times as fast
METHODS = ("get", "post", "put", "patch", "delete")
Node: TypeAlias = dict[str, Any]

# What is a rule about a value and no text about it.
KEPT = (
    "enum",
    "format",
    "maxLength",
    "minLength",
    "maximum",
    "minimum",
    "maxItems",
    "minProperties",
    "uniqueItems",
    "readOnly",
)
WAYS = ("oneOf", "anyOf")


class Specification:
    """One OpenAPI file, and what its operations take, as JSON Schema."""

    def __init__(self, path: Path) -> None:
        """Read the file; takes seconds."""
        self.root: Node = yaml.load(path.read_text("utf-8"), Loader=LOADER)  # noqa: S506 - LOADER is a safe one

    def operations(self) -> dict[str, Node]:
        """Return every operation, keyed as `POST /persons`, with the parameters of its path among its own."""
        found = {}
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                    found[f"{method.upper()} {path}"] = {**item[method], "parameters": parameters}
        return found

    def resolved(self, node: Node) -> Node:
        """Return what a node refers to, or the node."""
        while "$ref" in node:
            target: Any = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def schema(self, node: Node) -> Node:
        """Return an OpenAPI 3.0 schema as JSON Schema: `allOf` merged, `nullable` a type, nothing but rules kept."""
        node = self.resolved(node)
        made: Node = {}
        for part in node.get("allOf", ()):
            _merge(made, self.schema(part))
        own = {key: node[key] for key in KEPT if key in node}
        if "properties" in node:
            own["properties"] = {name: self.schema(value) for name, value in node["properties"].items()}
        if node.get("required"):
            own["required"] = sorted(node["required"])
        if "items" in node:
            own["items"] = self.schema(node["items"])
        if isinstance(node.get("additionalProperties"), dict):
            own["additionalProperties"] = self.schema(node["additionalProperties"])
        for way in WAYS:
            if way in node:
                own[way] = [self.schema(part) for part in node[way]]
        if "type" in node:
            own["type"] = node["type"]
        _merge(made, own)
        return _nullable(made) if node.get("nullable") else made


def _merge(into: Node, more: Node) -> None:
    """Add the rules of a further part of an `allOf`."""
    for key, value in more.items():
        if key == "properties":
            into.setdefault("properties", {}).update(value)
        elif key == "required":
            into["required"] = sorted({*into.get("required", ()), *value})
        else:
            into[key] = value


def _nullable(schema: Node) -> Node:
    """Return the schema that also takes null."""
    if isinstance(schema.get("type"), str):
        schema = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema and None not in schema["enum"]:
        schema = {**schema, "enum": [*schema["enum"], None]}
    if any(way in schema for way in WAYS):
        way = next(way for way in WAYS if way in schema)
        schema = {**schema, way: [*schema[way], {"type": "null"}]}
    return schema


def derive(folder: Path) -> dict[str, Node]:
    """Return the tables, keyed as `v2 POST /persons`: `cost`, `status`, `query`, `body` by content type."""
    tables = {}
    for version in ("v1", "v2"):
        spec = Specification(folder / f"openapi-{version}.yaml")
        for call, operation in spec.operations().items():
            tables[f"{version} {call}"] = _table(spec, operation)
    return dict(sorted(tables.items()))


def _table(spec: Specification, operation: Node) -> Node:
    table: Node = {
        "cost": int(operation.get("x-token-cost", 0)),
        "status": min(int(status) for status in operation["responses"] if str(status).startswith("2")),
    }
    query = [one for one in map(spec.resolved, operation["parameters"]) if one["in"] == "query"]
    if query:
        table["query"] = {
            "properties": {one["name"]: spec.schema(one["schema"]) for one in query},
            "required": sorted(one["name"] for one in query if one.get("required")),
        }
    content = spec.resolved(operation.get("requestBody", {})).get("content", {})
    if content:
        table["body"] = {kind: spec.schema(body["schema"]) for kind, body in sorted(content.items())}
    return table


def rendered(tables: dict[str, Node]) -> str:
    """Return the tables as JSON, one operation a line, so that a change shows where it is."""
    lines = (f"{json.dumps(call)}: {json.dumps(table, sort_keys=True)}" for call, table in tables.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write(rendered(derive(Path(sys.argv[1]))))
