"""The official specifications as tables: every operation with its cost, and what its query and body may be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.amendments import COMMA_LISTS, JSON, amended
from flitstack_pipedrive.sandbox.answers import refused_v1, refused_v2
from flitstack_pipedrive.sandbox.shapes import REQUIRED, body_shape, no_such_parameter, query_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.sandbox.shapes import Body, Shape


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the specifications.

    :param call: as in the tables, `v2 POST /persons`.
    :param status: of a success.
    :param needed: query parameters that must be there.
    :param body: check of the JSON body; None when the operation takes none.
    :param form: check of a form's plain fields, which are all text; None when the operation takes no form.
    """

    call: str
    cost: int
    status: int
    query: Mapping[str, Shape]
    needed: tuple[str, ...]
    body: Body | None
    form: Body | None

    def check(self, query: Mapping[str, str], body: Any, form: Mapping[str, str] | None = None) -> None:
        """Raise the 400 of a request that the specification does not allow, with the reason against each key."""
        reasons: dict[str, str] = {}
        if query or self.needed:
            reasons = {name: REQUIRED for name in self.needed if name not in query}
            for name, text in query.items():
                one = self.query.get(name)
                reason = no_such_parameter(name) if one is None else one(text)
                if reason:
                    reasons[name] = reason
        if self.body is not None:
            reasons.update(self.body(body))
        elif self.form is not None and form is not None:
            reasons.update(self.form(form))
        if reasons:
            raise (refused_v2 if self.call.startswith("v2") else refused_v1)(reasons)


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
    query = table.get("query", {"properties": {}, "required": ()})
    content = table.get("body", {})
    return Operation(
        call,
        table["cost"],
        table["status"],
        {name: query_shape(one, commas=name in COMMA_LISTS) for name, one in query["properties"].items()},
        tuple(query["required"]),
        body_shape(content[JSON], lenient=call.startswith("v1")) if JSON in content else None,
        _form_shape(content) if content and JSON not in content else None,
    )


def _form_shape(content: Mapping[str, Any]) -> Body:
    """Return the check of a form without its file, which comes apart from the fields."""
    schema = next(iter(content.values()))
    fields = {name: one for name, one in schema["properties"].items() if one.get("format") != "binary"}
    required = [name for name in schema.get("required", ()) if name in fields]
    return body_shape({"properties": fields, "required": required}, lenient=True)
