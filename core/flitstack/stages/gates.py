"""Gates: what a person must approve, bound to the hash of what was shown, each including the ones before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from flitstack.errors import ApprovalNeeded, AuthError, UsageError
from flitstack.journal import Approval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flitstack.journal import Journal
    from flitstack.stages.context import RunContext

ADMINS = "admins"
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: its text is all that is shown; `admin` gates take only an admin user's e-mail."""

    name: str
    text: str
    hash: str
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Passing:
    """How this invocation passes gates.

    :param approve: who approves what an earlier invocation showed.
    :param unseen: who passes every gate without a look.
    :param ask: shows a gate to a person at a terminal and returns the name that approves, None when they do not; it
        is handed the gate and what tells whether a name will do.
    """

    approve: str | None = None
    unseen: str | None = None
    ask: Callable[[Gate, Callable[[str], bool]], str | None] | None = None


def chain(texts: Sequence[tuple[str, str, bool]]) -> list[Gate]:
    """Return gates of (name, text, admin only), each hash including the earlier ones."""
    gates: list[Gate] = []
    previous = ""
    for name, text, admin in texts:
        previous = hashlib.sha256(f"{previous}\n{name}\n{text}".encode()).hexdigest()
        gates.append(Gate(name, text, previous, admin))
    return gates


def pass_gates(
    ctx: RunContext, gates: Sequence[Gate], passing: Passing, token_owner: str, admins: Sequence[str]
) -> None:
    """Pass every gate, or stop at all that are open at once.

    :raises ApprovalNeeded: some are open; the message holds what they show and the commands that approve.
    :raises AuthError: an admin's gate was approved by someone who is none.
    """
    runs = ctx.journal.runs
    unseen_before = {gate.name for gate in gates if runs.was_shown(gate.name, gate.hash)}
    open_gates: list[Gate] = []
    for gate in gates:
        if runs.approval(gate.name, gate.hash) is not None:
            continue
        name = _approver(gate, passing, admins, seen=gate.name in unseen_before)
        if name is None:
            open_gates.append(gate)
            continue
        how = "unseen" if passing.unseen else "approved"
        if gate.admin and passing.unseen:
            name = f"{name} (for {token_owner})"
        elif gate.admin:
            require_admin(name, admins, ctx.journal)
        note = "attestation: none given" if passing.unseen and gate.name == "profile" else ""
        runs.approve(ctx.at(), [Approval(gate.name, gate.hash, name, ctx.at(), how)], note)
    if open_gates:
        runs.show(ctx.id, ctx.at(), {gate.name: (gate.hash, gate.text) for gate in open_gates})
        runs.remember(ADMINS, "\n".join(admins))
        raise ApprovalNeeded(_stop_text(ctx.journal, open_gates), [(gate.name, gate.hash) for gate in open_gates])


def _approver(gate: Gate, passing: Passing, admins: Sequence[str], *, seen: bool) -> str | None:
    if passing.unseen:
        return passing.unseen
    if passing.approve and seen:
        return passing.approve
    if passing.ask is not None:
        return passing.ask(gate, lambda name: not gate.admin or is_admin(name, admins))
    return None


def is_admin(name: str, admins: Sequence[str]) -> bool:
    """Tell whether a name is an admin user's e-mail."""
    return name.strip().casefold() in {admin.casefold() for admin in admins}


def require_admin(name: str, admins: Sequence[str], journal: Journal) -> None:
    """:raises AuthError: the name is no admin user's e-mail."""
    if not is_admin(name, admins):
        count = f"{len(admins)} admin user{'' if len(admins) == 1 else 's'} found"
        raise AuthError(
            f"schema: only an admin user of the account may approve it, named by their e-mail there ({count}). "
            f"flit approve schema --by ADMIN-EMAIL --journal {journal.path}, then the same command again."
        )


def named(name: str | None, option: str) -> str | None:
    """Return an approver's name; None when the option was not given.

    :raises UsageError: it was given, and names nobody.
    """
    if name is not None and (not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME):
        raise UsageError(f"{option}: an approval names a person. Give a name, on one line.")
    return name


def approve_shown(journal: Journal, gate: str, by: str, at: str) -> Approval:
    """Approve what the last run showed at a gate.

    :raises UsageError: that gate was not shown.
    :raises AuthError: it takes an admin user's e-mail.
    """
    named(by, "--by")
    shown = journal.runs.last_shown(gate)
    if shown is None:
        raise UsageError(f"{gate}: no run has shown this gate. Run `flit run` first; it says which gates are open.")
    if gate == "schema":
        require_admin(by, (journal.runs.meta(ADMINS) or "").split("\n"), journal)
    approval = Approval(gate, shown[0], by, at, "approved")
    journal.runs.approve(at, [approval])
    return approval


def _stop_text(journal: Journal, gates: Sequence[Gate]) -> str:
    shown = "\n\n".join(f"== {gate.name} ==\n{gate.text}" for gate in gates)
    place = quote(str(journal.path))
    commands = "\n".join(
        f"  flit approve {gate.name} --by {'ADMIN-EMAIL' if gate.admin else 'NAME'} --journal {place}" for gate in gates
    )
    return f"{shown}\n\nNothing was written. To approve, then run the same command again:\n{commands}"
