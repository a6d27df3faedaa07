"""Tables and lines for a terminal of eighty columns: no word of a heading is cut, and what is copied is not broken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from flitstack.terminal import visible

if TYPE_CHECKING:
    from rich.console import Console

_COPIED = re.compile(r"head \d+:[0-9a-f]{16}|--journal ")
"""What people copy from a line: a head of the audit log, or a command."""


def plain_table(title: str, *, footer: bool = False) -> Table:
    """Return a table without columns yet; what does not fit is folded, never left out."""
    return Table(
        title=title, title_justify="left", title_style="bold", show_footer=footer, box=SIMPLE_HEAD, pad_edge=False,
        show_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip


def add_counts(table: Table, name: str, total: str = "") -> None:
    """Add a column of counts, as wide as the longest word of its heading; with its total, where the table has any."""
    heading = name.replace("_", " ")
    table.add_column(heading, total, justify="right", overflow="fold", min_width=max(map(len, heading.split())))


def say(console: Console, text: str) -> None:
    """Print a line as it is written; one with something to copy is left to the terminal to break."""
    console.print(visible(text), markup=False, highlight=False, soft_wrap=_COPIED.search(text) is not None)
