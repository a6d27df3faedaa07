"""The port by which the plugin is simulated and tested: its writers on the embedded sandbox, behind the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack_hubspot.testing.template import TEMPLATE

if TYPE_CHECKING:
    from flitstack.testing.simulation.world import World
    from flitstack_hubspot.testing.account import SimulatedSandbox


class HubSpotPort:
    """HubSpot's plugin on its embedded sandbox."""

    name = "hubspot"
    template = TEMPLATE
    sets = ()

    def account(self, world: World) -> SimulatedSandbox:
        """Return a new account, with a contact and a note that are not ours."""
        from flitstack_hubspot.testing.account import SimulatedSandbox

        return SimulatedSandbox(world)


PORT = HubSpotPort()
