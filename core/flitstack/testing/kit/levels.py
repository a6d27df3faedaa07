"""The levels of the test-kit, and the mark by which each standard test says its id and its level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Level: TypeAlias = Literal["bronze", "silver", "gold"]
LEVELS: tuple[Level, ...] = ("bronze", "silver", "gold")
"""bronze: the contract. silver: also read back, resumed, within limits. gold: also every fault, undone, at random."""

Function = TypeVar("Function", bound="Callable[..., Any]")
_MARK = "flit_check"


@dataclass(frozen=True, slots=True)
class Check:
    """What a standard test is, for reports and for the documentation.

    :param id: stable, such as `W3`. :param title: the first line of its docstring.
    """

    id: str
    level: Level
    name: str
    title: str


def check(id_: str, level: Level) -> Callable[[Function], Function]:
    """Mark a method of a suite as a standard test; its docstring's first line says what it shows."""

    def mark(function: Function) -> Function:
        title = (function.__doc__ or "").strip().splitlines()[0]
        setattr(function, _MARK, Check(id_, level, function.__name__, title))
        return function

    return mark


def check_of(function: object) -> Check | None:
    """Return what a function was marked as, None for any other."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Check) else None


def is_within(level: Level, wanted: Level) -> bool:
    """Return whether tests of `level` belong to a run that goes as far as `wanted`."""
    return LEVELS.index(level) <= LEVELS.index(wanted)


def sort_key(id_: str) -> tuple[str, int]:
    """Return the order of ids in reports: by letter, then by number."""
    return id_[:1], int(id_[1:])
