"""A gate, and how this invocation passes gates; each is bound to the hash of what was shown, and of the ones before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flitstack.journal import dumps
from flitstack.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: its text is all that is shown; `admin` gates take only an admin user's e-mail.

    :param attest: what whoever approves it attests in writing; "" for nothing.
    :param basis: what the text rests on, part by part, so that a later run can say what changed.
    :param event: when something was done that the gates after it show the outcome of, ISO, and what it was; or ().
    :param notes: shown beside the text and no part of what is approved: where reports are, what changed since.
    :param approved: by whom and when exactly this was; "" while it is open.
    """

    name: str
    text: str
    admin: bool = False
    attest: str = ""
    basis: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    event: tuple[str, str] | tuple[()] = ()
    hash: str = ""
    approved: str = ""

    @property
    def shown(self) -> str:
        """Return all that a person sees at it."""
        attest = (f"Whoever approves this attests in writing: {self.attest}",) if self.attest else ()
        return visible("\n".join([*self.notes, self.text, *attest]))


@dataclass(frozen=True, slots=True)
class Passing:
    """How this invocation passes gates.

    :param approve: who approves what an earlier invocation showed.
    :param unseen: who passes every gate without a look.
    :param ask: shows a gate to a person at a terminal and returns the name that approves, None when they do not; it
        is handed the gate and what tells whether a name will do.
    :param attestation: the agreement that is named where a gate asks for one.
    :param ask_attestation: asks a person at a terminal for it; None when they name none.
    """

    approve: str | None = None
    unseen: str | None = None
    ask: Callable[[Gate, Callable[[str], bool]], str | None] | None = None
    attestation: str | None = None
    ask_attestation: Callable[[Gate], str | None] | None = None


def chain(gates: Sequence[Gate]) -> list[Gate]:
    """Return the gates with their hashes, each hash including the earlier ones."""
    chained: list[Gate] = []
    previous = ""
    for gate in gates:
        parts = [previous, gate.name, gate.text, gate.admin, gate.attest, gate.basis]
        previous = hashlib.sha256(dumps(parts).encode()).hexdigest()
        chained.append(replace(gate, hash=previous))
    return chained
