"""The ports that the simulations of this room run against."""

from __future__ import annotations

import pytest

MEMORY = "flitstack.testing.simulation.memory_port:PORT"
HUBSPOT = "flitstack_hubspot.testing:PORT"
PIPEDRIVE = "flitstack_pipedrive.testing:PORT"


@pytest.fixture
def memory() -> str:
    """Return where the port of the account in memory is."""
    return MEMORY


@pytest.fixture
def pipedrive() -> str:
    """Return where the port of Pipedrive's sandbox is."""
    return PIPEDRIVE


@pytest.fixture
def hubspot() -> str:
    """Return where the port of HubSpot's sandbox is."""
    return HUBSPOT
