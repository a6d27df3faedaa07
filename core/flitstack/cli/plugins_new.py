"""`flit plugins new`: writes a plugin to begin with, as a package of its own, and tries it when asked."""

from __future__ import annotations

from pathlib import Path

import click

KINDS = ("source", "destination", "validator", "transform", "template", "observer")


@click.command()
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(KINDS), help="What the plugin adds.")
@click.option("--into", default=".", type=click.Path(path_type=Path, file_okay=False), help="Where its folder goes.")
@click.option("--source", default="", metavar="NAME", help="For a validator or template: the source it is for.")
@click.option("--dest", default="", metavar="NAME", help="For a template: the destination it is for.")
@click.option("--install", is_flag=True, help="Install it here as it stands, editable, and run its tests to bronze.")
def new(name: str, kind: str, into: Path, source: str, dest: str, install: bool) -> None:
    """Write a new plugin: a package that installs, is typed and documented, and passes the test-kit.

    \b
    Example:
        flit plugins new acme --kind source --install
    """
    from flitstack.errors import UsageError
    from flitstack.registry import load_plugins
    from flitstack.testing.scaffolding import Wanted, by_hand, install_plugin, installing, write_plugin

    known = load_plugins()
    plugins = {*(each.name for each in known.plugins), *(each.name for each in known.broken)}
    if name in {*plugins, *known.sources(), *known.destinations()}:
        raise UsageError(
            f"{name}: a plugin of this name is installed, and two would stop each other. Choose another name."
        )
    wanted = Wanted(name, kind, source, dest)
    if install:
        installing(into / wanted.distribution, name)
    folder = write_plugin(wanted, into)
    click.echo(str(folder))
    if install:
        install_plugin(folder, name)
        return
    click.echo(f"Next: {by_hand(folder, name)}", err=True)
