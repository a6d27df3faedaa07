"""How much a later export may change without anybody being asked, and how much is too much to be believed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import JSON

MASS = ("new", "changed", "vanished")
SETTINGS = {
    "delta_hours": "hours after the full approval in which later exports are loaded without asking; 0 asks always",
    "delta_new": "at most so many new records, together, are loaded without asking: a number, or 10%",
    "delta_changed": "at most so many changed records, together: a number, or 25%",
    "delta_vanished": "at most so many vanished records: a number, or 1%",
    "mass_new": "share of new records of one object beyond which a delta is asked about: 50%",
    "mass_changed": "share of changed records of one object beyond which a delta is asked about: 50%",
    "mass_vanished": "share of vanished records of one object beyond which a delta is asked about: 10%",
}
# Two days of a business add about 2 % of what ten years left behind and touch about 5 %; hardly anybody is deleted.
DEFAULTS = {
    "delta_hours": "48", "delta_new": "10%", "delta_changed": "25%", "delta_vanished": "1%",
    "mass_new": "50%", "mass_changed": "50%", "mass_vanished": "10%",
}  # fmt: skip
LEAST = 20  # a share of a small account would allow nothing at all


@dataclass(frozen=True, slots=True)
class Limits:
    """What was set: `allowed` as shares (0.1) or numbers (120), `mass` as shares."""

    hours: float
    allowed: Mapping[str, float | int]
    mass: Mapping[str, float]
    vanished: str = "keep"

    def bounds(self, records: int) -> Bounds:
        """Return the numbers that an approval of a load of so many records comes to."""
        counts = {
            name: max(LEAST, int(records * most)) if isinstance(most, float) else most
            for name, most in self.allowed.items()
        }
        return Bounds(self.hours, counts["new"], counts["changed"], counts["vanished"], self.vanished)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What later exports may come to, all together, without anybody being asked.

    :param rule: what becomes of vanished records: `keep` or `delete`.
    """

    hours: float
    new: int
    changed: int
    vanished: int
    rule: str = "keep"

    def text(self) -> str:
        """Return it in words, for whoever approves it."""
        if not self.hours:
            return "Later exports are not loaded without asking (delta_hours = 0)."
        return (
            f"For {self.hours:g} hours after this approval, later exports are loaded by the same map without asking, "
            f"as long as they come to no more than {self.new:,} new, {self.changed:,} changed and {self.vanished:,} "
            f"vanished records all together, which are {'deleted' if self.rule == 'delete' else 'kept'} (settings "
            "delta_hours, delta_new, delta_changed, delta_vanished, vanished)."
        )

    def as_json(self) -> dict[str, JSON]:
        """Return it as part of what an approval rests on."""
        return {"hours": self.hours, "new": self.new, "changed": self.changed, "vanished": self.vanished,
                "vanished are": self.rule}  # fmt: skip

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Bounds:
        """Return what an approval rested on."""
        return cls(
            float(kept["hours"]),
            int(kept["new"]),
            int(kept["changed"]),
            int(kept["vanished"]),
            str(kept["vanished are"]),
        )

    def beyond(self, given: datetime, now: datetime, counts: Mapping[str, int]) -> list[str]:
        """Return which bounds are passed, in words; [] for none.

        :param given: when it was approved. :param counts: new, changed and vanished so far, this export's included.
        """
        told = []
        until = given + timedelta(hours=self.hours)
        if now > until:
            told.append(f"it was approved for {self.hours:g} hours, until {until:%Y-%m-%d %H:%M} UTC")
        for name in MASS:
            most = int(getattr(self, name))
            if counts[name] > most:
                told.append(f"{counts[name]:,} {name} records, where at most {most:,} were approved")
        return told


def read_limits(core: Mapping[str, str]) -> Limits:
    """Return the limits that were set, or their defaults.

    :raises UsageError: one is no number or share; names the setting.
    """
    given = {name: core.get(name, default) for name, default in DEFAULTS.items()}
    hours = _number("delta_hours", given["delta_hours"])
    allowed = {name: _amount(f"delta_{name}", given[f"delta_{name}"]) for name in MASS}
    mass = {name: _share(f"mass_{name}", given[f"mass_{name}"]) for name in MASS}
    return Limits(float(hours), allowed, mass, core.get("vanished", "keep"))


def share_of(share: float) -> str:
    """Return a share as people write it."""
    return f"{share * 100:.3g}%"


def _amount(name: str, text: str) -> float | int:
    return _share(name, text) if text.strip().endswith("%") else int(_number(name, text))


def _share(name: str, text: str) -> float:
    found = re.fullmatch(r"\s*(\d{1,3}(?:\.\d+)?)\s*%\s*", text)
    if not found:
        raise UsageError(f"{name}: say a share, such as {DEFAULTS[name]}.")
    return float(found[1]) / 100


def _number(name: str, text: str) -> float:
    if not re.fullmatch(r"\s*\d{1,9}(?:\.\d+)?\s*", text):
        raise UsageError(f"{name}: say a number, such as {DEFAULTS[name]}.")
    return float(text)
