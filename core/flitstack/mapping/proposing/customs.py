"""Offers columns that no field takes as fields of their own: type, options and fill as the cells show them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from flitstack.mapping.proposing.profiles import profile
from flitstack.protocols import CustomField

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flitstack.mapping.proposing.account import AccountWords
    from flitstack.mapping.proposing.personal import Personal
    from flitstack.protocols import SampledColumn

_MOST_OPTIONS = 20
_RECURS = 3
_LEAST_SEEN = 10
_LONG = 120
_LIKE_A_PHONE = 9
_LOOKS_PERSONAL = re.compile(r"@|\d{4,}")


def infer_type(column: SampledColumn, personal: Personal | None = None) -> tuple[str, tuple[str, ...]]:
    """Return the type in words and, for `one of`, the options: only words that recur and may be shown.

    :param personal: the export's people, whose names and texts are no options; None where there are none.
    """
    found = profile(column)
    if not found.seen:
        return "text", ()
    if found.date > 0.95:
        return "date", ()
    cells = [cell.strip() for cell in column.values if cell.strip()]
    if found.flag == 1.0 and found.kinds <= 2:
        return "yes or no", ()
    if found.number > 0.98 and not any(map(_is_name, cells)):
        return "number", ()
    options = Counter(cells)
    recurring = all(n >= _RECURS for n in options.values())
    shown = personal is None or personal.may_be_shown(column)
    if len(cells) >= _LEAST_SEEN and len(options) <= _MOST_OPTIONS and recurring and shown:
        if not any(_LOOKS_PERSONAL.search(option) or len(option) > 40 for option in options):
            return "one of", tuple(sorted(options))
    return ("long text" if max(map(len, cells)) > _LONG else "text"), ()


def _is_name(cell: str) -> bool:
    """Say whether digits name something rather than count it: a leading zero, or as long as a telephone number."""
    return cell.isdigit() and ((cell.startswith("0") and len(cell) > 1) or len(cell) >= _LIKE_A_PHONE)


def custom_fields(
    columns: Iterable[tuple[str, SampledColumn]],
    room: int | None,
    account: AccountWords | None = None,
    personal: Personal | None = None,
) -> tuple[CustomField, ...]:
    """Return the fields on offer, the best filled first; empty columns are left out.

    :param columns: (file, column) of those that no field takes.
    :param room: how many custom fields the account's plan leaves; None when no cap is known.
    :param account: what the account has; None where it was not asked.
    :param personal: the export's people, whose names and texts are no options.
    """
    found: list[CustomField] = []
    for file, column in columns:
        if not column.values:
            continue
        type_, options = infer_type(column, personal)
        known = account.of(column) if account else ""
        found.append(CustomField(file, column.name, type_, round(column.fill, 3), options, account=known))
    found.sort(key=lambda each: -each.fill)
    return _against(found, room)


def _against(found: Sequence[CustomField], room: int | None) -> tuple[CustomField, ...]:
    if room is None:
        return tuple(found)
    return tuple(replace(each, fits=at < room) for at, each in enumerate(found))
