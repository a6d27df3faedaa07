"""Derive the reference pages of the framework from the code: hooks, behaviours, commands, errors.

    python tools/derive_reference.py            # writes docs/hooks.md, behaviours.md, contracts.md and the others
    python tools/derive_reference.py hooks      # prints one of them

A page is never edited by hand: correct the docstring, or the words in this file, and derive it again.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flitstack import errors, hookspecs, protocols
from flitstack.cli import cli
from flitstack.registration import REGISTERED_BY
from flitstack.registry import load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples" / "hooks"
ADDED = re.compile(r"\s*Added in (\d+\.\d+\.\d+)\.")
NOTE = "<!-- Derived by tools/derive_reference.py; edit the docstrings, not this page. -->"

AFTER: dict[str, str] = {
    "UsageError": "nothing was done; correct the command or the input",
    "ApprovalNeeded": "the command shows what is to be approved, and by which command",
    "ConfigurationError": "nothing is tried again; correct what the message names",
    "Interrupted": "the same command carries on",
    "Stopped": "the same command carries on",
    "RateLimited": "the engine waits and sends it again",
    "BudgetExhausted": "the run ends, or with `--wait` waits; the same command carries on",
    "NotSent": "the engine sends it again",
    "Unavailable": "a read is tried again; else the run ends, and the same command carries on",
    "InDoubt": "the engine looks for the write before it sends anything like it",
    "Rejected": "the record is listed with its code; the run goes on",
    "Fatal": "the run ends; it is a bug, of flit or of the plugin",
}


OBVIOUS: dict[str, str] = {
    "name": "its name: lower case letters, digits, `-` and `_`",
    "settings_schema": "JSON Schema (2020-12) of its settings, of type `object`",
    "behaviours": "its [behaviours](behaviours.md)",
    "source": "the source it is for",
    "destination": "the destination it is for",
    "path": "a file of the package, or a name in the shipped folder",
    "call": "what is called",
    "check": "called with the staged whole, yields findings",
    "secrets": "settings that come from their environment variable and nowhere else",
    "is_organization": "whether it stands for organizations, not people",
}
"""What parts are whose name says it all, or nearly."""


def hooks() -> dict[str, Callable[..., Any]]:
    """Return every hook by its name, in the order of the specification."""
    return {name: hook for name, hook in vars(hookspecs).items() if name.startswith("flit_")}


def added_in(name: str, doc: str) -> str:
    """Return the version that added something.

    :raises ValueError: its docstring does not say.
    """
    found = ADDED.search(doc)
    if found is None:
        raise ValueError(f'{name}: its docstring does not say "Added in X.Y.Z."')
    return found[1]


def example_of(hook: str) -> Path:
    """Return where the example of a hook is: `flit_run_started` in `run_started.py`."""
    return EXAMPLES / f"{hook.removeprefix('flit_').removeprefix('register_')}.py"


def hooks_page() -> str:
    """Return the reference of hooks."""
    found = hooks()
    lines = [
        "# Hook reference",
        NOTE,
        prose(
            "What a plugin may implement. [Plugins](plugins.md) says how a plugin is made; here is each hook "
            "with its exact signature, the version that added it, and an example. The examples make a whole "
            "together: guests from a CSV file become cards in a JSON file. A test loads all of them and runs "
            "that migration."
        ),
        prose(
            "Mark an implementation with `@hookimpl` from `flitstack.hookspecs`. It may take fewer arguments "
            "than the hook has, and no others. It returns nothing."
        ),
        "## Hooks that register",
        *(_hook(name, hook) for name, hook in found.items() if name in REGISTERED_BY),
        "## Hooks that observe",
        "They are told and answer nothing. One that fails is named in a warning, once, and the run goes on.",
        *(_hook(name, hook) for name, hook in found.items() if name not in REGISTERED_BY),
    ]
    return "\n\n".join(lines) + "\n"


def _hook(name: str, hook: Callable[..., Any]) -> str:
    doc = inspect.getdoc(hook) or ""
    example = example_of(name)
    beside = sorted(EXAMPLES.glob("*.j2")) if name == "flit_register_mapping_templates" else []
    signature = f"def {name}{inspect.signature(hook)}: ...".replace("'", "")
    parts = [f"### {name}", f"```python\n{signature}\n```", ADDED.sub("", doc).strip()]
    if name in REGISTERED_BY:
        kind = REGISTERED_BY[name]
        parts += [f"Registers `{kind.__name__}` (`flitstack.protocols`):", _parts(kind)]
    parts += [f"Added in {added_in(name, doc)}. Example: [`{example.name}`](examples/hooks/{example.name})"]
    for path, kind_of in [(example, "python"), *((each, "yaml") for each in beside)]:
        parts.append(f"```{kind_of}\n{path.read_text(encoding='utf-8').strip()}\n```")
    return "\n\n".join(parts)


def described(kind: type) -> dict[str, str]:
    """Return what a dataclass's docstring says of its fields, by name."""
    doc = inspect.getdoc(kind) or ""
    found: dict[str, str] = {}
    for names, text in re.findall(r":param ([\w, ]+): (.*?)(?=\s*:param |\n\n|\Z)", doc, re.DOTALL):
        for name in names.split(","):
            found[name.strip()] = " ".join(text.split())
    return found


