"""The suite of destinations, whole: `class TestMine(DestinationSuite): plugin = "mine"`."""

from __future__ import annotations

from flitstack.testing.kit.suite import Suite


class DestinationSuite(Suite):
    """Everything a destination must show."""

    kind = "destination"
