"""The port by which the plugin is simulated and tested: its writers on the embedded sandbox, behind the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack_pipedrive.testing.template import TEMPLATE

if TYPE_CHECKING:
    from flitstack.testing.simulation.world import World
    from flitstack_pipedrive.testing.account import SimulatedSandbox


class PipedrivePort:
    """Pipedrive's plugin on its embedded sandbox."""

    name = "pipedrive"
    template = TEMPLATE
    sets = ()

    def account(self, world: World) -> SimulatedSandbox:
        """Return a new account, with a person and a note that are not ours."""
        from flitstack_pipedrive.testing.account import SimulatedSandbox

        return SimulatedSandbox(world)


PORT = PipedrivePort()