def _parts(kind: Any) -> str:
    words = {**OBVIOUS, **described(kind)}
    fields = dataclasses.fields(kind)
    wrong = {one.name for one in fields} - words.keys() | described(kind).keys() - {one.name for one in fields}
    if wrong:
        raise ValueError(f"{kind.__name__}: its docstring and its parts do not agree on {', '.join(sorted(wrong))}.")
    rows = [(f"`{one.name}`", f"`{_plain(one.type)}`", _default(one), words[one.name].rstrip(".")) for one in fields]
    return table(("part", "type", "default", "what it is"), rows)


def _plain(annotation: object) -> str:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return text.replace("|", "\\|")


def _default(one: dataclasses.Field[Any]) -> str:
    if one.default is not dataclasses.MISSING:
        value = getattr(one.default, "__name__", None) or repr(one.default)
        return f"`{value}`"
    return "empty" if one.default_factory is not dataclasses.MISSING else "required"


def behaviours_page() -> str:
    """Return the reference of behaviours: what is declared, what a writer may offer besides, and who declares what."""
    declared = [(kind, inspect.getdoc(kind) or "") for kind in (protocols.Behaviours, protocols.ObjectBehaviour)]
    people = protocols.PeopleFields
    sections = [
        "# Behaviours",
        NOTE,
        prose(
            "What a destination can do is data: declared once with its registration, read by the engine, and "
            "confirmed or refuted by the test-kit. The engine has no condition on a destination's name, and "
            "neither may anything that you add to it: say it as a behaviour. An account may have less than "
            "the plugin declares; a writer's `behaviours` say what holds for its account."
        ),
    ]
    for kind, doc in [*declared, (people, inspect.getdoc(people) or "")]:
        sections += [f"## {kind.__name__}", _first(doc), _parts(kind)]
    sections += ["## What a writer may offer besides", _besides("destination")]
    sections += ["## What a reader may offer besides", _besides("source")]
    sections += ["## What the shipped destinations declare", *_shipped()]
    return "\n\n".join(sections) + "\n"


def _first(doc: str) -> str:
    return " ".join(doc.split(":param")[0].split())


def _besides(module: str) -> str:
    kinds = [
        kind
        for name in protocols.__all__
        if inspect.isclass(kind := getattr(protocols, name))
        and getattr(kind, "_is_runtime_protocol", False)
        and kind.__module__.endswith(module)
    ]
    rows = []
    for kind in kinds:
        methods = [name for name, value in vars(kind).items() if inspect.isfunction(value) and not name.startswith("_")]
        rows.append((f"`{kind.__name__}`", _first(inspect.getdoc(kind) or ""), ", ".join(f"`{m}`" for m in methods)))
    return "Optional Protocols: whoever has the methods takes part.\n\n" + table(("Protocol", "who", "methods"), rows)


def contracts_page() -> str:
    """Return the reference of what readers and writers must have, and of what passes between them and the engine."""
    sections = [
        "# Readers and writers",
        NOTE,
        prose(
            "What a plugin's reader or writer must have, method by method, and the shapes that pass between it and "
            "the engine, all of `flitstack.protocols`. [Hooks](hooks.md) say how they are registered, "
            "[Behaviours](behaviours.md) what is declared and what may be offered besides, [Errors](errors.md) what "
            "goes wrong."
        ),
    ]
    for kind, shapes in CONTRACTS:
        sections += [f"## {kind.__name__}", _first(inspect.getdoc(kind) or ""), _methods(kind)]
        for shape in shapes:
            sections += [f"### {shape.__name__}", _first(inspect.getdoc(shape) or ""), _said_parts(shape)]
    return "\n\n".join(sections) + "\n"


def _methods(kind: type) -> str:
    found = [(name, value) for name, value in vars(kind).items() if not name.startswith("_")]
    methods = [(n, v.fget if isinstance(v, property) else v) for n, v in found]
    rows = [(_call(name, one), _told(one)) for name, one in methods if inspect.isfunction(one)]
    return table(("method", "what it does"), rows)


def _call(name: str, method: Callable[..., Any]) -> str:
    asked = ", ".join(name for name in inspect.signature(method).parameters if name != "self")
    told = f"`{name}({asked})`".replace("|", "\\|")
    return f"async {told}" if inspect.iscoroutinefunction(method) else told


def _told(method: Callable[..., Any]) -> str:
    doc = " ".join((inspect.getdoc(method) or "").split())
    doc = re.sub(r"\s*:raises ([\w, ]+): ", lambda m: f"<br>Raises `{m[1]}`: ", doc)
    doc = re.sub(r"\s*:param ([\w, ]+): ", lambda m: f"<br>`{m[1]}`: ", doc)
    return doc.replace("|", "\\|") or "what holds for this account"


