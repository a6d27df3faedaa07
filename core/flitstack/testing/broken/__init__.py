"""Destinations that are broken on purpose, each in one way: what proves that the test-kit sees what it is for.

`BROKEN` names them, with the ids of the tests by which each must fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.hookspecs import hookimpl
from flitstack.testing.broken import writers
from flitstack.testing.broken.declaring import ACCOUNTS, AbleAccount
from flitstack.testing.memory import memory_behaviours
from flitstack.testing.simulation.memory_port import MemoryPort, SimulatedMemory, WireWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.protocols import DestinationPlugin


@dataclass(frozen=True, slots=True)
class Broken:
    """One of them.

    :param what: what is wrong with it, in one sentence.
    :param killed_by: ids of standard tests that must fail; others may.
    """

    name: str
    what: str
    killed_by: tuple[str, ...]
    port: MemoryPort


class ReferencePlugin:
    """The destination in memory as a plugin: what the broken ones pretend to be."""

    @hookimpl
    def flit_register_destinations(self, register: Callable[[DestinationPlugin], None]) -> None:
        """Register it; accounts are opened through its port."""
        from flitstack.protocols import DestinationPlugin, WriterContext

        def open_(settings: Any, context: WriterContext) -> Any:
            raise NotImplementedError("the destination in memory is opened through its port")

        settings = {"type": "object", "properties": {}}
        register(DestinationPlugin("memory", settings, {}, frozenset(), memory_behaviours(), open_))


PLUGIN = ReferencePlugin()

_KILLED_BY: dict[str, tuple[type[WireWriter], tuple[str, ...]]] = {
    "black_hole": (writers.BlackHole, ("W1",)),
    "double_writer": (writers.DoubleWriter, ("W1", "W13")),
    "truncator": (writers.Truncator, ("W4",)),
    "zone_shifter": (writers.ZoneShifter, ("W9",)),
    "wrong_parent": (writers.WrongParent, ("W7",)),
    "secret_leaker": (writers.SecretLeaker, ("X1",)),
    "budget_ignorer": (writers.BudgetIgnorer, ("L2",)),
    "retry_on_refusal": (writers.RetryOnRefusal, ("F8",)),
    "error_swallower": (writers.ErrorSwallower, ("C5", "F3")),
    "unstable_keys": (writers.UnstableKeys, ("W1", "B1")),
    "dirty_dry_run": (writers.DirtyDryRun, ("P5",)),
    "rosy_reader": (writers.RosyReader, ("P4", "R2")),
    "first_page": (writers.FirstPage, ("B5",)),
    "never_sent": (writers.NeverSent, ("C5", "F3")),
    "key_less": (writers.KeyLess, ("B1",)),
    "key_eraser": (writers.KeyEraser, ("B1",)),
    "short_sighted": (writers.ShortSighted, ("B6",)),
    "case_blind": (writers.CaseBlind, ("B6",)),
    "part_loser": (writers.PartLoser, ("B1",)),
    "rounder": (writers.Rounder, ("B6",)),
    "link_keeper": (writers.LinkKeeper, ("W12",)),
    "clobberer": (writers.Clobberer, ("W11",)),
    "normaliser": (writers.Normaliser, ("W3",)),
    "word_for_nothing": (writers.WordForNothing, ("W12",)),
    "soft_deleter": (writers.SoftDeleter, ("B3", "R1")),
    "cheap_talker": (writers.CheapTalker, ("L4",)),
    "hasty_retrier": (writers.HastyRetrier, ("L1",)),
    "raiser": (writers.Raiser, ("C5",)),
    "gossip": (writers.Gossip, ("X2",)),
    "since_ignorer": (writers.SinceIgnorer, ("B2",)),
    "id_loser": (writers.IdLoser, ("B4",)),
    "id_gusher": (writers.IdGusher, ("B4",)),
    "id_key_less": (writers.IdKeyLess, ("B4",)),
    "odd_sign_in": (writers.OddSignIn, ("F7",)),
}


def _port(account: type[SimulatedMemory]) -> MemoryPort:
    port = MemoryPort()
    port.simulated = account
    return port


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").splitlines()[0]


def _written_by(writer: type[WireWriter]) -> type[SimulatedMemory]:
    return type(f"{writer.__name__}Account", (SimulatedMemory,), {"writer": writer})


BROKEN = {
    name: Broken(name, _first_line(writer), killed_by, _port(_written_by(writer)))
    for name, (writer, killed_by) in _KILLED_BY.items()
} | {
    name: Broken(name, _first_line(account), killed_by, _port(account))
    for name, (account, killed_by) in ACCOUNTS.items()
}

#: A destination that declares all there is to declare, and does it: what those that declare wrongly pretend to be.
ABLE = _port(AbleAccount)


def __getattr__(name: str) -> Any:
    """Give a broken one's port by its name, so that `flitstack.testing.broken:black_hole` names it."""
    if name in BROKEN:
        return BROKEN[name].port
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
