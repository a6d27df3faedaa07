"""What tests of plugins use; the suites need pytest, which the extra `flitstack[testing]` brings."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flitstack.testing.kit.common import PluginSuite as PluginSuite
    from flitstack.testing.kit.destination import DestinationSuite as DestinationSuite
    from flitstack.testing.kit.proposer import ProposerSuite as ProposerSuite
    from flitstack.testing.kit.source import SourceSuite as SourceSuite
    from flitstack.testing.kit.suite import Suite as Suite
    from flitstack.testing.kit.template import TemplateSuite as TemplateSuite
    from flitstack.testing.kit.transform import TransformSuite as TransformSuite
    from flitstack.testing.kit.validator import ValidatorSuite as ValidatorSuite

_WHERE = {
    "DestinationSuite": "flitstack.testing.kit.destination",
    "Suite": "flitstack.testing.kit.suite",
    "ValidatorSuite": "flitstack.testing.kit.validator",
    "TransformSuite": "flitstack.testing.kit.transform",
    "TemplateSuite": "flitstack.testing.kit.template",
    "ProposerSuite": "flitstack.testing.kit.proposer",
    "SourceSuite": "flitstack.testing.kit.source",
    "PluginSuite": "flitstack.testing.kit.common",
}

__all__ = [
    "DestinationSuite",
    "PluginSuite",
    "ProposerSuite",
    "SourceSuite",
    "Suite",
    "TemplateSuite",
    "TransformSuite",
    "ValidatorSuite",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
