"""Writes to Rolo for flit.

The rest of the package is imported when it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.protocols import DestinationPlugin, Writer, WriterContext


@hookimpl
def flit_register_destinations(register: Callable[[DestinationPlugin], None]) -> None:
    """Register the destination `rolo`."""
    from flitstack.protocols import DestinationPlugin

    from flitstack_rolo.behaviours import BEHAVIOURS
    from flitstack_rolo.settings import ENVIRONMENT, SCHEMA, SECRETS

    register(DestinationPlugin("rolo", SCHEMA, ENVIRONMENT, SECRETS, BEHAVIOURS, open=_open))


def _open(settings: Mapping[str, Any], context: WriterContext) -> Writer:
    from flitstack_rolo.client import Client
    from flitstack_rolo.writer import RoloWriter

    client = Client(settings["base_url"], settings["token"], context.clock, exhausted=context.exhausted)
    return RoloWriter(client)
