"""Compare: one record as read back with what was last written of it, and what kind of difference that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flitstack.journal import BESIDE, UNREAD, read_link
from flitstack.protocols import full_key
from flitstack.stages.proof.differences import ALTERED, CHANGED, DIFFERS, Difference

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flitstack.journal import Link
    from flitstack.protocols import JSON, Stored
    from flitstack.stages.context import RunContext
    from flitstack.stages.writing.targets import Targets

KEY = "key"
NOT_LISTED = "the account shows it in no list"
WORDS = {
    DIFFERS: "differs",
    ALTERED: "differs, and the account knows of no change",
    CHANGED: "changed in the account since",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One record, compared.

    :param expected, held: fields in comparable form, links under `@NAME`.
    :param keep: what the journal is to keep as read back; :param seen: likewise, the account's stamp of its last
        change, None when the one kept before is to stay.
    :param unread: fields that were written and that the account never shows.
    :param unlike: fields and links that differ, and that no reading ever showed as they were written.
    """

    expected: Mapping[str, JSON]
    held: Mapping[str, JSON]
    difference: Difference | None
    keep: dict[str, JSON]
    seen: str | None
    unread: tuple[str, ...]
    unlike: tuple[str, ...] = ()


def compare(
    ctx: RunContext,
    link: Link,
    stored: Stored,
    targets: Targets,
    gone: Collection[tuple[str, str, str]] = (),
) -> Compared:
    """Return what differs, and what to keep of a record.

    A link to a user is expected to lead where it led when it was written: who stands for whom may have changed since,
    and that alone writes nothing.

    :param gone: records (object, key, part) that people deleted: a link that led to one of them leads nowhere now.
    """
    users = link.wanted.get("users", {})
    expected = dict(ctx.writer.comparable(link.object, link.wanted["fields"]))
    unread = tuple(name for name in link.wanted["fields"] if name not in expected)
    held = dict(ctx.writer.comparable(link.object, stored.fields))
    for name, target in link.wanted["links"].items():
        expected[f"@{name}"] = users.get(name) or targets.id(read_link(target))
        held[f"@{name}"] = stored.links.get(name)
    kept = {name: held.get(name) for name in expected}
    beside = _beside(link, stored, held, expected)
    differing = [name for name, value in expected.items() if held.get(name) != value]
    has_key = link.made_by is None or ctx.behaviours.objects[link.object].key_in == "content"
    lost_key = not has_key and stored.key != full_key(link.key, link.part)
    stamp = stored.updated.isoformat() if stored.updated is not None else None
    if not differing and not lost_key:
        return Compared(expected, held, None, {**kept, **beside}, stamp, unread)
    led = {f"@{name}" for name, target in link.wanted["links"].items() if _end(target) in gone}
    own = [name for name in differing if held.get(name) is not None or name not in led]
    kind = _kind(link, stored, expected, own) if own or lost_key else CHANGED
    told = {name.removeprefix("@"): _how(name, expected[name], held.get(name)) for name in differing}
    if lost_key:
        told[KEY] = "is gone" if stored.key is None else "is another record's"
    what = ", ".join(f"{name} ({how})" if how else name for name, how in sorted(told.items()))
    found = Difference(link.object, full_key(link.key, link.part), kind, f"{WORDS[kind]}: {what}", tuple(sorted(told)))
    # What was read back once stays known: what is there now instead is not ours, and is not to be taken for it.
    before: Mapping[str, JSON] = link.after or {}
    again: Sequence[str] = before.get(UNREAD, ())  # type: ignore[assignment]
    known = {name: before[name] for name in differing if name in before and name not in again}
    kept |= known
    unlike = tuple(name for name in own if known.get(name) != expected[name]) if kind == DIFFERS else ()
    return Compared(expected, held, found, {**kept, **beside}, None, unread, unlike)


def _kind(link: Link, stored: Stored, expected: Mapping[str, JSON], differing: Sequence[str]) -> str:
    """Return whether a record was ever as written, and if it was, whether the account says that it changed since."""
    before = link.after
    if before is None:
        return DIFFERS
    unread: Sequence[str] = before.get(UNREAD, ())  # type: ignore[assignment]
    if not all(name not in unread and before.get(name) == expected[name] for name in differing):
        return DIFFERS
    if link.seen is not None and stored.updated is not None and stored.updated <= datetime.fromisoformat(link.seen):
        return ALTERED
    return CHANGED


def _end(target: Sequence[Any]) -> tuple[str, str, str]:
    link = read_link(target)
    return link.object, link.key, link.part


def _how(name: str, expected: JSON, held: JSON) -> str:
    """Return how a field differs, without a value; "" when there is nothing more to say than that it does."""
    if name.startswith("@"):
        return "leads nowhere" if held is None else "leads elsewhere"
    if held is None:
        return "is empty"
    if isinstance(expected, str) and isinstance(held, str) and expected.startswith(held):
        return "is cut short"
    if isinstance(expected, list) and isinstance(held, list) and len(held) != len(expected):
        return f"has {len(held)} of {len(expected)} entries" if len(held) < len(expected) else "has more entries"
    return ""


def _beside(
    link: Link, stored: Stored, held: Mapping[str, JSON], expected: Mapping[str, JSON]
) -> dict[str, dict[str, JSON]]:
    """Return, under `BESIDE`, what a record held beside what was written when it was first read back.

    What appears there later, somebody filled in: an undo leaves the record alone. {} when that is not known.
    """
    if link.after is None:
        everything = {**held, **{f"@{name}": end for name, end in stored.links.items()}}
    elif BESIDE in link.after:
        everything = link.after[BESIDE]  # type: ignore[assignment]
    else:
        return {}
    return {BESIDE: {n: v for n, v in everything.items() if n not in expected and v not in (None, False)}}
