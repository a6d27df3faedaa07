"""What a template's header says of savings: policies that write less, and ratios for an estimate without an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.errors import MappingError
from flitstack.mapping.functions import plus_months
from flitstack.mapping.words import nearest

if TYPE_CHECKING:
    from datetime import date

_POLICY_KEYS = ("offer", "gives_up", "fixed", "entries")
_RATIO_KEYS = ("object", "each", "source", "with")
_MONTHS = "months_before_export"


@dataclass(frozen=True, slots=True)
class Policy:
    """A variable of which some values save writes.

    :param offer: those values, or `{months_before_export: N}` for the day N months before the export's own.
    :param gives_up: what is lost with it, in words.
    :param fixed: it cannot be changed after the first write; `entries` are those that it groups.
    """

    variable: str
    offer: tuple[Any, ...]
    gives_up: str
    fixed: bool = False
    entries: tuple[str, ...] = ()

    def offers(self, as_of: date) -> list[Any]:
        """Return the values that are offered for an export of that day."""
        return [_value(offer, as_of) for offer in self.offer]


def _value(offer: Any, as_of: date) -> Any:
    if not isinstance(offer, Mapping):
        return offer
    day = plus_months(as_of, -int(offer[_MONTHS]))
    return None if day is None else day.isoformat()[:10]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many records of an object come of one main record of the source.

    :param source: where the figure is from, in words.
    :param with_policy: what the figure is multiplied by where a policy is on, by its variable; others change nothing.
    """

    object: str
    each: float
    source: str
    with_policy: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ratios:
    """What a load of a known number of main records comes to.

    :param per: what one main record is, in words.
    :param given: values of variables that the figures hold for.
    :param schema: how many items of each schema object are created.
    """

    per: str
    given: Mapping[str, Any]
    schema: Mapping[str, int]
    rows: tuple[Ratio, ...]


def read_policies(header: Mapping[str, Any], file: str, line: int) -> dict[str, Policy]:
    """Return the header's policies, by variable.

    :raises MappingError: one is wrong; with file and line.
    """
    found: dict[str, Policy] = {}
    variables = (header.get("variables") or {}).get("properties", {})
    for name, given in (header.get("policies") or {}).items():
        if name not in variables:
            raise MappingError(f'{file} line {line}: policy "{name}" is no variable.{nearest(name, variables)}')
        if not isinstance(given, Mapping) or not set(given) <= set(_POLICY_KEYS) or not given.get("gives_up"):
            raise MappingError(f"{file} line {line}: policy {name}: write {{offer: [VALUE], gives_up: WORDS}}.")
        offer = given.get("offer")
        if not isinstance(offer, Sequence) or isinstance(offer, str) or not all(map(_is_offer, offer)) or not offer:
            raise MappingError(f"{file} line {line}: policy {name}: offer is a list of values, or of {{{_MONTHS}: N}}.")
        entries = tuple(map(str, given.get("entries") or ()))
        found[name] = Policy(name, tuple(offer), str(given["gives_up"]), bool(given.get("fixed")), entries)
    return found


def _is_offer(offer: Any) -> bool:
    return not isinstance(offer, Mapping) or (set(offer) == {_MONTHS} and isinstance(offer[_MONTHS], int))


def read_ratios(given: Any, file: str, line: int) -> Ratios | None:
    """Return the header's ratios, None when it states none.

    :raises MappingError: they are wrong; with file and line.
    """
    if given is None:
        return None
    rows = given.get("rows") if isinstance(given, Mapping) else None
    if not isinstance(rows, list) or not all(_is_ratio(row) for row in rows):
        raise MappingError(f"{file} line {line}: ratios: write {{per: WORDS, rows: [{{object, each, source}}]}}.")
    found = tuple(
        Ratio(str(row["object"]), float(row["each"]), str(row["source"]), dict(row.get("with") or {})) for row in rows
    )
    return Ratios(
        str(given.get("per", "record")), dict(given.get("given") or {}), dict(given.get("schema") or {}), found
    )


def _is_ratio(row: Any) -> bool:
    return (
        isinstance(row, Mapping)
        and set(row) <= set(_RATIO_KEYS)
        and {"object", "each", "source"} <= set(row)
        and isinstance(row["each"], int | float)
        and all(isinstance(value, int | float) for value in (row.get("with") or {}).values())
    )


def read_first_page(data: Any, file: str, line: int) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Return (title, entry, fields) of what the report of a sample shows first, as the header states it.

    :raises MappingError: it has another form.
    """
    try:
        return tuple((str(one["title"]), str(one["entry"]), tuple(map(str, one["fields"]))) for one in data or ())
    except (KeyError, TypeError) as exc:
        raise MappingError(f"{file} line {line}: first_page: a list of title, entry and fields each, please.") from exc
