"""The one door through which expressions reach into values: what may stand after a dot, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from flitstack.mapping.records import RecordView

TEXT_MEMBERS = frozenset({
    "capitalize", "casefold", "endswith", "isalpha", "isdigit", "lower", "lstrip", "removeprefix", "removesuffix",
    "rstrip", "split", "splitlines", "startswith", "strip", "title", "upper",
})  # fmt: skip
DATE_MEMBERS = frozenset({"year", "month", "day", "weekday", "isoformat"})
TIME_MEMBERS = frozenset({"hour", "minute", "second", "isoformat"})
MOMENT_MEMBERS = DATE_MEMBERS | TIME_MEMBERS | {"date", "time"}
MAPPING_MEMBERS = frozenset({"get", "items", "keys", "values"})

_MEMBERS: Mapping[type, frozenset[str]] = {
    str: TEXT_MEMBERS,
    datetime: MOMENT_MEMBERS,
    date: DATE_MEMBERS,
    time: TIME_MEMBERS,
}


def read_member(value: Any, name: str) -> Any:
    """Return what `name` is of `value`: a record's value, an item of a dict, or one of the few members allowed.

    Of None it is None: what hangs on a missing record is missing too.

    :raises AttributeError: there is no such name, or it is not for expressions.
    """
    if type(value) is RecordView:
        return value.read(name)
    if value is None:
        return None
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
        if name in MAPPING_MEMBERS:
            return getattr(value, name)
    elif name in _MEMBERS.get(type(value), ()):
        return getattr(value, name)
    raise AttributeError(name)


def read_path(value: Any, path: str) -> Any:
    """Return what a dotted path of names leads to (`provider.last_name`)."""
    for name in path.split("."):
        value = read_member(value, name)
    return value
