"""Standing: where people changed the account since it was written, and what this run leaves alone or writes over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import Conflict, Link, OperationRow

Name = tuple[str, str, str]
KEEP, OVERWRITE = "keep", "overwrite"
RULES = (KEEP, OVERWRITE)


class Guard(Protocol):
    """Looks at records right before writes that take something back."""

    async def judge(self, rows: Sequence[OperationRow]) -> Mapping[int, tuple[str, str]]:
        """Return, by operation, the state and the code it is settled with instead of being sent."""
        ...


@dataclass(slots=True)
class Standing:
    """What stands between the source and what people did in the account, in this run.

    :param rule: what becomes of a conflict that no line of a file decides: `keep`, `overwrite`, "" for undecided, so
        that what the account holds stays and the conflict is listed.
    :param withheld: record to the fields and links (`@NAME`) that are not written; "" means the whole record.
    :param overwrites: conflicts that are written over, once that is approved.
    :param leaving: (entry, link) of what is to be deleted, as the source has it no more.
    :param parting: (entry, link, fields) of what the map makes no more, and is only marked so.
    :param guard: looks once more at each record that is to be deleted, right before; None when none is.
    """

    rule: str = ""
    withheld: dict[Name, set[str]] = field(default_factory=dict)
    overwrites: list[Conflict] = field(default_factory=list)
    leaving: list[tuple[str, Link]] = field(default_factory=list)
    parting: list[tuple[str, Link, dict[str, Any]]] = field(default_factory=list)
    guard: Guard | None = None

    def overruled(self, name: Name) -> set[str] | None:
        """Return the fields of a record that are written whatever the account holds; None for all."""
        if self.rule == OVERWRITE:
            return None
        return {one.field for one in self.overwrites if one.name == name}
