"""Registers a function for expressions: `initials(guest.name)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.hookspecs import hookimpl
from flitstack.protocols import Transform

if TYPE_CHECKING:
    from collections.abc import Callable


def initials(name: str | None) -> str | None:
    """Return the first letter of each word, in capitals; None for no name, so that a missing value stays missing."""
    return "".join(word[0].upper() for word in name.split()) if name else None


@hookimpl
def flit_register_transforms(register: Callable[[Transform], None]) -> None:
    """Register the function under the name that expressions use."""
    register(Transform("initials", initials))
