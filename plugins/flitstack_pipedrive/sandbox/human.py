"""A human at the account: adds, edits and deletes records at a scripted moment, as somebody at the practice would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack_pipedrive.sandbox.hand import PATHS, Hand
from flitstack_pipedrive.sandbox.seeds import read_json, seed_file

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack_pipedrive.sandbox.account import Account

ACTIONS = ("add", "edit", "delete", "deactivate")
_KEYS = frozenset({"after_requests", "at", "find", "with", "by", *ACTIONS})


@dataclass(frozen=True, slots=True)
class Step:
    """What a human does, and when: after so many API requests, or once the account's clock says so.

    :param action: `add`, `edit`, `delete`, or `deactivate` (a user).
    :param kind: the object, such as `person`; for `deactivate` the user's e-mail.
    :param find: which record: `newest`, `oldest`, or values by key or by custom field's name.
    :param item: what it becomes, as `Hand` reads it.
    :param by: e-mail of who does it; the first admin when nothing is said.
    """

    action: str
    kind: str
    after_requests: int | None = None
    at: datetime | None = None
    find: Mapping[str, Any] | str = "newest"
    item: Mapping[str, Any] = field(default_factory=dict)
    by: str | None = None


class Human:
    """Does the steps when they are due, in their order.

    :param since: requests that had come before, which do not count.
    """

    def __init__(self, steps: Iterable[Step] = (), since: int = 0) -> None:
        self.steps = list(steps)
        self.done: list[Step] = []
        self.missed: list[Step] = []
        self._since = since

    def act(self, account: Account, requests: int) -> None:
        """Do what is due; a step that finds no record or is refused is missed and not tried again."""
        due = [step for step in self.steps if _is_due(step, account, requests - self._since)]
        for step in due:
            self.steps.remove(step)
            try:
                done = _do(step, account)
            except UsageError:
                done = False
            (self.done if done else self.missed).append(step)


def _is_due(step: Step, account: Account, requests: int) -> bool:
    if step.at is not None:
        return account.clock.now() >= step.at
    return requests >= (step.after_requests or 0)


def _do(step: Step, account: Account) -> bool:
    """Do one step and return whether it found what it is about."""
    if step.action == "deactivate":
        return account.deactivate(step.kind)
    members = list(account.members.values())
    hand = Hand(account, next((member for member in members if member.email == step.by), members[0]))
    if step.action == "add":
        hand.add(step.kind, step.item)
        return True
    number = hand.seek(step.kind, step.find)
    if number is None:
        return False
    if step.action == "edit":
        hand.edit(step.kind, number, step.item)
    else:
        hand.delete(step.kind, number)
    return True


def read_steps(source: str | Path) -> tuple[Step, ...]:
    """Return the steps of a JSON file, or those shipped under this name (`practice`).

    :raises UsageError: the file cannot be read, or a step is not as it should be; says which.
    """
    path = seed_file(source, "-human")
    items = read_json(path)
    if not isinstance(items, list):
        raise UsageError(f"{path}: holds no JSON list of steps; write [{{...}}, {{...}}].")
    return tuple(_step(item, f"{path}, step {place}") for place, item in enumerate(items, 1))


def _step(item: Any, where: str) -> Step:
    if not isinstance(item, Mapping) or set(item) - _KEYS:
        raise UsageError(f"{where}: needs an object with {', '.join(sorted(_KEYS))}.")
    actions = [action for action in ACTIONS if action in item]
    if len(actions) != 1:
        raise UsageError(f"{where}: needs exactly one of {', '.join(ACTIONS)}.")
    if ("after_requests" in item) == ("at" in item):
        raise UsageError(f"{where}: needs either after_requests or at.")
    after = item.get("after_requests")
    if after is not None and (type(after) is not int or after < 0):
        raise UsageError(f'{where}: "after_requests" is a whole number from 0.')
    kind = str(item[actions[0]])
    if actions[0] != "deactivate" and kind not in (*PATHS, "field"):
        raise UsageError(f'{where}: "{actions[0]}" names one of {", ".join(PATHS)}.')
    return Step(
        actions[0],
        kind,
        after,
        _moment(item["at"], where) if "at" in item else None,
        item.get("find", "newest"),
        item.get("with", {}),
        item.get("by"),
    )


def _moment(text: Any, where: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError) as exc:
        raise UsageError(f'{where}: "at" is no time such as 2026-12-01T09:00:00Z.') from exc
    if at.tzinfo is None:
        raise UsageError(f'{where}: "at" needs a zone, such as 2026-12-01T09:00:00Z.')
    return at
