"""Tables for a terminal of eighty columns: no frame around them, and no word of a heading cut."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table


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
