"""Registers a check over the staged whole: guests without a phone number are counted, and named by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.hookspecs import hookimpl
from flitstack.protocols import Finding, Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flitstack.protocols import StagedView


def check_phones(staged: StagedView) -> Iterator[Finding]:
    """Yield one finding for all guests whom nobody can call; it holds ids and counts, never a value."""
    silent = [guest.id for guest in staged.records("guests") if not guest.data["phone"]]
    if silent:
        message = "Guests without a phone number cannot be called."
        yield Finding("no_phone", message, "warning", "guests", len(silent), tuple(silent[:10]))


@hookimpl
def flit_register_validators(register: Callable[[Validator], None]) -> None:
    """Register the check, for the exports of one source."""
    register(Validator("guests-phones", "guests", check_phones))
