"""Lets Python look for circular garbage seldom while millions of records pass, none of which is circular."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW_OBJECTS = 100_000  # before the collector looks; a chunk under way holds fewer


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Raise the collector's threshold while the block runs; with Python's own, a twelfth of the time goes into it."""
    before = gc.get_threshold()
    gc.set_threshold(max(NEW_OBJECTS, before[0]) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
