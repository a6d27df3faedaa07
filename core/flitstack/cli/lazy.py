"""A command group that knows its commands by name and help, and imports one only when it is called."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from flitstack.cli.endings import ending_of
from flitstack.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import EntryPoint

COMMAND_GROUP = "flitstack.commands"


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command of core: where it is, as `module:attribute`, and the short help to list it by."""

    target: str
    help: str


@dataclass(frozen=True, slots=True)
class PluginCommand:
    """A command that a plugin adds, by its entry points: one, or several that claim the same name.

    :param distributions: who offers it: `acme-flit`, or `acme-flit and other-flit`.
    """

    name: str
    points: tuple[EntryPoint, ...]
    distributions: str

    def load(self) -> click.Command:
        """Return the command itself.

        :raises PluginError: it cannot be imported, is no click command, or two distributions claim its name.
        """
        if len(self.points) > 1:
            raise PluginError(f'The command "{self.name}" is offered by {self.distributions}. Uninstall all but one.')
        try:
            command = self.points[0].load()
        except (Exception, SystemExit) as exc:
            cause = f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
            raise PluginError(f'The command "{self.name}" of {self._origin()} cannot be imported: {cause}') from exc
        if not isinstance(command, click.Command):
            raise PluginError(f'The command "{self.name}" of {self._origin()} is no click command.')
        return command

    def _origin(self) -> str:
        dist = self.points[0].dist
        return f"the distribution {dist.name} {dist.version}" if dist else "an unknown distribution"


class LazyGroup(click.Group):
    """The top group: core's commands from a table, then those of plugins; errors become one message and an exit code.

    A command ends with its exit code as return value (None is 0), by `ctx.exit`, or by raising a FlitError.
    """

    def __init__(self, *args: Any, table: Mapping[str, LazyCommand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.table, *self.plugin_commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.table:
            module, _, attribute = self.table[cmd_name].target.partition(":")
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return command
        found = self.plugin_commands().get(cmd_name)
        return found.load() if found else None

    def plugin_commands(self) -> dict[str, PluginCommand]:
        """Return the commands that plugins add, by name, sorted; core's own names are left out."""
        return {name: command for name, command in _installed_commands().items() if name not in self.table}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            meant = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            ctx.fail(f'No such command "{name}".' + (f' Did you mean "{meant[0]}"?' if meant else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in self.table.items()])
        installed = _installed_commands()
        added = {name: f"From the distribution {c.distributions}." for name, c in installed.items()}
        if shown := [(name, words) for name, words in added.items() if name not in self.table]:
            with formatter.section("Commands from plugins"):
                formatter.write_dl(shown)
        for name, command in installed.items():
            if name in self.table:
                hidden = f'the command "{name}" of the distribution {command.distributions}'
                click.echo(f"warning: {hidden} is hidden by flit's own.", err=True)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            code = super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (Exception, KeyboardInterrupt) as exc:
            ending = ending_of(exc, debug=bool(ctx.params.get("debug")))
            if ending is None:
                raise
            click.echo(ending.message, err=True)
            code = ending.exit_code
        if isinstance(code, int) and code:
            ctx.exit(code)
        return code


def _installed_commands() -> dict[str, PluginCommand]:
    # Only --help and a name that is not core's need this scan; importing it costs as much as click.
    from importlib.metadata import entry_points

    # A distribution's name is looked up once: each look parses its metadata.
    by_name: dict[str, list[tuple[str, EntryPoint]]] = {}
    for point in entry_points(group=COMMAND_GROUP):
        by_name.setdefault(point.name, []).append((_distribution(point), point))
    found: dict[str, PluginCommand] = {}
    for name, claims in sorted(by_name.items()):
        claims.sort(key=lambda claim: claim[0])
        offered = " and ".join(distribution for distribution, _ in claims)
        found[name] = PluginCommand(name, tuple(point for _, point in claims), offered)
    return found


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown"