def _said_parts(kind: Any) -> str:
    words = described(kind)
    rows = [
        (f"`{one.name}`", f"`{_plain(one.type)}`", _default(one), words.get(one.name, "").rstrip("."))
        for one in dataclasses.fields(kind)
    ]
    return table(("part", "type", "default", "what it is"), rows)


def _shipped() -> Iterator[str]:
    registry = load_plugins()
    for name in registry.destinations():
        behaviours = registry.destination(name).behaviours
        rows = [
            (
                f"`{object_}`",
                ", ".join(sorted(one.verbs)),
                f"{one.page_size:,}",
                str(one.batch),
                f"`{one.key_in}`",
                ", ".join(f"`{parent}`" for parent in one.parents),
                one.delete,
                ", ".join(f"{verb} {cost}" for verb, cost in sorted(one.cost.items())),
            )
            for object_, one in behaviours.objects.items()
        ]
        yield f"### {name}"
        yield table(("object", "verbs", "page", "batch", "key in", "parents", "delete", "cost"), rows)


def commands_of(command: click.Command, path: tuple[str, ...] = ("flit",)) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its words, groups before what is in them."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from commands_of(below, (*path, name))


def commands_page() -> str:
    """Return the reference of commands."""
    parts = [
        "# Commands",
        NOTE,
        prose(
            "Every command with its options, as `--help` shows them. stdout carries data, stderr words; "
            "`--json` prints one object for machines, also when a command fails: `status` (the kind of error, such as "
            "`usage_error`), `error`, `exit_code`, `gates` (those that are open, each with its `hash`) and `journal`. "
            "What the exit codes mean is on the [first page](index.md#exit-codes)."
        ),
    ]
    for words, command in commands_of(cli):
        parts += [f"## {words}", f"```text\n{_help(words, command)}\n```"]
    return "\n\n".join(parts) + "\n"


def _help(words: str, command: click.Command) -> str:
    context = click.Context(
        command, info_name=words, max_content_width=110, terminal_width=110, help_option_names=["-h", "--help"]
    )
    # The top group names the distribution of each plugin's command, and its warnings go to stderr.
    # A command remembers the names of its help option from where it was first asked for it.
    command._help_option = None
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def errors_page() -> str:
    """Return the reference of errors."""
    kinds = list(_tree(errors.FlitError))
    rows = []
    for kind in kinds:
        indent = "&nbsp;" * 4 * (kind.__mro__.index(errors.FlitError) - 1)
        after = next((AFTER[base.__name__] for base in kind.__mro__ if base.__name__ in AFTER), "")
        rows.append((f"{indent}`{kind.__name__}`", str(kind.exit_code), _first(inspect.getdoc(kind) or ""), after))
    return (
        "\n\n".join(
            [
                "# Errors",
                NOTE,
                prose(
                    "What a plugin raises, or puts into an `Outcome` as its `error`: one of these, from "
                    "`flitstack.errors`. They are grouped by what happens next. A message says what, where, and what "
                    "to do, and never holds a value of a record. Anything else that a plugin raises is reported as a "
                    "bug, with exit code 1 and without its text."
                ),
                table(("error", "exit code", "what it says", "what happens next"), rows),
                "Codes of single records are on [Rejections](rejections.md); codes of findings on\n[Audit](audit.md).",
            ]
        )
        + "\n"
    )


def _tree(kind: type[errors.FlitError]) -> Iterator[type[errors.FlitError]]:
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield below
            yield from _tree(below)


def prose(text: str) -> str:
    """Return text in lines as the other pages have them."""
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |") for cells in lines)


CONTRACTS: tuple[tuple[type, tuple[type, ...]], ...] = (
    (
        protocols.SourceReader,
        (
            protocols.Stream, protocols.Record, protocols.Rejection, protocols.Skip, protocols.Where,
            protocols.InputFile, protocols.Finding,
        ),
    ),
    (
        protocols.Writer,
        (
            protocols.WriterContext, protocols.Operation, protocols.Outcome, protocols.Stored, protocols.SchemaItem,
            protocols.Account, protocols.User, protocols.Spent,
        ),
    ),
)  # fmt: skip
"""What must be implemented, each with the shapes that it is handed or answers with."""

PAGES: dict[str, Callable[[], str]] = {
    "hooks": hooks_page,
    "behaviours": behaviours_page,
    "contracts": contracts_page,
    "commands": commands_page,
    "errors": errors_page,
}


def main(names: list[str]) -> None:
    """Write all pages, or print those that are named."""
    for name in names:
        sys.stdout.write(PAGES[name]())
    for name in PAGES if not names else ():
        (ROOT / "docs" / f"{name}.md").write_text(PAGES[name](), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
