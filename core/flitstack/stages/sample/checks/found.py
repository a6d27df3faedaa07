"""What a check finds, and what it needs to know beside the records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Any
    from zoneinfo import ZoneInfo

EXAMPLES = 5
FEWEST = 3
"""Fewer records than this make no pattern."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A field of which a whole column looks wrong.

    :param code: stable name of the check's finding. :param text: in words, without any record's value.
    :param keys: source keys of records that show it.
    """

    code: str
    entry: str
    field: str
    text: str
    count: int
    of: int
    keys: tuple[str, ...] = ()
    whole_export: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What the records of one entry stand in.

    :param entry: its name; `stream` its own, `is_main` whether that is the source's main one.
    :param lineage: field to the columns that its expression names.
    :param references: stream to its fields and the streams that these refer to.
    :param owners: source key of a person to the user who stands for them; `owner_streams` where such people are.
    :param fallback: the user who takes what nobody else does.
    :param user: the object of users. :param keys: fields that hold the source key.
    :param as_of: the export's own time. :param zone: of the business's clock; `shown` in which due times are kept.
    """

    entry: str
    stream: str
    is_main: bool
    lineage: Mapping[str, Sequence[str]]
    references: Mapping[str, Mapping[str, str]]
    owners: Mapping[str, str]
    owner_streams: frozenset[str]
    user: str
    keys: frozenset[str]
    as_of: datetime
    zone: ZoneInfo
    shown: ZoneInfo
    source_id: str = ""
    fallback: str | None = None


def common(values: Iterable[Any]) -> tuple[Any, int, int]:
    """Return the most frequent value, how often it occurs, and of how many; (None, 0, 0) of nothing."""
    counted = Counter(values)
    if not counted:
        return None, 0, 0
    value, count = counted.most_common(1)[0]
    return value, count, counted.total()
