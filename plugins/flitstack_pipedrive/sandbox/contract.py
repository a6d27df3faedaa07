"""The official specifications as tables: every operation with its cost, and what its query and body may be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.amendments import amended
from flitstack_pipedrive.sandbox.shapes import any_shape, query_shape, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.sandbox.shapes import Shape

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the specifications.

    :param call: as in the tables, `v2 POST /persons`.
    :param status: of a success.
    :param query: check of each query parameter by name.
    :param needed: query parameters that must be there.
    :param body: check of the whole JSON body; None when the operation takes none.
    """

    call: str
    cost: int
    status: int
    query: Mapping[str, Shape]
    needed: tuple[str, ...]
    body: Shape | None


@cache
def tables() -> Mapping[str, Any]:
    """Return the derived tables with our amendments, keyed as `v2 POST /persons`.

    Made by `tools/derive_contract.py`; the amendments say where the specifications are known to differ from the API.
    """
    text = files("flitstack_pipedrive.sandbox").joinpath("contract.json").read_text("utf-8")
    return amended(json.loads(text))


@cache
def operation(call: str) -> Operation:
    """Return an operation, its checks ready to use.

    :raises KeyError: the specifications have no such operation.
    """
    table = tables()[call]
    version = call[:2]
    query = table.get("query", {"properties": {}, "required": ()})
    content = table.get("body", {})
    body = shape(content[JSON], lenient=version == "v1") if JSON in content else None
    return Operation(
        call,
        table["cost"],
        table["status"],
        {name: query_shape(schema) for name, schema in query["properties"].items()},
        tuple(query["required"]),
        body if body is not any_shape else None,
    )
