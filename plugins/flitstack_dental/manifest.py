"""Reads when an export was made from its manifest, a small CSV or JSON file, if it has one."""

from __future__ import annotations

import csv
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack_dental.dates import DateRules, datetime_parser
from flitstack_dental.dialect import normalise
from flitstack_dental.encoding import ERRORS
from flitstack_dental.values import BadCell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack_dental.container import Container
    from flitstack_dental.recognise import DataFile

KEYS = ("asof", "exportedat", "exportdate", "exportedon", "snapshotdate")
_MOST = 1 << 20


def read_manifest(container: Container, stem: str, files: Sequence[DataFile]) -> str | None:
    """Return the manifest's day or time in ISO form, None when there is no manifest or it does not say.

    A CSV manifest has the keys as its header, or one key and value per line; a JSON one is an object.

    :raises UsageError: it states a day that cannot be read.
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
        if stated:
            return _iso(stated, name)
    return None


def _json(text: str) -> str | None:
    try:
        raw: Any = json.loads(text)
    except ValueError:
        return None
    return _pick(raw) if isinstance(raw, dict) else None


def _csv(text: str, delimiter: str) -> str | None:
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]
    by_header = dict(zip(rows[0], rows[1], strict=False)) if len(rows) > 1 else {}
    return _pick({row[0]: row[1] for row in rows if len(row) > 1}) or _pick(by_header)


def _pick(raw: dict[Any, Any]) -> str | None:
    named = {normalise(str(key)): value for key, value in raw.items()}
    return next((str(named[key]) for key in KEYS if named.get(key)), None)


def _iso(text: str, name: str) -> str:
    try:
        found = datetime_parser(DateRules("as_of"))(text)
    except BadCell as exc:
        raise UsageError(f"{name}: as_of is no date. Write it as YYYY-MM-DD, or use --set source.as_of.") from exc
    if found is None:
        raise UsageError(f"{name}: as_of is empty. Write it as YYYY-MM-DD, or use --set source.as_of.")
    return found[:10] if len(text.strip()) <= 10 else found
