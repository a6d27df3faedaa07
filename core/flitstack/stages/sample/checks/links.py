"""Links and owners against the source's references, and records that were made one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flitstack.protocols import source_key, split_source_key
from flitstack.stages.sample.checks.found import EXAMPLES, FEWEST, Flag, Frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.stages.sample.observed import Observed, Row

ELSEWHERE = 0.1
NOBODYS = 0.5


def check_links(observed: Sequence[Observed], frame: Frame) -> Iterator[Flag]:
    """Look at whether links lead where the source's own references lead."""
    for field in {name: None for each in observed for name in each.links}:
        wrong: list[str] = []
        of = 0
        for each in observed:
            link = each.links.get(field)
            if link is None or link[0] == frame.user or not link[1] or link[1].startswith("schema:"):
                continue
            _, stream, id_, _ = split_source_key(link[1])
            named = _named(each, stream, frame)
            if named:
                of += 1
                if id_ not in named:
                    wrong.append(each.key)
        if len(wrong) >= max(FEWEST, of * ELSEWHERE):
            text = f"The link leads to other records than the source's own column names ({frame.stream})."
            yield Flag("leads_elsewhere", frame.entry, field, text, len(wrong), of, tuple(wrong[:EXAMPLES]))


def _named(each: Observed, stream: str, frame: Frame) -> set[str]:
    """Return the ids of a stream that a record's own rows name; where they name none, those rows beside it name."""
    own = set(_references(each.main, stream, frame)) | {row.id for row in each.main if row.stream == stream}
    if frame.stream == stream:  # a link within one stream: any reference that can be reached will do
        return own | set(_references((*each.folded, *each.beside), stream, frame)) - {None}
    return own or set(_references((*each.folded, *each.beside), stream, frame))


def _references(rows: Sequence[Row], stream: str, frame: Frame) -> Iterator[str]:
    for row in rows:
        for name, target in frame.references.get(row.stream, {}).items():
            value = row.data.get(name)
            if target == stream and isinstance(value, str):
                yield value


def check_owners(observed: Sequence[Observed], frame: Frame) -> Iterator[Flag]:
    """Look at who owns: what one user owns alone, and what nobody owns whom the source names."""
    for field in {n: None for each in observed for n, link in each.links.items() if link[0] == frame.user}:
        named: list[tuple[Observed, set[str], str]] = []
        for each in observed:
            users = _users(each, frame)
            if users and field in each.led:
                named.append((each, users, each.led[field]))
        if len(named) < FEWEST:
            continue
        wrong = [each.key for each, users, led in named if led not in users]
        possible = Counter(user for _, users, _ in named for user in users)
        held = Counter(led for _, _, led in named)
        if len(held) == 1 and len(possible) > 1 and len(wrong) >= FEWEST:
            text = f"One user owns all of them, though the source names {len(possible)} who are users."
            yield Flag("one_owner", frame.entry, field, text, len(wrong), len(named), tuple(wrong[:EXAMPLES]))
            continue
        wrong = [each.key for each, users, led in named if led not in users and led != frame.fallback]
        if len(wrong) > len(named) * NOBODYS:
            text = "The owner is mostly somebody whom the record does not name."
            yield Flag("other_owner", frame.entry, field, text, len(wrong), len(named), tuple(wrong[:EXAMPLES]))


def _users(each: Observed, frame: Frame) -> set[str]:
    """Return the users who stand for people that a record names, or that what it hangs on names."""
    found: set[str] = set()
    for row in (*each.main, *each.folded, *each.beside):
        if row.stream in frame.owner_streams:
            user = frame.owners.get(source_key(frame.source_id, row.stream, row.id))
            found.update((user,) if user else ())
        for name, target in frame.references.get(row.stream, {}).items():
            value = row.data.get(name)
            if target in frame.owner_streams and isinstance(value, str):
                user = frame.owners.get(source_key(frame.source_id, target, value))
                found.update((user,) if user else ())
    return found


def check_merged(observed: Sequence[Observed], frame: Frame) -> Iterator[Flag]:
    """Look at whether records of the main stream became one."""
    if not frame.is_main:
        return
    merged = [each for each in observed if len({row.id for row in each.main}) > 1]
    if merged:
        gone = sum(len({row.id for row in each.main}) - 1 for each in merged)
        text = f"The map makes one record of several of {frame.stream}: {gone:,} have none of their own."
        keys = tuple(each.key for each in merged[:EXAMPLES])
        yield Flag("made_one", frame.entry, "name", text, len(merged), len(observed), keys)
