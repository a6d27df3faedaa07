"""Reads what an export says of itself in its manifest, a small CSV or JSON file: its day, practice and time zone."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack_dental.dates import DateRules, datetime_parser
from flitstack_dental.dialect import normalise
from flitstack_dental.encoding import ERRORS
from flitstack_dental.values import BadCell, is_time_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack_dental.container import Container
    from flitstack_dental.recognise import DataFile

KEYS = ("asof", "exportedat", "exportdate", "exportedon", "snapshotdate")
_ZONES = ("timezone", "tz")
_NAMES = ("practice", "practicename")
_KNOWN = frozenset((*KEYS, *_ZONES, *_NAMES))
_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest states; "" for what it does not.

    :param file: its name in the export.
    :param as_of: the export's day or time, as written.
    :param time_zone: of the practice, by its IANA name.
    :param bad_zone: it states a zone that is no such name.
    """

    file: str
    as_of: str = ""
    practice: str = ""
    time_zone: str = ""
    bad_zone: bool = False

    def day(self) -> str | None:
        """Return the export's day or time in ISO form, None when it is not stated.

        :raises UsageError: it cannot be read.
        """
        return _iso(self.as_of, self.file) if self.as_of else None


def read_manifest(container: Container, stem: str, files: Sequence[DataFile]) -> Manifest | None:
    """Return what the manifest states, None when there is none that states anything.

    A CSV manifest has the keys as its header, or one key and value per line; a JSON one is an object.
    """
    if not stem:
        return None
    for name in container.sizes:
        path = PurePosixPath(name)
        if normalise(path.stem) != stem:
            continue
        known = next((file for file in files if file.name == name), None)
        with container.open(name) as stream:
            text = stream.read(_MOST).decode(known.encoded.encoding if known else "utf-8-sig", ERRORS)
        stated = (
            _json(text) if path.suffix.lower() == ".json" else _csv(text, known.dialect.delimiter if known else ",")
        )
        if found := _manifest(stated, name):
            return found
    return None


def _manifest(stated: dict[str, str], name: str) -> Manifest | None:
    day, practice, zone = (_pick(stated, keys) for keys in (KEYS, _NAMES, _ZONES))
    if not (day or practice or zone):
        return None
    known = is_time_zone(zone)
    return Manifest(name, day, practice, zone if known else "", bool(zone) and not known)


def _json(text: str) -> dict[str, str]:
    try:
        raw: Any = json.loads(text)
    except ValueError:
        return {}
    return _named(raw) if isinstance(raw, dict) else {}


def _csv(text: str, delimiter: str) -> dict[str, str]:
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]
    by_header = _named(dict(zip(rows[0], rows[1], strict=False))) if len(rows) > 1 else {}
    if rows and all(normalise(cell) in _KNOWN for cell in rows[0][:2]):
        return by_header
    return by_header | _named({row[0]: row[1] for row in rows if len(row) > 1})


def _named(raw: dict[Any, Any]) -> dict[str, str]:
    return {normalise(str(key)): str(value).strip() for key, value in raw.items() if isinstance(value, str | int)}


def _pick(named: dict[str, str], keys: tuple[str, ...]) -> str:
    return next((named[key] for key in keys if named.get(key)), "")


def _iso(text: str, name: str) -> str:
    try:
        found = datetime_parser(DateRules("as_of"))(text)
    except BadCell as exc:
        raise UsageError(f"{name}: as_of is no date. Write it as YYYY-MM-DD, or use --set source.as_of.") from exc
    if found is None:
        raise UsageError(f"{name}: as_of is empty. Write it as YYYY-MM-DD, or use --set source.as_of.")
    return found[:10] if len(text.strip()) <= 10 else found
