"""The plugin API: the table of contents of the framework. Hooks register; core drives what was registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.protocols import (
        JSON,
        DestinationPlugin,
        MappingTemplate,
        Operation,
        Outcome,
        Proposer,
        Rejection,
        SourcePlugin,
        Transform,
        Validator,
    )

PROJECT = "flitstack"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def flit_register_sources(register: Callable[[SourcePlugin], None]) -> None:
    """Register the sources this plugin reads from."""


@hookspec
def flit_register_transforms(register: Callable[[Transform], None]) -> None:
    """Register functions, filters and tests that expressions may use."""


@hookspec
def flit_register_destinations(register: Callable[[DestinationPlugin], None]) -> None:
    """Register the destinations this plugin writes to."""


@hookspec
def flit_register_validators(register: Callable[[Validator], None]) -> None:
    """Register checks over staged records."""


@hookspec
def flit_register_mapping_templates(register: Callable[[MappingTemplate], None]) -> None:
    """Register mapping templates for a pair of source and destination."""


@hookspec
def flit_register_proposers(register: Callable[[Proposer], None]) -> None:
    """Register other ways to propose a map, beside core's own."""


@hookspec
def flit_run_started(run_id: str, source: str, destination: str) -> None:
    """Observe that a run began."""


@hookspec
def flit_operation_finished(operation: Operation, outcome: Outcome) -> None:
    """Observe one operation and what became of it."""


@hookspec
def flit_record_rejected(rejection: Rejection) -> None:
    """Observe a record that cannot move."""


@hookspec
def flit_run_finished(run_id: str, summary: dict[str, JSON]) -> None:
    """Observe the end of a run; `summary` is what `--json` prints."""
