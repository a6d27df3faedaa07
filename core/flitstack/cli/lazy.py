"""A command group that knows its commands by name and help, and imports one only when it is called."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from flitstack.cli.endings import JOURNAL, ending_of, not_understood
from flitstack.cli.installed import command_points
from flitstack.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.cli.endings import Ending
    from flitstack.cli.installed import CommandPoint

COMMAND_GROUP = "flitstack.commands"
JSON = "--json"
_WORDS = "flitstack.words"


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
    points: tuple[CommandPoint, ...]
    distributions: str

    def load(self) -> click.Command:
        """Return the command itself.

        :raises PluginError: it cannot be imported, is no click command, or two distributions claim its name.
        """
        from importlib.metadata import EntryPoint

        if len(self.points) > 1:
            raise PluginError(f'The command "{self.name}" is offered by {self.distributions}. Uninstall all but one.')
        try:
            command = EntryPoint(self.name, self.points[0].value, COMMAND_GROUP).load()
        except KeyboardInterrupt:
            raise
        except BaseException as exc:  # importing a plugin may raise anything
            cause = f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
            raise PluginError(f'The command "{self.name}" of {self._origin()} cannot be imported: {cause}') from exc
        if not isinstance(command, click.Command):
            raise PluginError(f'The command "{self.name}" of {self._origin()} is no click command.')
        return command

    def _origin(self) -> str:
        return f"the distribution {self.points[0].distribution} {self.points[0].version}"


class LazyGroup(click.Group):
    """The top group: core's commands from a table, then those of plugins; errors become one message and an exit code.

    With `--json` an error is one object on stdout, too, the same for every command.
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
        import difflib  # only a name that is not there needs it

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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_WORDS] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            code = super().invoke(ctx)
        except click.exceptions.Exit:
            raise
        except click.ClickException as exc:
            _print_as_json(ctx, not_understood(exc))
            raise
        except (SystemExit, GeneratorExit):
            raise
        except BaseException as exc:
            ending = ending_of(exc, debug=bool(ctx.params.get("debug")))
            if ending is None:
                raise
            _print_as_json(ctx, ending)
            click.echo(ending.message, err=True)
            code = ending.exit_code
        if isinstance(code, int) and code:
            ctx.exit(code)
        return code


def _print_as_json(ctx: click.Context, ending: Ending) -> None:
    """Print how an invocation ends as an object, where it asked for one; the options may not have been understood."""
    import json  # only an error needs it

    words: Sequence[str] = ctx.meta.get(_WORDS, ())
    if JSON in words[: words.index("--") if "--" in words else None]:
        click.echo(json.dumps(ending.as_json(ctx.meta.get(JOURNAL, "")), ensure_ascii=False))


def _installed_commands() -> dict[str, PluginCommand]:
    by_name: dict[str, list[CommandPoint]] = {}
    for point in command_points(COMMAND_GROUP):
        by_name.setdefault(point.name, []).append(point)
    return {
        name: PluginCommand(name, tuple(points), " and ".join(sorted(point.distribution for point in points)))
        for name, points in sorted(by_name.items())
    }
