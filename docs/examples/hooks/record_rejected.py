"""Observes records that cannot move: keeps the place and the code of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.hookspecs import hookimpl

if TYPE_CHECKING:
    from flitstack.protocols import Rejection

PLACES: list[str] = []


@hookimpl
def flit_record_rejected(rejection: Rejection) -> None:
    """Note file, line and code; a rejection holds no value of the record."""
    place = f"{rejection.where.file} line {rejection.where.line}" if rejection.where else rejection.stream
    PLACES.append(f"{place}: {rejection.code}")
