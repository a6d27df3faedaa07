"""A human at the account: edits, adds and deletes records at a scripted moment, as somebody at the practice would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flitstack_pipedrive.sandbox.account import Account


class Human:
    def __init__(self, steps: Iterable[Any] = ()) -> None:
        self.steps = list(steps)

    def act(self, account: Account, requests: int) -> None:
        pass
