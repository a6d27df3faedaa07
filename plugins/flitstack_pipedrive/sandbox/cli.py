"""`flit sandbox`: offers the embedded sandbox over HTTP."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flitstack.clock import clock_from_environment
from flitstack.errors import FlitError

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.app import Sandbox
    from flitstack_pipedrive.sandbox.faults import FaultRule


@click.group()
def sandbox() -> None:
    """An imitation of a Pipedrive account on this machine: a development aid."""


@sandbox.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option(
    "--state", type=click.Path(dir_okay=False), help="File that keeps the account; without it, a temporary one."
)
@click.option("--plan", default="growth", show_default=True, help="lite, growth, premium or ultimate.")
@click.option("--seats", type=click.IntRange(min=1), default=1, show_default=True, help="Seats that were bought.")
@click.option("--faults", type=click.Path(exists=True, dir_okay=False), help="JSON list of fault rules.")
@click.option("--burst", type=click.IntRange(min=1), help="Requests per two seconds instead of the plan's.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides keys and tokens of a new account.")
def serve(
    port: int, state: str | None, plan: str, seats: int, faults: str | None, burst: int | None, seed: int
) -> None:
    """Serve an imitated account until interrupted. A development aid: it is not Pipedrive.

    The first line on stdout is one JSON object: the url, and the users with their tokens.

    Example: flit sandbox serve --port 8080 --plan ultimate --seats 5
    """
    try:
        rules = _rules(faults)
        account = _open(state, plan=plan, seats=seats, burst=burst, faults=rules, seed=seed)
        _serve(account, port, state)
    except FlitError as exc:
        click.echo(f"Error: {exc}", err=True)
        raise SystemExit(exc.exit_code) from exc


def _rules(faults: str | None) -> tuple[FaultRule, ...]:
    from flitstack_pipedrive.sandbox.faults import read_rules

    return read_rules(Path(faults)) if faults else ()


def _open(
    state: str | None, *, plan: str, seats: int, burst: int | None, faults: tuple[FaultRule, ...], seed: int
) -> Sandbox:
    # Imported here because the help must stay quick.
    from flitstack_pipedrive.sandbox.app import Sandbox, Switches

    switches = Switches(burst=burst)
    clock = clock_from_environment()
    return Sandbox(state, plan=plan, seats=seats, clock=clock, seed=seed, switches=switches, faults=faults)


def _serve(account: Sandbox, port: int, state: str | None) -> None:
    """Serve until a signal comes; the first line on stdout says where."""
    from flitstack_pipedrive.sandbox.serving import serve_in_thread

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with account, serve_in_thread(account, port) as url:
        click.echo(json.dumps({"url": url, "users": account.users}))
        where = state or "a temporary file"
        click.echo(f"Sandbox on {url}, a development aid; its state is in {where}. Ctrl-C stops it.", err=True)
        # A wait without end would keep Windows from noticing Ctrl-C.
        while not stop.wait(0.5):
            pass
    click.echo("Sandbox stopped.", err=True)
