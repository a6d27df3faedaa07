"""Passing gates: what is approved already, who approves what is open, and the stop where nobody does."""

from __future__ import annotations

from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING

from flitstack.errors import ApprovalNeeded, AuthError, UsageError
from flitstack.journal import Approval, dumps
from flitstack.stages.gates.moved import EXPORT, approved_words, since_approval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.journal import Journal
    from flitstack.stages.context import RunContext
    from flitstack.stages.gates.gate import Gate, Passing

ADMINS = "admins"
FULL = "full"
PROFILE = "profile"
LONGEST_NAME = 200


def pass_gates(
    ctx: RunContext, gates: Sequence[Gate], passing: Passing, token_owner: str, admins: Sequence[str]
) -> None:
    """Pass every gate, or stop at all that are open at once.

    :raises ApprovalNeeded: some are open; the message holds what they show and the commands that approve.
    :raises AuthError: an admin's gate was approved by someone who is none.
    """
    runs = ctx.journal.runs
    seen = {gate.name for gate in gates if runs.was_shown(gate.name, gate.hash)}
    gates = with_changes(ctx.journal, gates)
    show_gates(ctx, gates, admins)
    open_gates: list[Gate] = []
    for gate in gates:
        if gate.approved:
            continue
        name, attestation = _approver(gate, passing, admins, seen=gate.name in seen)
        if name is None:
            open_gates.append(gate)
            continue
        how = "unseen" if passing.unseen else "approved"
        if gate.admin and passing.unseen:
            name = f"{name} (for {token_owner})"
        elif gate.admin:
            require_admin(name, admins, ctx.journal)
        unattested = passing.unseen and gate.name == PROFILE and not attestation
        _record(ctx.journal, gate, Approval(gate.name, gate.hash, name, ctx.at(), how, attestation),
                "attestation: none given" if unattested else "")  # fmt: skip
    if open_gates:
        raise ApprovalNeeded(_stop_text(ctx.journal, open_gates), [(gate.name, gate.hash) for gate in open_gates])


def show_gates(ctx: RunContext, gates: Sequence[Gate], admins: Sequence[str]) -> None:
    """Note what the gates show, so that it can be approved, and be compared with what they show later."""
    texts = {gate.name: (gate.hash, gate.text) for gate in gates}
    ctx.journal.runs.show(ctx.id, ctx.at(), texts, {gate.name: (dumps(gate.basis), gate.attest) for gate in gates})
    ctx.journal.runs.remember(ADMINS, "\n".join(admins))


def with_changes(journal: Journal, gates: Sequence[Gate]) -> list[Gate]:
    """Return the gates; one that was approved says by whom, and what changed since if it shows something else now."""
    told: list[Gate] = []
    moved: list[str] = []
    events: list[tuple[str, str]] = []
    for gate in gates:
        events += [gate.event] if gate.event else []
        approval = journal.runs.approval(gate.name, gate.hash)
        if approval is not None:
            told.append(replace(gate, approved=approved_words(approval)))
            continue
        since = since_approval(journal, gate, moved, events)
        moved.append(f"{gate.name}, which {'changed' if since else 'is new'}")
        told.append(replace(gate, notes=(*since, *gate.notes)))
    return told


def _record(journal: Journal, gate: Gate, approval: Approval, note: str = "") -> None:
    journal.runs.approve(approval.at, [approval], note)
    if EXPORT in gate.basis:
        journal.approvals.keep_rows()


def _approver(gate: Gate, passing: Passing, admins: Sequence[str], *, seen: bool) -> tuple[str | None, str]:
    """Return who approves a gate, None when nobody does, and the agreement that they attest, "" for none."""
    given = passing.attestation or "" if gate.attest else ""
    if passing.unseen:
        return passing.unseen, given
    if passing.approve and seen:
        return (None if gate.attest and not given else passing.approve), given
    if passing.ask is None:
        return None, ""
    name = passing.ask(gate, lambda name: not gate.admin or is_admin(name, admins))
    if name and gate.attest and not given:
        given = (passing.ask_attestation(gate) if passing.ask_attestation else None) or ""
        name = name if given else None
    return name, given


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
    if name is not None and not _is_line(name):
        raise UsageError(f"{option}: an approval names a person. Give a name, on one line.")
    return name


def attested(reference: str | None) -> str | None:
    """Return the reference of an agreement; None when none was given.

    :raises UsageError: it was given, and says nothing.
    """
    if reference is not None and not _is_line(reference):
        raise UsageError("--attest: name the agreement on one line: its number or title, its date, where it is kept.")
    return reference


def _is_line(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= LONGEST_NAME


def approve_shown(journal: Journal, gate: str, by: str, at: str, attestation: str | None = None) -> Approval:
    """Approve what the last run showed at a gate, and return the approval; the first, where it is given again.

    :param attestation: the agreement that the gate asks for.
    :raises UsageError: that gate was not shown, or asks for an attestation that is not there.
    :raises AuthError: it takes an admin user's e-mail.
    """
    named(by, "--by")
    last = journal.runs.last_shown(gate)
    shown = None if last is None else journal.approvals.shown(gate, last[0])
    if shown is None:
        raise UsageError(f"{gate}: no run has shown this gate. Run `flit run` first; it says which gates are open.")
    if gate == "schema":
        require_admin(by, (journal.runs.meta(ADMINS) or "").split("\n"), journal)
    if shown.attest and not attested(attestation):
        raise UsageError(
            f"{gate}: approving it takes a written attestation: {shown.attest} Name the agreement: flit approve {gate} "
            f'--by NAME --attest "AGREEMENT, ITS DATE, WHERE IT IS KEPT" --journal {quote(str(journal.path))}'
        )
    if attestation and not shown.attest:
        raise UsageError(f"{gate}: nothing is to be attested here. Leave --attest away.")
    before = journal.runs.approval(gate, shown.hash)
    if before is not None and (before.by, before.how, before.attestation) == (by, "approved", attestation or ""):
        return before  # said twice is said once
    approval = Approval(gate, shown.hash, by, at, "approved", attestation or "")
    journal.runs.approve(at, [approval])
    if EXPORT in shown.basis and shown.basis[EXPORT] == journal.staging.fingerprint():
        journal.approvals.keep_rows()  # of another export, which was read meanwhile, nobody approved the rows
    return approval


def _stop_text(journal: Journal, gates: Sequence[Gate]) -> str:
    shown = "\n\n".join(f"== {gate.name} ==\n{gate.shown}" for gate in gates)
    place = quote(str(journal.path))
    commands = "\n".join(f"  {_command(gate)} --journal {place}" for gate in gates)
    return f"{shown}\n\nNothing was written. To approve, then run the same command again:\n{commands}"


def _command(gate: Gate) -> str:
    attest = ' --attest "AGREEMENT, ITS DATE"' if gate.attest else ""
    return f"flit approve {gate.name} --by {'ADMIN-EMAIL' if gate.admin else 'NAME'}{attest}"
