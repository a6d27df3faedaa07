"""HubSpot's plugin passes the test-kit, through the door that a stranger's plugin takes."""

from __future__ import annotations

from flitstack.testing import DestinationSuite


class TestHubSpot(DestinationSuite):
    plugin = "hubspot"
