"""Asks an account, before there is a migration, what a proposed map is held against: its fields and its users."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from flitstack.clock import clock_from_environment
from flitstack.journal import Journal
from flitstack.mapping.proposing import KnownAccount
from flitstack.settings import parse_sets, read_project_file
from flitstack.stages.opening import opened
from flitstack.stages.setup import destination_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.protocols import DestinationPlugin


async def ask_account(destination: DestinationPlugin, sets: Sequence[str], folder: Path) -> KnownAccount:
    """Return the account's fields and users; nothing is written, there or here.

    :param folder: where the project's file is.
    :raises FlitError: the account cannot be asked, or refuses.
    """
    settings = destination_settings(destination, parse_sets(sets), read_project_file(folder))
    with tempfile.TemporaryDirectory(prefix="flit-map-") as place, Journal(Path(place) / "flit.db") as journal:
        async with opened(destination, settings, journal, clock_from_environment()) as writer:
            return KnownAccount(await writer.schema(), await writer.users())
