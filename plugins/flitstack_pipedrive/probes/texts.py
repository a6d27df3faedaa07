"""Questions about texts: how long names and notes may be, and which HTML of a note stays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flitstack.protocols import Probe, ProbeAnswer
from flitstack_pipedrive.codec.marker import split_marker, with_marker
from flitstack_pipedrive.probes.desk import PLACES, Question, shown, took

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack_pipedrive.probes.desk import Desk

NAME_LENGTHS = (255, 512, 1024, 4096)
NOTE_LENGTHS = (10_000, 30_000, 60_000, 65_000, 90_000, 99_000)
NAMED = ("person", "organization", "deal", "activity")
TAGS = ("p", "div", "b", "i", "u", "s", "strong", "em", "ul", "ol", "h1", "blockquote", "pre", "code", "table", "a")
_INSIDE = {"ul": "<li>x</li>", "ol": "<li>x</li>", "table": "<tbody><tr><td>x</td></tr></tbody>"}


async def name_lengths(desk: Desk) -> ProbeAnswer:
    """Give one record of each kind longer and longer names."""
    found = {}
    for object in NAMED:
        made = await desk.make(object, {})
        key = PLACES[object].named
        found[f"{object}.{key}"] = await _longest(desk, object, made.needed(), key, made.name, NAME_LENGTHS)
    words = "; ".join(f"{name}: {_in_words(one)}" for name, one in found.items())
    changes = "finding: longer names are cut without a word" if _cuts(found) else ""
    return ProbeAnswer(dict(found), words, changes)


async def note_lengths(desk: Desk) -> ProbeAnswer:
    """Give a note and an activity longer and longer texts."""
    person = await desk.make("person", {})
    note = await desk.make("note", lambda name: {"content": name, "person_id": int(person.needed())})
    activity = await desk.make("activity", {})
    found = {
        "note.content": await _longest(desk, "note", note.needed(), "content", note.name, NOTE_LENGTHS),
        "activity.note": await _longest(desk, "activity", activity.needed(), "note", activity.name, NOTE_LENGTHS),
    }
    words = "; ".join(f"{name}: {_in_words(one)}" for name, one in found.items())
    return ProbeAnswer(dict(found), words, "notes are split at what the account keeps, unless you set note_limit")


async def _longest(
    desk: Desk, object: str, id: str, key: str, name: str, lengths: Sequence[int]
) -> dict[str, int | str | None]:
    """Return the longest length tried that was kept whole, None when none was; and what happened to the next one."""
    longest = None
    for length in lengths:
        text = f"{name} ".ljust(length, "x")
        answer = await desk.update(object, id, {key: text})
        if not took(answer):
            return {"longest": longest, "beyond": "refused"}
        raw = await desk.read(object, id) or {}
        if len(str(raw.get(key) or "")) < length:
            return {"longest": longest, "beyond": "cut"}
        longest = length
    return {"longest": longest, "beyond": None}


def _in_words(one: dict[str, int | str | None]) -> str:
    if one["beyond"] is None:
        return f"{one['longest']:,} and perhaps more"
    kept = "less than was tried" if one["longest"] is None else f"at least {one['longest']:,}"
    return f"{kept}, longer ones are {one['beyond']}"


def _cuts(found: dict[str, dict[str, int | str | None]]) -> bool:
    return any(one["beyond"] == "cut" for one in found.values())


async def note_html(desk: Desk) -> ProbeAnswer:
    """Write a note with many tags and the line by which flit knows its own notes, and read it back."""
    person = await desk.make("person", {})
    tagged = "".join(f"<{tag}>{_INSIDE.get(tag, 'x')}</{tag}>" for tag in TAGS)

    def body(name: str) -> dict[str, object]:
        return {"content": with_marker(f"{name}<br>{tagged}", "probe:notes:1"), "person_id": int(person.needed())}

    note = await desk.make("note", body)
    content = str((await desk.read("note", note.needed()) or shown(note.answer)).get("content") or "")
    kept = [tag for tag in (*TAGS, "br") if re.search(rf"<{tag}[\s>/]", content, re.IGNORECASE)]
    marker = split_marker(content)[1] == "probe:notes:1"
    lost = [tag for tag in (*TAGS, "br") if tag not in kept]
    words = f"lost: {', '.join(lost)}" if lost else "all common tags stay"
    words += f"; flit's line {'stays' if marker else 'is lost'}"
    danger = "do not migrate notes into this account: flit could not recognise them again; please report this"
    return ProbeAnswer({"kept": kept, "marker": marker}, words, "" if marker else danger)


_STEPS = len(NAME_LENGTHS) * 6
QUESTIONS = (
    Question(
        Probe("name_lengths", "How long may names be?", dict.fromkeys(NAMED, 1), len(NAMED) * (9 + _STEPS)),
        name_lengths,
    ),
    Question(
        Probe(
            "note_lengths",
            "How long may notes be?",
            {"person": 1, "note": 1, "activity": 1},
            9 + 18 + 9 + len(NOTE_LENGTHS) * (12 + 6),
        ),
        note_lengths,
    ),
    Question(Probe("note_html", "Which HTML of a note stays?", {"person": 1, "note": 1}, 31), note_html),
)
