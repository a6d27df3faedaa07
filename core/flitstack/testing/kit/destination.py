"""The suite of destinations, whole: `class TestMine(DestinationSuite): plugin = "mine"`."""

from __future__ import annotations

from flitstack.testing.kit.destination_behaviours import BehavioursPart
from flitstack.testing.kit.destination_contract import ContractPart
from flitstack.testing.kit.destination_faults import FaultsPart
from flitstack.testing.kit.destination_limits import LimitsPart
from flitstack.testing.kit.destination_lists import ListsPart
from flitstack.testing.kit.destination_readback import ReadBackPart
from flitstack.testing.kit.destination_undo import UndoPart


class DestinationSuite(ContractPart, ReadBackPart, ListsPart, BehavioursPart, LimitsPart, FaultsPart, UndoPart):
    """Everything a destination must show: it is run whole by subclassing it with the plugin's name."""

    kind = "destination"
