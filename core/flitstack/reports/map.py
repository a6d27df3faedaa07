"""Prints a migration's map as a table: one row a field of an object, and what it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from flitstack.stages.proposal.check import ShownMap


def print_map(found: ShownMap, console: Console) -> None:
    """Print the map; streams that are left out come last."""
    by = f"approved by {found.confirmed}" if found.confirmed else "approved by nobody yet"
    console.print(f"Map {found.sha256[:12]} of {found.template}, {by}.", highlight=False)
    table = Table("From", "To", "How", pad_edge=False)
    for row in found.rows:
        table.add_row(f"{row.stream} ({row.entry})", f"{row.object}.{row.field}", row.how)
    console.print(table)
    for stream, rule in found.left:
        console.print(f"{stream} is left out: {rule}.", highlight=False)
