"""`flit conflicts`: what people changed in the account that a later export would write over, and how to decide."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import carry_out, journal_at, journal_option, json_option, set_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.stages.delta.listing import Told


@click.command()
@journal_option
@click.option("--all", "every", is_flag=True, help="Those that are over as well.")
@click.option("--show-values", is_flag=True, help="What was written, what the source says, what the account holds.")
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False), help="Write a decisions file to edit.")
@set_option
@click.option("--demo", is_flag=True, help="The journal and the account of `flit run --demo`.")
@json_option
def conflicts(
    journal: Path | None,
    every: bool,
    show_values: bool,
    export: Path | None,
    sets: tuple[str, ...],
    demo: bool,
    as_json: bool,
) -> int:
    """List what people changed in the account and the source changed too: what the account holds stays.

    To decide, edit the file that --export writes (`keep` or `overwrite` in each line) and give it to `flit run` with
    --set decisions=FILE; or decide on all at once with --set conflicts=keep or conflicts=overwrite.

    \b
    Example:
        flit conflicts --export decisions.csv
    """
    from flitstack.journal import Journal
    from flitstack.stages.delta.listing import export_conflicts, list_conflicts, show_conflicts
    from flitstack.stages.proof.recheck import RecheckOptions

    path = journal_at(journal, demo=demo)
    if show_values:
        found: Sequence[Told] = carry_out(partial(show_conflicts, RecheckOptions(path, sets, demo)))
    else:
        with Journal.existing(path) as opened:
            found = list_conflicts(opened, every=every)
    if export is not None:
        lines = export_conflicts(export, found)
        click.echo(f"{lines:,} {'line' if lines == 1 else 'lines'} to edit: {export}", err=True)
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found], ensure_ascii=False))
    else:
        _print(found)
    return 1 if any(one.conflict.state == "open" for one in found) else 0


def _print(found: Sequence[Told]) -> None:
    from flitstack.stages.delta.listing import count_by_field

    for one in found:
        click.echo(f"{one.record}  {one.what}  {one.conflict.state} since {one.conflict.at[:16]}: {one.reason}")
        for name, value in one.values.items():
            click.echo(f"    {name}: {json.dumps(value, ensure_ascii=False)}")
    for (state, what), count in count_by_field(found).items():
        click.echo(f"{count:,} {state}: {what}", err=True)
    click.echo("1 conflict." if len(found) == 1 else f"{len(found):,} conflicts.", err=True)
