"""A migration's standing on one screen: the state in one line, a few counts, what it waits for, what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from flitstack.reports.estimate import span
from flitstack.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from flitstack.stages.status import Standing

COLOURS = {
    "done": "green", "sample_taken": "green", "rolled_back": "yellow", "conflicts": "yellow", "stopped": "yellow",
    "mismatched": "red", "waiting_for_approval": "yellow", "waiting_for_budget": "yellow",
}  # fmt: skip
LABEL = 13


def print_standing(found: Standing, console: Console) -> None:
    """Print where a migration stands; on a terminal of 80 by 24 it fits on one screen."""
    state = Text(found.state.replace("_", " "), style=f"bold {COLOURS.get(found.state, 'default')}")
    console.print(Text.assemble(state, "  ", visible(found.words)))
    facts = Table.grid(padding=0)
    facts.add_column(width=2 + LABEL, no_wrap=True)
    facts.add_column(overflow="fold")
    for label, words in _facts(found):
        facts.add_row(Text(f"  {label}", style="dim"), Text(visible(words)))
    console.print(facts)
    if found.next:
        console.print(Text("Next:", style="bold"))
    for line in found.next:
        console.print(Text(f"  {visible(line)}"), soft_wrap=True)


def _facts(found: Standing) -> Iterator[tuple[str, str]]:
    if found.source:
        as_of = f", export as of {found.as_of}" if found.as_of else ""
        yield "from", f"{found.source}{as_of}"
        yield "to", f"{found.destination}{f', account {found.account}' if found.account else ''}"
    if found.read:
        rejected = f", {found.rejected:,} cannot move" if found.rejected else ""
        yield "export", f"{found.read:,} records read{rejected}"
    if found.wanted or found.in_destination:
        yield "destination", f"{found.in_destination:,} of {found.wanted:,} records were written"
    if found.planned and found.done < found.planned:
        left = "" if found.left_s is None else f", about {span(found.left_s)} left at this pace"
        yield "writes", f"{found.done:,} of {found.planned:,} ({found.done / found.planned:.0%}){left}"
    if found.in_doubt:
        yield "in doubt", f"{found.in_doubt:,}; the next run finds out about each"
    if found.conflicts:
        yield "conflicts", f"{found.conflicts:,} records, changed or deleted by somebody in the account"
    if found.in_use:
        yield "in use", f"{found.in_use:,} fields and the like stay, as records that stay use them"
    if found.undone:
        yield "taken back", f"{found.undone:,} writes"
    if found.watching:
        yield "watches", found.watching
    if found.verified:
        v = found.verified
        yield "read back", f"{v['checked']:,} records on {v['at'][:10]}, {v['mismatched']:,} differ"
    if found.tokens or found.tokens_today:
        yield "tokens", _tokens(found)
    if found.last_run is not None:
        began = found.last_run.started_at[:16].replace("T", " ")
        yield "last run", f"{began} UTC, run {found.runs} of this journal"


def _tokens(found: Standing) -> str:
    budget = f" of {found.daily_budget:,}" if found.daily_budget else ""
    return f"{found.tokens_today:,}{budget} today, {found.tokens:,} in all runs"
