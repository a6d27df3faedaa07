"""Observes the end of a run: keeps the status. An implementation may take fewer arguments than the hook has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.hookspecs import hookimpl

if TYPE_CHECKING:
    from flitstack.protocols import JSON

ENDINGS: list[JSON] = []


@hookimpl
def flit_run_finished(summary: dict[str, JSON]) -> None:
    """Note how it ended; `summary` is what `--json` prints."""
    ENDINGS.append(summary["status"])
