"""Cells of a database as JSON values, by the kind of their column; what does not fit is refused, never guessed."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.protocols import JSON

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MIDNIGHT = "T00:00:00"


class UnfitError(Exception):
    """A cell does not hold what its column's type says."""


def json_value(kind: str, cell: Any) -> JSON:
    """Return a cell as a JSON value; bytes are not for here.

    :raises UnfitError: it is not of that kind.
    """
    if cell is None:
        return None
    if isinstance(cell, float) and not math.isfinite(cell):
        raise UnfitError
    return _AS[kind](cell)


def key_text(cells: tuple[Any, ...]) -> str | None:
    """Return the id of a row from the cells of its key, several joined by `/`; None when one is missing or no key."""
    texts: list[str] = []
    for cell in cells:
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        if not isinstance(cell, str | int) or cell == "":
            return None
        texts.append(str(cell))
    return texts[0] if len(texts) == 1 else "/".join(quote(text, safe="") for text in texts)


def _any(cell: Any) -> JSON:
    if isinstance(cell, bytes):
        raise UnfitError
    value: JSON = cell
    return value


def _text(cell: Any) -> JSON:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return str(cell)
    raise UnfitError


def _integer(cell: Any) -> JSON:
    if isinstance(cell, int):
        return cell
    raise UnfitError


def _number(cell: Any) -> JSON:
    if isinstance(cell, int | float):
        return cell
    raise UnfitError


def _boolean(cell: Any) -> JSON:
    if cell in (0, 1) and isinstance(cell, int):
        return bool(cell)
    raise UnfitError


def _decimal(cell: Any) -> JSON:
    """Return an amount as text; a float as the shortest text that names it, which is what was put in."""
    if isinstance(cell, bytes):
        raise UnfitError
    try:
        amount = Decimal(repr(cell) if isinstance(cell, float) else str(cell))
    except InvalidOperation as exc:
        raise UnfitError from exc
    if not amount.is_finite():
        raise UnfitError
    return format(amount, "f")


def _date(cell: Any) -> JSON:
    if not isinstance(cell, str):
        raise UnfitError
    text = cell[:10] if cell[10:] in (_MIDNIGHT, " 00:00:00", "T00:00:00.000000") else cell
    if not _DAY.fullmatch(text):
        raise UnfitError
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as exc:
        raise UnfitError from exc


def _moment(cell: Any) -> JSON:
    """Return a local time; one that states its zone is refused, as dropping the zone would move it."""
    if not isinstance(cell, str):
        raise UnfitError
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError as exc:
        raise UnfitError from exc
    if moment.tzinfo is not None:
        raise UnfitError
    return moment.isoformat()


_AS: Mapping[str, Callable[[Any], JSON]] = {
    "any": _any, "blob": _any, "text": _text, "integer": _integer, "number": _number, "boolean": _boolean,
    "decimal": _decimal, "date": _date, "moment": _moment,
}  # fmt: skip
