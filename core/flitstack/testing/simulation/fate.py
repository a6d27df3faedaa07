"""Fate: every commit and every send is a numbered moment, and at some of them the process ends."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Death(BaseException):
    """The process ends here: what is not on disk, or not on its way to the account, is gone."""


class Fate:
    """Counts the moments of one process after another, and ends each at the moment meant for it.

    :param deaths: per process, the number of the moment that is its last; processes after these live on.
    """

    def __init__(self, deaths: Sequence[int]) -> None:
        self._deaths = list(deaths)
        self._last: int | None = None
        self._moment = 0
        self.processes = 0
        self.died: list[str] = []
        self.trace = hashlib.sha256()
        self.dead = False
        self.ended = asyncio.Event()

    @property
    def is_spent(self) -> bool:
        """Tell whether all deaths that were meant to be are behind."""
        return self.processes >= len(self._deaths)

    def begin(self) -> None:
        """A new process begins."""
        self._last = self._deaths[self.processes] if self.processes < len(self._deaths) else None
        self.processes += 1
        self._moment = 0
        self.dead = False
        self.ended = asyncio.Event()

    def pass_by(self, what: str) -> None:
        """Count a moment that the process itself does not see: it may end there, and the world goes on."""
        if self.dead:
            return
        self._moment += 1
        self.trace.update(f"{self.processes} {asyncio.get_running_loop().time():.6f} {what}\n".encode())
        if self._moment == self._last:
            self.dead = True
            self.died.append(what)
            self.ended.set()

    def moment(self, what: str) -> None:
        """Count a moment of the process.

        :raises Death: it ends here, or ended before: from then on nothing is written and nothing leaves.
        """
        self.pass_by(what)
        if self.dead:
            raise Death
