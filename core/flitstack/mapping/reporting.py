"""What a spec asks of the final report: what needs upkeep, what people rebuild by hand, and what they sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.mapping.yamltext import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Records or fields that go stale in the destination unless somebody looks after them.

    :param fields: of the entry's records; () for the records themselves.
    """

    title: str
    why: str
    entry: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ByHand:
    """What the old system did and nobody can carry over as data.

    :param stream, field: whose distinct values are the inventory of it; "" where the source has none.
    """

    title: str
    why: str
    stream: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """Amounts that are summed up on both sides, for a person to compare with their own list and sign.

    :param stream, amount: where the source states them; `newest` is the field that says which of several counts.
    :param entry, field: where they stand in the destination.
    :param people: how many of its records are looked at one by one. :param credit: how many of them below zero.
    """

    title: str
    why: str
    stream: str
    amount: str
    entry: str
    field: str
    newest: str = ""
    people: int = 10
    credit: int = 2


@dataclass(frozen=True, slots=True)
class Reporting:
    """All of it."""

    upkeep: tuple[Upkeep, ...] = ()
    by_hand: tuple[ByHand, ...] = ()
    sign: tuple[Signed, ...] = ()


def read_reporting(data: Mapping[str, Any] | None) -> Reporting:
    """Return the part `report` of a spec that fits its schema."""
    data = data or {}
    return Reporting(
        tuple(
            Upkeep(one["title"], one["why"], one["entry"], tuple(one.get("fields") or ()))
            for one in data.get("upkeep") or ()
        ),
        tuple(ByHand(**one) for one in data.get("by_hand") or ()),
        tuple(Signed(**one) for one in data.get("sign") or ()),
    )


def outline(text: str) -> tuple[Reporting, dict[str, str], str]:
    """Return, of a spec that was loaded before, what it asks of the report, entry to object, and its overflow field.

    Nothing is compiled: a report needs neither schemas nor transforms.
    """
    data = read_yaml(text, "mapping spec").data
    objects = {str(entry["entry"]): str(entry["object"]) for entry in data.get("entries") or ()}
    return read_reporting(data.get("report")), objects, str(data.get("overflow") or "")
