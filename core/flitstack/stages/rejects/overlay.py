"""Corrections on their way into a reading of the export, and rejected rows on their way out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.protocols import Correctable, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.journal import Journal
    from flitstack.protocols import SourceReader, Stream


def hand_corrections(journal: Journal, reader: SourceReader) -> None:
    """Let a reader read rows as people corrected them."""
    if isinstance(reader, Correctable) and (corrections := journal.corrections.for_reader()):
        reader.correct(corrections)


def note_corrected(journal: Journal, reader: SourceReader, streams: Sequence[Stream]) -> Iterator[Finding]:
    """Keep which corrections were used, and say so; where a row says something else by now, the source wins."""
    kept = journal.corrections.kept()
    if not kept or not isinstance(reader, Correctable):
        return
    met, here = reader.corrected(), {stream.name for stream in streams}
    states = {c.mark: "used" if c.mark in met else "set_aside" for c in kept if c.mark in met or here & set(c.streams)}
    journal.corrections.set_states(states)
    used = [c for c in kept if states.get(c.mark) == "used"]
    if used:
        message = f"{_rows_were(len(used))} read as corrected by hand (flit rejects corrections lists them)."
        yield Finding("rows_corrected", message, "warning", count=len(used), keys=_keys(c.keys for c in used))
    aside = [c for c in kept if states.get(c.mark) == "set_aside"]
    if aside:
        message = (
            f"{_rows_were(len(aside))} corrected by hand and not used: the export says something else now, or has "
            "the row no more. What it says holds."
        )
        keys = _keys(c.keys for c in aside)
        yield Finding("corrections_set_aside", message, "warning", count=len(aside), keys=keys)


def keep_rejected_rows(journal: Journal, reader: SourceReader, *, anew: bool = False) -> None:
    """Keep the rows that rejected records come from, so that they can be shown and corrected without the export.

    :param anew: the export was read since: what is kept of an earlier reading says nothing any more.
    """
    if not isinstance(reader, Correctable):
        return
    kept = {} if anew else {row.where: row for row in journal.corrections.rows()}
    places = journal.corrections.places()
    missing = [place for place in places if place not in kept]
    rows = list(reader.rows_at(missing)) if missing else []
    if anew or rows or kept.keys() - set(places):
        journal.corrections.keep_rows([*(kept[place] for place in places if place in kept), *rows])


def _rows_were(count: int) -> str:
    return "1 row was" if count == 1 else f"{count:,} rows were"


def _keys(groups: Iterator[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(key for group in groups for key in group)[:10]
