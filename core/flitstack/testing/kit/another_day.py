"""Lets code run as on another day, in another time zone: what asks the machine for the time is told another one."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch
from zoneinfo import ZoneInfo

import time_machine

from flitstack.clock import NOW_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

LATER = timedelta(days=403)
FAR_EAST = ZoneInfo("Pacific/Kiritimati")
"""Fourteen hours ahead of UTC, where it is tomorrow already."""


@contextmanager
def another_day() -> Iterator[None]:
    """Let it be some thirteen months later, fourteen hours east of Greenwich, for all code that asks the machine."""
    environment = {name: text for name, text in os.environ.items() if name != NOW_VARIABLE}
    with (
        patch.dict(os.environ, environment, clear=True),
        time_machine.travel(datetime.now(FAR_EAST) + LATER),
    ):
        yield
