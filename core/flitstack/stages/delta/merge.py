"""The three-way merge: what was written, what the account holds now, what the source says now, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flitstack.journal import BESIDE, UNREAD, read_link

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flitstack.journal import Link, OperationRow
    from flitstack.protocols import JSON, Stored
    from flitstack.stages.context import RunContext
    from flitstack.stages.writing.targets import Targets

Verdict = Literal["write", "agreed", "conflict"]


def verdict(bases: Collection[Any], theirs: Any, ours: Any) -> Verdict:
    """Return what becomes of one field that the source wants changed.

    :param bases: what it held when we wrote it: as read back, and as sent.
    :param theirs: what the account holds now. :param ours: what the source says now.
    """
    if theirs == ours:
        return "agreed"
    return "write" if theirs in bases else "conflict"


@dataclass(frozen=True, slots=True)
class Images:
    """One record as each side has it; a link stands as `@NAME`, its value the id it leads to.

    :param bases: name to what it may have held when we wrote it.
    :param theirs: what the account holds, comparable form.
    """

    bases: Mapping[str, list[Any]]
    theirs: Mapping[str, Any]

    def judge(self, name: str, ours: Any) -> Verdict:
        """Return what becomes of one name that is to become `ours`."""
        return verdict(self.bases.get(name, [None]), self.theirs.get(name), ours)

    def changed(self) -> list[str]:
        """Return what somebody changed since, among all that is known of the record."""
        return sorted(name for name, bases in self.bases.items() if self.theirs.get(name) not in bases)


def images(ctx: RunContext, link: Link, stored: Stored, targets: Targets, more: Collection[str] = ()) -> Images:
    """Return what we wrote and what is there.

    What was read back since it was written counts; what was not, counts as it was sent.

    :param more: names that are about to be written for the first time.
    """
    after: Mapping[str, Any] = link.after or {}
    unread: Sequence[str] = after.get(UNREAD, ())
    sent = written_image(ctx, link, targets)
    known = {name: value for name, value in after.items() if name[:1] not in ("?", "*") and name not in unread}
    names = {*sent, *known, *more}
    beside: Mapping[str, Any] = after.get(BESIDE) or {}
    bases: dict[str, list[Any]] = {}
    for name in names:
        if name in known or name in sent:
            bases[name] = [each[name] for each in (known, sent) if name in each]
        else:  # never ours: what was there when the record was first read back, or else nothing, or no
            held = beside.get(name)
            bases[name] = [None, False] if held in (None, False) else [held]
    theirs: dict[str, Any] = dict(ctx.writer.comparable(link.object, stored.fields))
    theirs |= {f"@{name}": end or None for name, end in stored.links.items()}
    return Images(bases, theirs)


def is_put_away(ctx: RunContext, link: Link, stored: Stored, fields: Collection[str] = ()) -> bool:
    """Tell whether somebody archived a record.

    :param fields: what is about to be written: one that archives the record itself, or brings it back, is ours.
    """
    name = ctx.behaviours.objects[link.object].archive
    return bool(name and stored.fields.get(name)) and name not in link.wanted["fields"] and name not in fields


def image_of(
    ctx: RunContext, object_: str, fields: Mapping[str, JSON], links: Mapping[str, Sequence[Any]], targets: Targets
) -> dict[str, Any]:
    """Return fields and links in the form in which two that mean the same are equal; what is never read is left out."""
    image: dict[str, Any] = dict(ctx.writer.comparable(object_, fields))
    return image | {f"@{name}": targets.id(read_link(link)) for name, link in links.items()}


def written_image(ctx: RunContext, link: Link, targets: Targets) -> dict[str, Any]:
    """Return what was last written of a record, comparable form, links as `@NAME`."""
    sent = image_of(ctx, link.object, link.wanted["fields"], link.wanted["links"], targets)
    return sent | {f"@{name}": user for name, user in link.wanted.get("users", {}).items()}


@dataclass(frozen=True, slots=True)
class Parted:
    """The names of an update, by what becomes of them.

    :param conflicts: kept as the account has them. :param overruled: written all the same.
    """

    write: frozenset[str]
    agreed: frozenset[str]
    conflicts: frozenset[str]
    overruled: frozenset[str]


def part(found: Images, row: OperationRow, ours: Mapping[str, Any], overruled: Collection[str] | None) -> Parted:
    """Say of each field and link of an update what becomes of it.

    :param ours: name to what it is to become, comparable form; what is never read back is not in it.
    :param overruled: names in which a conflict is written over; None for all.
    """
    names = {*row.fields, *(f"@{name}" for name in row.links)}
    verdicts = {name: found.judge(name, ours[name]) if name in ours else "write" for name in names}
    torn = {name for name, what in verdicts.items() if what == "conflict"}
    over = torn if overruled is None else torn & set(overruled)
    return Parted(
        frozenset(name for name, what in verdicts.items() if what == "write" or name in over),
        frozenset(name for name, what in verdicts.items() if what == "agreed"),
        frozenset(torn - over),
        frozenset(over),
    )
