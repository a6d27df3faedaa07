"""`flit plugins`: shows what is installed, what it offers, and which plugin was left out and why."""

from __future__ import annotations

import json
from typing import Any

import click

from flitstack.registration import describe
from flitstack.registry import BrokenPlugin, Plugin, Registry, load_plugins


@click.group()
def plugins() -> None:
    """See which plugins are installed and what they offer.

    \b
    Example:
        flit plugins list
    """


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def list_plugins(as_json: bool) -> None:
    """List every plugin with its version, its hooks and what it registers; broken ones with the cause.

    \b
    Example:
        flit plugins list --json
    """
    registry = load_plugins()
    if as_json:
        click.echo(json.dumps(_as_json(registry), indent=2))
        return
    click.echo(
        "\n\n".join([*map(_usable, registry.plugins), *map(_broken, registry.broken)]) or "No plugin is installed."
    )
    if registry.broken:
        click.echo(f"{len(registry.broken)} broken, left out; they stop only a run that needs them.", err=True)


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
    registers = ", ".join(describe(thing) for thing in plugin.registered) or "nothing"
    return "\n".join(
        [
            f"{plugin.name} ({plugin.distribution} {plugin.version})",
            f"  hooks: {', '.join(plugin.hooks)}",
            f"  registers: {registers}",
        ]
    )


def _broken(plugin: BrokenPlugin) -> str:
    return f"{plugin.name} ({plugin.distribution} {plugin.version}) BROKEN\n  cause: {plugin.cause}"
