"""The destination in memory, to which the broken ones are compared, passes the test-kit whole."""

from __future__ import annotations

from flitstack.testing import DestinationSuite


class TestReference(DestinationSuite):
    plugin = "flitstack.testing.broken:PLUGIN"
    port = "flitstack.testing.simulation.memory_port:PORT"
