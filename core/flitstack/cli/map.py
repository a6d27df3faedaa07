"""`flit map`: proposes a map for an export, checks what a person made of it, shows the confirmed one, remembers it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import json_option, note_journal

if TYPE_CHECKING:
    from flitstack.protocols import Proposal, SourcePlugin
    from flitstack.registry import Registry

_SETS = click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="A setting: source.KEY, dest.KEY.")
_SOURCE = click.option(
    "--source", metavar="NAME", help="Where the records come from.  [default: the only one that takes part]"
)


@click.group("map")
def map_() -> None:
    """Propose a map for an export that no layout knows, check it, show what is confirmed.

    \b
    Example:
        flit map propose --input ./export --out layout.yaml
    """


@map_.command("propose")
@_SOURCE
@click.option("--input", "input_", required=True, metavar="PATH", help="The export: a folder or a zip file.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where the draft goes.  [default: stdout]")
@click.option("--dest", metavar="NAME", help="Where the records will go, for the room that its plans have.")
@click.option("--plan", metavar="NAME", help="The account's plan: how many fields of your own there is room for.")
@click.option("--account", "ask", is_flag=True, help="Look which of its fields, options and users the columns may be.")
@click.option("--no-memory", is_flag=True, help="Leave out what was confirmed for other exports.")
@click.option("--no-plugins", is_flag=True, help="Ask no plugin that proposes, only flit itself.")
@_SETS
@json_option
def propose(
    source: str | None,
    input_: str,
    out: Path | None,
    dest: str | None,
    plan: str | None,
    ask: bool,
    no_memory: bool,
    no_plugins: bool,
    sets: tuple[str, ...],
    as_json: bool,
) -> int:
    """Say which file is which stream and which column which field: a draft that a person edits. Nothing leaves here.

    \b
    Example:
        flit map propose --input ./export --out layout.yaml
    """
    from flitstack.mapping.proposing import Memory, memory_folder
    from flitstack.stages.proposal.account import ask_account
    from flitstack.stages.proposal.propose import as_json as proposal_json
    from flitstack.stages.proposal.propose import propose_map, room_of, settings_of

    registry, plugin = _plugin(source)
    destination = registry.destination(_only(_destinations(registry, plan), dest, "--dest")) if plan or ask else None
    memory = None if no_memory else Memory(memory_folder())
    settings = settings_of(plugin, sets, Path())
    room = room_of(registry, plugin.name, destination, plan) if destination and plan else None
    account = asyncio.run(ask_account(destination, sets, Path())) if destination and ask else None
    proposal, draft = propose_map(
        registry, plugin, input_, settings, memory, room, plugins=not no_plugins, account=account
    )
    if out is not None:
        if out.exists():
            raise click.UsageError(f"{out} is there already. Move it away, or name another file with --out.")
        try:
            out.write_text(draft, encoding="utf-8")
        except OSError as exc:
            raise click.UsageError(f"{out}: cannot be written ({exc.strerror}). Name another file.") from exc
    if as_json:
        click.echo(json.dumps({**proposal_json(proposal), "draft": str(out) if out else None}, ensure_ascii=False))
    elif out is None:
        click.echo(draft, nl=False)
    _say(proposal, out)
    return 0


def _say(proposal: Proposal, out: Path | None) -> None:
    columns = [column for file in proposal.files for column in file.columns if file.stream]
    placed = sum(column.chosen is not None for column in columns)
    ticked = sum(column.ticked for column in columns)
    if proposal.layout:
        click.echo(f"The layout {proposal.layout} knows this export; only columns it leaves are on offer.", err=True)
    else:
        known = sum(bool(file.stream) for file in proposal.files)
        click.echo(f"{known} of {len(proposal.files)} files are a stream; {placed} of their {len(columns)} columns "
                   f"have a field, {ticked} of these surely.", err=True)  # fmt: skip
    if proposal.customs:
        click.echo(f"{len(proposal.customs)} columns have no field: on offer as fields of your own.", err=True)
    if known := sum(bool(each.account) for each in proposal.customs):
        click.echo(f"{known} of these the account may know already; the draft says as what.", err=True)
    if proposal.room is not None:
        over = sum(each.fits is False for each in proposal.customs)
        click.echo(f"{proposal.room[1]}. Of those on offer {over} find no room.", err=True)
    if out is not None:
        click.echo(f"The draft: {out}. Read it, correct it, then: flit map check {out}", err=True)


@map_.command("check")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_SOURCE
@click.option("--input", "input_", metavar="PATH", help="An export, which says what streams and fields there are.")
@click.option("--journal", default="./flit.db", show_default=True, type=click.Path(path_type=Path, dir_okay=False),
              help="The migration's file, beside which `flit_plugins/` may be.")  # fmt: skip
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="A variable of a template, or source.KEY.")
@json_option
def check(
    file: Path, source: str | None, input_: str | None, journal: Path, sets: tuple[str, ...], as_json: bool
) -> int:
    """Say what is wrong in a layout, a mapping template or a mapping spec: where, and the nearest name that exists.

    A template is rendered with the defaults of its variables, and what comes of it is looked at.

    \b
    Example:
        flit map check layout.yaml
    """
    from flitstack.registry import load_plugins
    from flitstack.stages.proposal.check import check_file

    found = check_file(load_plugins(beside=journal), source, file, input_, sets)
    if as_json:
        told = {"file": str(file), "kind": found.kind, "problems": list(found.problems), "unseen": found.unseen}
        click.echo(json.dumps(told, ensure_ascii=False))
    elif found.problems:
        click.echo("\n".join(found.problems))
    else:
        click.echo(f"{file}: a {found.kind}, and nothing is wrong in it. {found.unseen}".rstrip())
    return 4 if found.problems else 0


@map_.command("show")
@click.option("--journal", default="./flit.db", show_default=True, type=click.Path(path_type=Path, dir_okay=False),
              help="The migration's file.")  # fmt: skip
@json_option
def show(journal: Path, as_json: bool) -> None:
    """Show the map of a migration: which field of which object comes from what.

    \b
    Example:
        flit map show --journal ./flit.db
    """
    from flitstack.stages.proposal.check import shown_map

    found = shown_map(note_journal(journal))
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    from rich.console import Console

    from flitstack.reports.map import print_map

    print_map(found, Console())


@map_.command("remember")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_SOURCE
def remember(file: Path, source: str | None) -> int:
    """Confirm a layout, so that the next export with these headers is proposed the same way. Only names are kept.

    \b
    Example:
        flit map remember layout.yaml
    """
    from flitstack.mapping.proposing import Memory, memory_folder
    from flitstack.stages.proposal.propose import proposing_of

    _, plugin = _plugin(source)
    parts = proposing_of(plugin)
    if problems := parts.check(file):
        click.echo("\n".join(problems), err=True)
        return 4
    memory = Memory(memory_folder())
    kept = memory.keep(plugin.name, file.name, datetime.now(UTC).date().isoformat(), parts.known(file))
    click.echo(f"Remembered as {kept.id}: {len(kept.columns)} columns, in {memory.folder}.")
    return 0


@map_.group("memory")
def memory() -> None:
    """See which maps are remembered, and forget them.

    \b
    Example:
        flit map memory list
    """


@memory.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the maps that were confirmed.

    \b
    Example:
        flit map memory list
    """
    from flitstack.mapping.proposing import Memory, memory_folder

    kept = Memory(memory_folder()).all()
    if as_json:
        told = [
            {"id": k.id, "source": k.source, "name": k.name, "confirmed_on": k.confirmed_on, "columns": len(k.columns)}
            for k in kept
        ]
        click.echo(json.dumps({"maps": told}))
        return
    lines = [f"{k.id}  {k.confirmed_on}  {k.source}  {k.name}  {len(k.columns)} columns" for k in kept]
    click.echo("\n".join(lines) or "No map is remembered.")


