"""The command line: the top group, which imports a command only when it is called."""

from __future__ import annotations

import click

from flitstack import __version__
from flitstack.cli.lazy import LazyCommand, LazyGroup

__all__ = ["cli"]

COMMANDS = {
    "run": LazyCommand("flitstack.cli.run:run", "Move the records: every stage, stopping at the gates."),
    "audit": LazyCommand("flitstack.cli.audit:audit", "Look at an export: what it holds, what needs deciding."),
    "map": LazyCommand("flitstack.cli.map:map_", "Propose a map for an export no layout knows, check it, show it."),
    "estimate": LazyCommand("flitstack.cli.estimate:estimate", "Say what a load takes: requests, tokens, days, plans."),
    "plan": LazyCommand("flitstack.cli.plan:plan", "Show what a run would do and what it costs; writes nothing."),
    "sample": LazyCommand("flitstack.cli.sample:sample", "Migrate a few for real; compare them field by field."),
    "approve": LazyCommand("flitstack.cli.approve:approve", "Approve what a gate has shown, by name."),
    "verify": LazyCommand("flitstack.cli.verify:verify", "Read back what was written, and say what differs now."),
    "conflicts": LazyCommand("flitstack.cli.conflicts:conflicts", "What people changed that a delta would write over."),
    "status": LazyCommand("flitstack.cli.status:status", "Where a migration stands, and what comes next."),
    "report": LazyCommand("flitstack.cli.report:report", "The final report: to read, to print and to sign."),
    "explain": LazyCommand("flitstack.cli.explain:explain", "One record's whole life, from its file and line on."),
    "rejects": LazyCommand("flitstack.cli.rejects:rejects", "What could not move: list it, correct it, retry it."),
    "journal": LazyCommand("flitstack.cli.journal:journal", "The audit log exported and proved; values purged."),
    "rollback": LazyCommand(
        "flitstack.cli.rollback:rollback", "Undo what was written, but for what people changed since."
    ),
    "probe": LazyCommand("flitstack.cli.probe:probe", "Find out by trying how this account behaves."),
    "plugins": LazyCommand("flitstack.cli.plugins:plugins", "See which plugins are installed and what they offer."),
}


@click.command(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, envvar="FLITSTACK_DEBUG", help="Show a traceback when something fails.")
@click.version_option(__version__, prog_name="flit", message="%(prog)s (flitstack) %(version)s")
def cli(debug: bool) -> None:
    """Move a business's records from one platform to another: every record once, verified.

    Begin without an account, with a bundled example:

    \b
        flit run --source SOURCE --dest DESTINATION --demo
    """
