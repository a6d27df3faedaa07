"""`flit estimate`: what a load takes, in requests, tokens and days, before anything is written."""

from __future__ import annotations

import asyncio
import difflib
import json
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import ends_options, json_option, looking_options, note_journal

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.plan.estimate import Estimate

MOST_RECORDS = 10_000_000
"""More main records than any business has on file; more is a slip of the hand."""
COUNT = click.IntRange(1, MOST_RECORDS)


@click.command(context_settings={"ignore_unknown_options": True})
@ends_options
@click.option("--input", "input_", metavar="PATH", help="The export: a folder or a zip file.")
@click.option("--records", type=COUNT, metavar="N",
              help="Without an export: so many of the source's main records, by documented ratios. The name of their "
              "stream in place of the word will do.")  # fmt: skip
@click.option("--plan", metavar="NAME", help="The account's plan.")
@click.option("--seats", type=click.IntRange(min=1), metavar="N", help="The account's paid seats.")
@looking_options("what is still to be done is estimated. It is only read.")
@click.option("--offline", is_flag=True, help="Ask no account, even where there is a token; take an empty one.")
@click.option("--no-policies", is_flag=True, help="Leave out what each policy would save; quicker.")
@json_option
@click.argument("counted", nargs=-1, type=click.UNPROCESSED, metavar="[--STREAM N]")
def estimate(
    source: str | None,
    dest: str | None,
    input_: str | None,
    records: int | None,
    plan: str | None,
    seats: int | None,
    journal: Path,
    mapping: str | None,
    sets: tuple[str, ...],
    offline: bool,
    no_policies: bool,
    as_json: bool,
    counted: tuple[str, ...],
) -> None:
    """Say what a load takes: requests, tokens, time, per object, with and without each policy, on every plan.

    \b
    Example:
        flit estimate --input ./export --set profile=full --plan growth --seats 3
        flit estimate --records 8000 --plan growth --seats 3
    """
    stream, records = _counted(counted, records)
    if (input_ is None) == (records is None):
        raise click.UsageError("Give either --input PATH, an export, or --records N, how many main records there are.")
    found = _estimate(
        source,
        dest,
        input_,
        records,
        stream,
        plan,
        seats,
        note_journal(journal),
        mapping,
        sets,
        offline,
        not no_policies,
    )
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    from rich.console import Console

    from flitstack.reports.estimate import print_estimate

    print_estimate(found, Console())


def _counted(words: tuple[str, ...], records: int | None) -> tuple[str, int | None]:
    """Return the stream that a number is said of and the number: `--people 8000`; "" and --records without one.

    Which streams can be counted is known once the source is chosen.
    :raises click.UsageError: there is more, or no number.
    """
    if not words:
        return "", records
    ctx = click.get_current_context()
    option, joined, number = words[0].partition("=")
    rest = words[1:] if joined else words[2:]
    if not option.startswith("--") or rest:
        ctx.fail(f"Got unexpected extra arguments ({' '.join(rest or words)})")
    known = [name for param in ctx.command.params for name in param.opts if name.startswith("--")]
    meant = difflib.get_close_matches(option, known, 1, 0.8)
    if meant or not (joined or words[1:]):
        raise click.NoSuchOption(option, possibilities=meant, ctx=ctx)
    if records is not None:
        ctx.fail(f"--records and {option} say the same. Give one.")
    said = click.Option([option], type=COUNT).type_cast_value(ctx, number if joined else words[1])
    return option.removeprefix("--").replace("-", "_"), int(said)


def _estimate(
    source: str | None,
    dest: str | None,
    input_: str | None,
    records: int | None,
    stream: str,
    plan: str | None,
    seats: int | None,
    journal: Path,
    mapping: str | None,
    sets: tuple[str, ...],
    offline: bool,
    policies: bool,
) -> Estimate:
    from flitstack.registry import load_plugins
    from flitstack.reports.progress import progress_for_stderr
    from flitstack.stages.choosing import destination_of, source_of
    from flitstack.stages.context import StopFlag
    from flitstack.stages.options import RunOptions
    from flitstack.stages.plan.estimate import estimate_export, estimate_ratios
    from flitstack.stages.setup import set_up

    registry = load_plugins(beside=journal)
    source = source_of(registry, source, input_, sets, journal.parent, stream)
    stated = [f"dest.{name}={value}" for name, value in (("plan", plan), ("seats", seats)) if value is not None]
    sets = (*sets, *stated)
    dest = destination_of(registry, dest, sets, journal.parent)
    options = RunOptions(source, dest, journal, input_ or "", mapping, sets)
    setup = set_up(options, registry=registry)
    if records is not None:
        return estimate_ratios(setup, records)
    return asyncio.run(
        estimate_export(setup, progress_for_stderr(), StopFlag(), journal=journal, offline=offline, policies=policies)
    )
