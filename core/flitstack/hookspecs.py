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
    """Register the sources this plugin reads from; asked once, whenever plugins are loaded.

    Added in 0.1.0.
    """


@hookspec
def flit_register_transforms(register: Callable[[Transform], None]) -> None:
    """Register functions, filters and tests that expressions may use.

    They are pure: the same arguments give the same result, and a missing value stays missing. Added in 0.1.0.
    """


@hookspec
def flit_register_destinations(register: Callable[[DestinationPlugin], None]) -> None:
    """Register the destinations this plugin writes to; asked once, whenever plugins are loaded.

    Added in 0.1.0.
    """


@hookspec
def flit_register_validators(register: Callable[[Validator], None]) -> None:
    """Register checks over staged records; they run in an audit, and in a run before its gates.

    Added in 0.1.0.
    """


@hookspec
def flit_register_mapping_templates(register: Callable[[MappingTemplate], None]) -> None:
    """Register mapping templates for a pair of source and destination; one pair has one.

    Added in 0.1.0.
    """


@hookspec
def flit_register_proposers(register: Callable[[Proposer], None]) -> None:
    """Register other ways to propose a map, beside core's own; asked by `flit map propose`, once a file.

    Added in 0.1.0.
    """


@hookspec
def flit_run_started(run_id: str, source: str, destination: str) -> None:
    """Observe that a run began: its plugins and settings fit, and its export is about to be read.

    Added in 0.1.0.
    """


@hookspec
def flit_operation_finished(operation: Operation, outcome: Outcome) -> None:
    """Observe one operation and what became of it, of a run or of a rollback; `outcome.error` is None when it was done.

    Operations hold values of records: an observer that sends them anywhere must say so. Added in 0.1.0.
    """


@hookspec
def flit_record_rejected(rejection: Rejection) -> None:
    """Observe a record that cannot move, each time a run meets it; the rejection holds no value.

    Added in 0.1.0.
    """


@hookspec
def flit_run_finished(run_id: str, summary: dict[str, JSON]) -> None:
    """Observe the end of a run that no error cut short; `summary` is what `--json` prints.

    Added in 0.1.0.
    """