@memory.command("forget")
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
def forget(ids: tuple[str, ...], everything: bool) -> None:
    """Forget maps, by the ids that `flit map memory list` shows.

    \b
    Example:
        flit map memory forget 1f3a5b7c9d0e
    """
    from flitstack.mapping.proposing import Memory, memory_folder

    if everything == bool(ids):
        raise click.UsageError("Say which: the ids, or --all.")
    kept = Memory(memory_folder())
    gone = kept.forget([each.id for each in kept.all()] if everything else list(ids))
    click.echo(f"Forgotten: {gone}.")


def _plugin(name: str | None) -> tuple[Registry, SourcePlugin]:
    from flitstack.registry import load_plugins

    registry = load_plugins()
    taking_part = tuple(each for each in registry.sources() if registry.source(each).proposing is not None)
    return registry, registry.source(_only(taking_part, name, "--source"))


def _destinations(registry: Registry, plan: str | None) -> tuple[str, ...]:
    """Return the destinations that have a plan of that name; all where none has, or none is named."""
    names = registry.destinations()
    return tuple(n for n in names if plan in {each.name for each in registry.destination(n).plans}) or names


def _only(names: tuple[str, ...], stated: str | None, option: str) -> str:
    if stated is None and len(names) != 1:
        raise click.UsageError(f"Say which: {option} {' | '.join(names) or 'NAME (no plugin offers one)'}.")
    return stated or names[0]
