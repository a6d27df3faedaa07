"""`flit hubspot`: the embedded sandbox over HTTP."""

from __future__ import annotations

import click

from flitstack.clock import clock_from_environment
from flitstack.errors import FlitError


@click.group()
def hubspot() -> None:
    """What belongs to the destination HubSpot.

    Example: flit hubspot sandbox serve
    """


@hubspot.group()
def sandbox() -> None:
    """An imitation of a HubSpot account on this machine: a development aid.

    Example: flit hubspot sandbox serve --port 8081
    """


@sandbox.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option(
    "--state", type=click.Path(dir_okay=False), help="File that keeps the account; without it, a temporary one."
)
@click.option(
    "--tier",
    type=click.Choice(["free", "starter", "professional", "enterprise"]),
    default="professional",
    show_default=True,
    help="Subscription: decides the limits.",
)
@click.option("--faults", type=click.Path(exists=True, dir_okay=False), help="JSON list of fault rules.")
@click.option("--burst", type=click.IntRange(min=1), help="Requests per ten seconds instead of the tier's.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides the tokens of a new account.")
def serve(port: int, state: str | None, tier: str, faults: str | None, burst: int | None, seed: int) -> None:
    """Serve an imitated account until interrupted. A development aid: it is not HubSpot.

    The first line on stdout is one JSON object: the url, and the users with the tokens of their private apps.

    Example: flit hubspot sandbox serve --port 8081 --tier free
    """
    try:
        # Imported here because the help must stay quick.
        from flitstack.web.serving import serve_until_signal
        from flitstack_hubspot.sandbox.account import Switches
        from flitstack_hubspot.sandbox.app import Sandbox
        from flitstack_hubspot.sandbox.faults import read_faults
        from flitstack_hubspot.sandbox.serving import serve_in_thread

        rules = read_faults(faults) if faults else {}
        manners = Switches(burst=burst)
        account = Sandbox(state, clock=clock_from_environment(), tier=tier, switches=manners, faults=rules, seed=seed)
        serve_until_signal(account, serve_in_thread(account, port), state)
    except FlitError as exc:
        click.echo(f"Error: {exc}", err=True)
        raise SystemExit(exc.exit_code) from exc
