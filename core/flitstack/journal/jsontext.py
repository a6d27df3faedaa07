"""Canonical JSON text, written and read at the speed of a compiled library."""

from __future__ import annotations

import json
from typing import Any

import orjson

_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def dumps(value: Any) -> str:
    """Return canonical JSON: sorted keys, no white space; equal values give equal text.

    What the compiled library does not take (whole numbers beyond 64 bits, keys that are no text) has a space in front,
    by which `loads` knows it: read by that library, such a number would come back as another.
    """
    try:
        return orjson.dumps(value, option=_SORTED).decode()
    except TypeError:
        return " " + json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def loads(text: str) -> Any:
    """Return the value of a text that `dumps` wrote."""
    return json.loads(text) if text.startswith(" ") else orjson.loads(text)
