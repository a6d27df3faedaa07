"""What tests of plugins use; the suites need pytest, which the extra `flitstack[testing]` brings."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flitstack.testing.kit.destination import DestinationSuite as DestinationSuite
    from flitstack.testing.kit.suite import Suite as Suite

_WHERE = {
    "DestinationSuite": "flitstack.testing.kit.destination",
    "Suite": "flitstack.testing.kit.suite",
}

__all__ = ["DestinationSuite", "Suite"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
