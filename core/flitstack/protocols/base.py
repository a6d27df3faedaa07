"""What every room shares: JSON values, source keys and links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import quote, unquote

JSON: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
Schema: TypeAlias = Mapping[str, Any]
Severity: TypeAlias = Literal["info", "warning", "error"]
Verb: TypeAlias = Literal["create", "update", "delete"]

SAFE = "/@+,=()!*'&;~$"


def split_source_key(key: str) -> tuple[str, str, str, str]:
    """Return source id, stream, id and part of a source key, decoded; the part is "" when there is none."""
    whole, _, part = key.partition("#")
    source_id, stream, record_id = (unquote(piece) for piece in whole.split(":", 2))
    return source_id, stream, record_id, unquote(part)


def source_key(source_id: str, stream: str, record_id: str, part: str = "") -> str:
    """Return `SOURCE_ID:stream:id[#part]`; `:`, `#`, `%` and white space inside an id are percent-encoded."""
    key = f"{quote(source_id, safe=SAFE)}:{quote(stream, safe=SAFE)}:{quote(record_id, safe=SAFE)}"
    return full_key(key, part)


def full_key(key: str, part: str) -> str:
    """Return a source key with its part, as the destination carries it."""
    return f"{key}#{quote(part, safe=SAFE)}" if part else key


@dataclass(frozen=True, slots=True)
class LinkRef:
    """What a field of a desired record points to.

    :param key: source key of the other record; `schema:` and a `SchemaItem.key` for a schema item; "" when the record
        names nothing, which is kept only for a link that is required or has a fallback.
    :param required: without it the desired record cannot be written.
    :param fallback: when nobody is found under the key, the fallback user takes its place.
    """

    object: str
    key: str
    part: str = ""
    required: bool = False
    fallback: bool = False
