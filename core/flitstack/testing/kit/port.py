"""What a destination's author supplies beside the plugin: a port, found by the entry point of the plugin's name.

A port is `flitstack.testing.simulation.port.Port`; what an account can do beyond it is asked of the account itself:
`Metered`, `Touched`, `Budgeted`, `Secretive` in the same module. `flitstack.testing.kit.http` carries the requests of
a plugin that speaks HTTP over the simulated wire.
"""

from __future__ import annotations

import inspect
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flitstack.errors import UsageError
from flitstack.testing.kit.suite import lacking
from flitstack.testing.simulation.port import (
    EVERYTHING,
    Budgeted,
    Held,
    Meter,
    Metered,
    Port,
    Secretive,
    SimulatedAccount,
    Touched,
    holds_of,
    load_port,
)
from flitstack.testing.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "EVERYTHING", "Budgeted", "Held", "Meter", "Metered", "Port", "Secretive", "SimulatedAccount", "Touched", "World",
    "find_port", "holds_of", "need", "place_of",
]  # fmt: skip

GROUP = "flitstack.testing"

T = TypeVar("T")
_WORDS: Mapping[Any, str] = {
    Metered: "meter(), what the account counted",
    Touched: "edit(), remove() and hang(), a person's hands in the account",
    Budgeted: "use_up(), the end of a day's budget",
    Secretive: "secrets, which must not show",
}


def find_port(port: Any, plugin: Any) -> Port | None:
    """Return a destination's port: the one given, as an object or `MODULE:NAME`, else that of the plugin's entry point.

    A plugin that is handed over as a module may have it as `PORT`.

    :raises UsageError: the place given holds none.
    """
    if isinstance(port, str) and port:
        return load_port(port)
    if port:
        return port  # type: ignore[no-any-return]
    if inspect.ismodule(plugin):
        return getattr(plugin, "PORT", None)
    found = [point for point in entry_points(group=GROUP) if point.name == plugin]
    if not found:
        return None
    try:
        return found[0].load()  # type: ignore[no-any-return]
    except Exception as exc:  # a stranger's module may raise anything
        raise UsageError(f"{found[0].value}: the port cannot be imported: {type(exc).__name__}: {exc}") from exc


def place_of(port: Any, plugin: Any) -> str:
    """Return where a destination's port is, as `MODULE:NAME`, "" when it was handed over as an object."""
    if isinstance(port, str) and port:
        return port
    return next((point.value for point in entry_points(group=GROUP) if point.name == plugin), "") if not port else ""


def need(account: SimulatedAccount, piece: Callable[..., T]) -> T:
    """Return the account as one that has an optional piece; leave the test out when it has not."""
    if not isinstance(account, cast("type[T]", piece)):
        lacking(_WORDS[piece])
    return account
