"""`flit sandbox`: offers the embedded sandbox over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flitstack.clock import clock_from_environment
from flitstack.errors import FlitError

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.app import Sandbox


@click.group()
def sandbox() -> None:
    """An imitation of a Pipedrive account on this machine: a development aid.

    Example: flit sandbox serve --past practice
    """


@sandbox.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option(
    "--state", type=click.Path(dir_okay=False), help="File that keeps the account; without it, a temporary one."
)
@click.option("--plan", default="growth", show_default=True, help="lite, growth, premium, ultimate or an older one.")
@click.option("--seats", type=click.IntRange(min=1), default=1, show_default=True, help="Seats that were bought.")
@click.option("--faults", type=click.Path(exists=True, dir_okay=False), help="JSON list of fault rules.")
@click.option("--past", help="What a new account has lived through: practice, or a JSON file.")
@click.option("--human", help="What somebody at the practice does meanwhile: practice, or a JSON file.")
@click.option("--log", is_flag=True, help="Print one line a request to stderr.")
@click.option("--burst", type=click.IntRange(min=1), help="Requests per two seconds instead of the plan's.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides keys and tokens of a new account.")
def serve(
    port: int,
    state: str | None,
    plan: str,
    seats: int,
    faults: str | None,
    past: str | None,
    human: str | None,
    log: bool,
    burst: int | None,
    seed: int,
) -> None:
    """Serve an imitated account until interrupted. A development aid: it is not Pipedrive.

    The first line on stdout is one JSON object: the url, and the users with their tokens. Open the url in a browser to
    see the account.

    Example: flit sandbox serve --port 8080 --plan ultimate --seats 5
    """
    try:
        # Imported here because the help must stay quick.
        from flitstack.web.serving import serve_until_signal
        from flitstack_pipedrive.sandbox.serving import serve_in_thread

        more = _scripts(faults, human, burst)
        words = _print_line if log else None
        account = _open(state, plan=plan, seats=seats, seed=seed, past=past, log=words, **more)
        serve_until_signal(account, serve_in_thread(account, port), state)
    except FlitError as exc:
        click.echo(f"Error: {exc}", err=True)
        raise SystemExit(exc.exit_code) from exc


def _print_line(line: str) -> None:
    click.echo(line, err=True)


def _scripts(faults: str | None, human: str | None, burst: int | None) -> dict[str, Any]:
    """Return the sandbox's settings that come from files, and its switches."""
    # Imported here because the help must stay quick.
    from flitstack_pipedrive.sandbox.app import Switches
    from flitstack_pipedrive.sandbox.faults import read_rules
    from flitstack_pipedrive.sandbox.human import read_steps

    return {
        "faults": read_rules(Path(faults)) if faults else (),
        "human": read_steps(human) if human else (),
        "switches": Switches(burst=burst),
    }


def _open(state: str | None, **settings: Any) -> Sandbox:
    from flitstack_pipedrive.sandbox.app import Sandbox

    return Sandbox(state, clock=clock_from_environment(), **settings)
