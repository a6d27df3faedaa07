"""Prints a migration's map as a table: one row a field of an object, and what it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from flitstack.reports.tables import plain_table
from flitstack.terminal import visible

if TYPE_CHECKING:
    from rich.console import Console

    from flitstack.stages.proposal.check import ShownMap


def print_map(found: ShownMap, console: Console) -> None:
    """Print the map; streams that are left out come last."""
    by = f"approved by {found.confirmed}" if found.confirmed else "approved by nobody yet"
    console.print(visible(f"Map {found.sha256[:12]} of {found.template}, {by}."), markup=False, highlight=False)
    table = plain_table("")
    for name in ("from", "to", "how"):
        table.add_column(name, overflow="fold")
    for row in found.rows:
        cells = (f"{row.stream} ({row.entry})", f"{row.object}.{row.field}", row.how)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    console.print(table)
    for stream, rule in found.left:
        console.print(visible(f"{stream} is left out: {rule}."), markup=False, highlight=False)
