"""A record's life as a tree on the terminal: what happened, when, and what stands below it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from flitstack.protocols import full_key
from flitstack.terminal import visible

if TYPE_CHECKING:
    from rich.console import Console

    from flitstack.stages.explain import Event, Life

WARNING = ("rejection", "rejected", "conflict", "in_doubt", "undo")


def print_life(life: Life, console: Console, *, values: bool) -> None:
    """Print a record's life.

    :param values: show values of the record too.
    """
    tree = Tree(Text(visible(life.key), style="bold"))
    source = tree.add(Text("in the source", style="bold"))
    for event in life.source:
        _add(source, event, values=values)
    if not life.source:
        source.add(Text("nothing is known of it there"))
    for one in life.made:
        name = f"{one.object} {full_key(one.key, one.part)}"
        branch = tree.add(Text.assemble((visible(name), "bold"), f", {one.role}" if one.role else ""))
        for event in one.events:
            _add(branch, event, values=values)
    if not life.made:
        tree.add(Text("no record of the destination comes of it"))
    console.print(tree)


def _add(tree: Tree, event: Event, *, values: bool) -> None:
    at = f"{event.at[:19].replace('T', ' ')}  " if event.at else ""
    style = "yellow" if event.kind in WARNING else ""
    branch = tree.add(Text.assemble((at, "dim"), (visible(event.text), style)))
    for line in event.details:
        branch.add(Text(visible(line), style="dim"))
    if values:
        for name, value in event.values.items():
            if value not in (None, "", [], {}):
                branch.add(Text.assemble((visible(f"{name}: "), "cyan"), visible(_plain(value))))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
