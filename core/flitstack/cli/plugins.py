"""`flit plugins`: shows what is installed, what it offers, and which plugin was left out and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flitstack.beside import FilePlugin, confirm_file_plugin, find_file_plugins
from flitstack.cli.plugins_new import new
from flitstack.cli.plugins_test import test
from flitstack.registration import describe
from flitstack.registry import BrokenPlugin, Plugin, Registry, load_plugins

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group()
def plugins() -> None:
    """See which plugins are installed and what they offer.

    \b
    Example:
        flit plugins list
    """


plugins.add_command(new)
plugins.add_command(test)

_journal = click.option(
    "--journal", default="flit.db", type=click.Path(path_type=Path, dir_okay=False),
    help="The migration's file, beside which `flit_plugins/` may be.  [default: ./flit.db]",
)  # fmt: skip


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@_journal
def list_plugins(as_json: bool, journal: Path) -> None:
    """List every plugin with its version, its hooks and what it registers; broken ones with the cause.

    \b
    Example:
        flit plugins list --json
    """
    registry = load_plugins()
    files = find_file_plugins(journal)
    if as_json:
        click.echo(json.dumps(_as_json(registry) | {"files": [_file_as_json(each) for each in files]}, indent=2))
        return
    shown = [*map(_usable, registry.plugins), *map(_broken, registry.broken), *map(_file, files)]
    click.echo("\n\n".join(shown) or "No plugin is installed.")
    if registry.broken:
        click.echo(f"{len(registry.broken)} broken, left out; they stop only a run that needs them.", err=True)


@plugins.command()
@click.argument("name")
@click.option("--by", required=True, metavar="NAME", help="Who has read the file and answers for it.")
@_journal
def confirm(name: str, by: str, journal: Path) -> None:
    """Put your name to a plugin in a file beside the journal, as it is now. It runs with all that you may do.

    \b
    Example:
        flit plugins confirm oneoff --by "Ada Orlov"
    """
    from flitstack.clock import clock_from_environment
    from flitstack.stages.gates.passing import named

    named(by, "--by")
    plugin = confirm_file_plugin(journal, name, by, clock_from_environment().now().isoformat(timespec="seconds"))
    click.echo(f"{plugin.path}: {plugin.state}; sha256 {plugin.sha256}.")


def _file_as_json(plugin: FilePlugin) -> dict[str, Any]:
    return {"name": plugin.name, "path": str(plugin.path), "sha256": plugin.sha256, "confirmed": plugin.confirmed}


def _file(plugin: FilePlugin) -> str:
    return f"{plugin.name} ({plugin.path})\n  file: {plugin.state}"


def _as_json(registry: Registry) -> dict[str, Any]:
    return {
        "plugins": [
            {
                "name": plugin.name,
                "distribution": plugin.distribution,
                "version": plugin.version,
                "hooks": list(plugin.hooks),
                "registers": [describe(thing) for thing in plugin.registered],
            }
            for plugin in registry.plugins
        ],
        "broken": [
            {"name": each.name, "distribution": each.distribution, "version": each.version, "cause": each.cause}
            for each in registry.broken
        ],
    }


def _usable(plugin: Plugin) -> str:
    return "\n".join(
        [
            f"{plugin.name} ({plugin.distribution} {plugin.version})",
            _wrapped("hooks", plugin.hooks),
            *(_wrapped(kind, names) for kind, names in _by_kind(plugin).items()),
        ]
    )


def _by_kind(plugin: Plugin) -> dict[str, list[str]]:
    """Return the names of what it registers by kind, kinds in the order in which they were registered."""
    found: dict[str, list[str]] = {}
    for thing in plugin.registered:
        kind, _, name = describe(thing).partition(" ")
        found.setdefault(kind, []).append(name)
    return {f"{kind}s" if len(names) > 1 else kind: names for kind, names in found.items()}


def _wrapped(label: str, names: Sequence[str]) -> str:
    return click.wrap_text(f"{label}: {', '.join(names)}", 100, initial_indent="  ", subsequent_indent="    ")


def _broken(plugin: BrokenPlugin) -> str:
    return f"{plugin.name} ({plugin.distribution} {plugin.version}) BROKEN\n  cause: {plugin.cause}"
