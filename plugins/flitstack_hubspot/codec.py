"""Between canonical fields and HubSpot's properties, which are all texts; and the form in which values compare.

Sources: HubSpot developer documentation, "Properties" (formats of values), "CRM API: clearing a value" (an empty text).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from flitstack.protocols import Stored
from flitstack.web.texts import visible_text
from flitstack_hubspot.objects import ATTACHMENTS, KEY, OWNER, SHAPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import JSON
    from flitstack_hubspot.objects import Directory, Shape

STAGE, PIPELINE = "dealstage", "pipeline"
PROPERTY_LINKS = {OWNER: "user", STAGE: "stage", ATTACHMENTS: "file"}  # to the object each leads to
NEVER_READ = frozenset({"path", "sha256"})
_DIGITS = re.compile(r"\d+")


def properties_of(
    shape: Shape, fields: Mapping[str, JSON], links: Mapping[str, str], directory: Directory
) -> dict[str, str]:
    """Return the properties of a write: an empty text clears one."""
    found = {name: _text(directory, shape.object, name, value) for name, value in fields.items()}
    found |= {name: id for name, id in links.items() if name in PROPERTY_LINKS}
    if found.get(STAGE):
        found[PIPELINE] = directory.pipeline_of.get(found[STAGE], "")
    return found


def _text(directory: Directory, object: str, name: str, value: JSON) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    options = directory.options.get((object, name), {})
    if isinstance(value, list):
        return ";".join(options.get(str(one), option_value(str(one))) for one in value)
    if directory.type_of(object, name) == "datetime":
        return written_time(str(value))
    return options.get(str(value), str(value))


def option_value(label: str) -> str:
    """Return the value of a new option: its label, less what separates several."""
    return label.replace(";", ",").strip()


def written_time(value: str) -> str:
    """Return a time as HubSpot takes it: UTC, milliseconds, `Z`."""
    found = read_time(value)
    return value if found is None else f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond // 1000:03d}Z"


def read_time(value: Any) -> datetime | None:
    """Return a time that HubSpot states as ISO 8601 or as milliseconds since 1970, in UTC; None when it is none."""
    text = str(value or "")
    try:
        if _DIGITS.fullmatch(text):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


UNASKED = ("hs_object_id", "hs_createdate", "hs_lastmodifieddate", "createdate", "lastmodifieddate")
"""Properties that some answers hold though nobody asked for them; nobody writes them either."""


def decode(shape: Shape, raw: Mapping[str, Any], links: Mapping[str, str], directory: Directory) -> Stored:
    """Return a record in canonical form.

    :param links: association links, as `links.read_links` found them.
    """
    given = {name: value for name, value in (raw.get("properties") or {}).items() if value not in (None, "")}
    found = {name: str(value) for name, value in given.items() if name in PROPERTY_LINKS}
    found |= _attached(found.get(ATTACHMENTS, ""))
    fields = {
        name: _value(directory, shape.object, name, str(value))
        for name, value in given.items()
        if name not in PROPERTY_LINKS and name not in (PIPELINE, *UNASKED)
    }
    return Stored(
        shape.object,
        str(raw["id"]),
        given.get(KEY),
        fields,
        {**links, **found},
        read_time(raw.get("createdAt")),
        read_time(raw.get("updatedAt")),
    )


def _attached(ids: str) -> dict[str, str]:
    """Return the files of a note as links: a mapping attaches one, the others are somebody's and come after it."""
    several = sorted((id for id in ids.split(";") if id), key=lambda id: (len(id), id))
    return {ATTACHMENTS + (f" {place}" if place > 1 else ""): id for place, id in enumerate(several, 1)}


def _value(directory: Directory, object: str, name: str, text: str) -> JSON:
    labels = {value: label for label, value in directory.options.get((object, name), {}).items()}
    kind = directory.type_of(object, name)
    if kind == "set":
        return [labels.get(one, one) for one in text.split(";") if one]
    if kind == "bool":
        return text == "true"
    return labels.get(text, text)


def comparable_fields(object: str, fields: Mapping[str, JSON], directory: Directory) -> dict[str, JSON]:
    """Return the fields in the form in which two of them mean the same exactly if they are equal.

    Nothing, an empty text and an empty list are None; what is never read back is left out.
    """
    shape = SHAPES.get(object)
    return {
        name: None if value in (None, "", []) else _comparable(shape, name, value, directory)
        for name, value in fields.items()
        if shape is not None or name not in NEVER_READ
    }


def _comparable(shape: Shape | None, name: str, value: Any, directory: Directory) -> JSON:
    if shape is None:
        return _lines(value) if isinstance(value, str) else value
    if name in shape.bodies:
        return visible_text(str(value))
    if name == "email":
        return str(value).strip().casefold()
    if isinstance(value, list):
        return sorted(" ".join(option_value(str(one)).split()) for one in value) or None
    match directory.type_of(shape.object, name):
        case "number":
            return _number(value)
        case "date":
            return _day(value)
        case "datetime":
            found = read_time(value)
            return str(value) if found is None else f"{found:%Y-%m-%dT%H:%M:%S}Z"
        case "bool":
            return str(value).casefold() == "true"
        case "enum":
            return " ".join(option_value(str(value)).split())
        case _:
            return _lines(str(value))


def _number(value: Any) -> JSON:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return format(found.normalize() if found else Decimal(0), "f")


def _day(value: Any) -> JSON:
    text = str(value)
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        found = read_time(text)
        return text if found is None else found.date().isoformat()


def _lines(value: str) -> JSON:
    """Return a text with composed characters and white space joined within its lines."""
    lines = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(" ".join(part.split()) for part in lines).strip("\n") or None
