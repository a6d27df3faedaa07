"""How an invocation passes gates: by its options, or by asking a person at the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.stages.gates.gate import Gate, Passing


def passing_of(approve: str | None, unseen: str | None, attest: str | None, *, asks: bool) -> Passing:
    """Return how an invocation passes gates, as its options say.

    :param asks: a person may be asked, where there is a terminal.
    :raises click.UsageError, UsageError: options exclude each other, or name nobody.
    """
    from flitstack.stages.gates.gate import Passing
    from flitstack.stages.gates.passing import attested, named

    if approve is not None and unseen is not None:
        raise click.UsageError("--approve and --approve-unseen exclude each other.")
    asks = asks and sys.stdin.isatty() and sys.stderr.isatty()
    return Passing(
        named(approve, "--approve"),
        named(unseen, "--approve-unseen"),
        _ask_at_gate if asks else None,
        attested(attest),
        _ask_attestation if asks else None,
    )


def _ask_at_gate(gate: Gate, will_do: Callable[[str], bool]) -> str | None:
    """Show a gate on the terminal and return the name that approves, None when nobody does."""
    from rich.console import Console

    console = Console(stderr=True)
    console.print(f"\n== {gate.name} ==\n{gate.shown}\n", markup=False, highlight=False)
    who = "An admin's e-mail" if gate.admin else "Your name"
    while True:
        answer = click.prompt(f"{who} to approve, or nothing to stop", default="", show_default=False, err=True)
        name = str(answer).strip()
        if not name or will_do(name):
            return name or None
        console.print("No admin user of the account has this e-mail.")


def _ask_attestation(gate: Gate) -> str | None:
    """Ask on the terminal for the agreement that a gate wants to be named; None when nobody names one."""
    from flitstack.errors import UsageError
    from flitstack.stages.gates.passing import attested

    asked = "The agreement (its title, its date, where it is kept), or nothing to stop"
    while True:
        answer = str(click.prompt(asked, default="", show_default=False, err=True)).strip()
        if not answer:
            return None
        try:
            return attested(answer)
        except UsageError as exc:
            click.echo(str(exc), err=True)
