"""Registers Pipedrive a second time, one request after the other and on a clock of the test's choosing.

One request at a time gives the records the same ids at every recording; a clock that only moves when somebody sleeps
keeps a replay from waiting out limits. Everything else is the plugin's own.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import flitstack_pipedrive
from flitstack.hookspecs import hookimpl
from flitstack.protocols import MappingTemplate
from flitstack_pipedrive.opening import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.clock import Clock
    from flitstack.protocols import DestinationPlugin, Writer, WriterContext

NAME = "pipedrive-calm"
CLOCK: ContextVar[Clock] = ContextVar("CLOCK")


@hookimpl
def flit_register_destinations(register: Callable[[DestinationPlugin], None]) -> None:
    """Register the calm twin."""
    found: list[DestinationPlugin] = []
    flitstack_pipedrive.flit_register_destinations(found.append)
    (plugin,) = found

    def open_calm(settings: Mapping[str, Any], context: WriterContext) -> Writer:
        writer = open_writer(settings, replace(context, clock=CLOCK.get()))
        writer.behaviours = replace(writer.behaviours, concurrency=1)
        return writer

    register(replace(plugin, name=NAME, open=open_calm))


@hookimpl
def flit_register_mapping_templates(register: Callable[[MappingTemplate], None]) -> None:
    """Register the template that the dental source ships for Pipedrive."""
    register(MappingTemplate("dental", NAME, "dental-to-pipedrive.yaml.j2"))
