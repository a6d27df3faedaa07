"""Checks records against their stream's schema with a compiled validator; names the field at fault, never its value."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from flitstack_dental.layout import stream_schemas

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def validator(stream: str) -> jsonschema_rs.Draft202012Validator:
    """Return the compiled validator of a neutral stream."""
    return jsonschema_rs.Draft202012Validator(dict(stream_schemas()[stream]))


def fault(stream: str, data: Mapping[str, Any]) -> str:
    """Return the name of the first field at fault in a record that the validator refuses, "" for the whole."""
    missing = [name for name in stream_schemas()[stream]["required"] if data.get(name) is None]
    if missing:
        return str(missing[0])
    for error in validator(stream).iter_errors(dict(data)):
        if error.instance_path:
            return str(error.instance_path[0])
    return ""
