"""Observes the beginning of a run: a line on a board."""

from __future__ import annotations

from flitstack.hookspecs import hookimpl

BOARD: list[str] = []


@hookimpl
def flit_run_started(run_id: str, source: str, destination: str) -> None:
    """Note what moves where."""
    BOARD.append(f"{run_id}: {source} to {destination}")
