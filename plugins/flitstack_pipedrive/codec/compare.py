"""The form in which two values mean the same exactly if they are equal: Pipedrive tidies what it stores.

It trims and joins white space, adds labels, returns sets in its own order, cleans HTML and adds seconds to times.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from flitstack.web.texts import visible_text
from flitstack_pipedrive.codec.shapes import SHAPES
from flitstack_pipedrive.codec.times import canonical_time, clock_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.protocols import JSON
    from flitstack_pipedrive.codec.fieldbook import CustomField, FieldBook

_NEVER_READ = frozenset({("file", "path"), ("file", "sha256")})
_GAP = re.compile(r" (?!\d)|(?<!\d)(?<!\d[.,]) ")
_CENT = Decimal("0.01")
_EXTENSION = re.compile(r"(?:;ext=|\bext(?:ension|\.)?|\bx|#)\s*\.?\s*(\d+)\s*$", re.IGNORECASE)


def comparable_fields(object: str, fields: Mapping[str, JSON], book: FieldBook) -> dict[str, JSON]:
    """Return the fields in comparable form; nothing, an empty text and an empty list are None.

    What no list shows (where a document came from, its checksum) is left out.
    """
    shape = SHAPES.get(object)
    custom = book.named(shape.entity) if shape and shape.entity else {}
    return {
        name: None if value in (None, "", []) else _rule(object, name, custom)(value)
        for name, value in fields.items()
        if (object, name) not in _NEVER_READ
    }


def _rule(object: str, name: str, custom: Mapping[str, CustomField]) -> Callable[[Any], JSON]:
    if (object, name) in _BY_NAME:
        return _BY_NAME[(object, name)]
    return _BY_TYPE.get(custom[name].type, _plain) if name in custom else _plain


def line(value: Any) -> JSON:
    """Return a one-line text: composed characters, white space joined."""
    return " ".join(unicodedata.normalize("NFC", str(value)).split()) or None


def text(value: Any) -> JSON:
    """Return a longer text: as `line`, but its line breaks stay."""
    lines = unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(" ".join(part.split()) for part in lines).strip("\n") or None


def money(value: Any) -> JSON:
    """Return an amount to the cent."""
    return _number(value, lambda number: format(number.quantize(_CENT, ROUND_HALF_UP), "f"))


def number(value: Any) -> JSON:
    """Return a number without trailing zeros."""
    return _number(value, lambda found: format(found.normalize() if found else Decimal(0), "f"))


def phones(value: Any) -> JSON:
    """Return telephone numbers as digits and extension, with label; which is primary shows, the order does not."""
    return _contacts(value, _digits)


def emails(value: Any) -> JSON:
    """Return e-mail addresses without regard to letter case; which is primary shows, the order does not."""
    return _contacts(value, lambda found: str(line(found)).casefold())


def _contacts(value: Any, normal: Callable[[str], str]) -> JSON:
    items = [item if isinstance(item, dict) else {"value": item} for item in value]
    items = [item for item in items if item.get("value")]
    chosen = next((place for place, item in enumerate(items) if item.get("primary")), 0)
    return (
        sorted(
            [normal(str(item["value"])), str(item.get("label") or "work").strip().casefold(), place == chosen]
            for place, item in enumerate(items)
        )
        or None
    )


def _digits(value: str) -> str:
    extension = _EXTENSION.search(value)
    main = value[: extension.start()] if extension else value
    digits = "".join(character for character in main if character.isdecimal())
    if not digits:
        return str(line(value))
    sign = "+" if main.strip().startswith("+") else ""
    return f"{sign}{digits}{f'x{extension.group(1)}' if extension else ''}"


def _number(value: Any, form: Callable[[Decimal], str]) -> JSON:
    try:
        return form(Decimal(str(value)))
    except InvalidOperation:
        return line(value)


def _money_pair(value: Any) -> JSON:
    if not isinstance(value, dict):
        return money(value)
    return {"value": money(value.get("value")), "currency": str(value.get("currency") or "").upper()}


def _labels(value: Any) -> JSON:
    return sorted(str(line(label)).casefold() for label in (value if isinstance(value, list) else [value]))


def _label(value: Any) -> JSON:
    return str(line(value)).casefold()


def _time(value: Any) -> JSON:
    return canonical_time(value) or line(value)


def _clock(value: Any) -> JSON:
    return clock_time(value)


def _seen(value: Any) -> JSON:
    """Return what is read of a note, without the gaps between words but where digits would run into one number.

    Which tags survive is documented nowhere, and a sanitiser that strips a paragraph may leave no gap in its place.
    """
    return _GAP.sub("", visible_text(str(value)) or "") or None


def _plain(value: Any) -> JSON:
    if isinstance(value, list):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in sorted(value.items())}
    return text(value) if isinstance(value, str) else value


_BY_NAME: Mapping[tuple[str, str], Callable[[Any], JSON]] = {
    ("person", "name"): line,
    ("person", "phones"): phones,
    ("person", "emails"): emails,
    ("person", "add_time"): _time,
    ("organization", "name"): line,
    ("organization", "address"): line,
    ("organization", "add_time"): _time,
    ("deal", "title"): line,
    ("deal", "value"): money,
    ("deal", "won_time"): _time,
    ("deal", "lost_time"): _time,
    ("activity", "subject"): line,
    ("activity", "due_time"): _clock,
    ("activity", "duration"): _clock,
    ("activity", "note"): _seen,
    ("lead", "title"): line,
    ("lead", "value"): money,
    ("note", "content"): _seen,
    ("note", "add_time"): _time,
    ("file", "name"): line,
}
_BY_TYPE: Mapping[str, Callable[[Any], JSON]] = {
    "varchar": line,
    "varchar_auto": line,
    "phone": line,
    "text": text,
    "address": line,
    "double": number,
    "monetary": _money_pair,
    "enum": _label,
    "set": _labels,
}
