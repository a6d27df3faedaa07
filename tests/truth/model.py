"""The three-way truth, said as simply as can be: what an account must hold after a story, field by field.

A record's field has three voices: what flit wrote last and saw (`seen`), what the source says now, what the account
holds now. flit writes only where the source says something new and the account still holds what flit saw.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Fields = dict[str, str | None]


@dataclass(slots=True)
class Held:
    """A record of the account.

    :param seen: what flit wrote into each field and saw there; a field that was never its to write is not in it.
    :param said: what the source said when it was written. :param made: by flit.
    :param wrote: fields that flit wrote. :param theirs: those that people wrote as the source has it by now.
    :param parent: label of the record it hangs on; beside: of one that it merely leads to.
    """

    object: str
    fields: Fields
    parent: str | None = None
    beside: str | None = None
    made: bool = False
    ours: bool = False
    seen: Fields = field(default_factory=dict)
    said: Fields = field(default_factory=dict)
    before: Fields = field(default_factory=dict)
    wrote: set[str] = field(default_factory=set)
    theirs: set[str] = field(default_factory=set)

    @property
    def touched(self) -> bool:
        """Tell whether a field no longer holds what flit wrote, or holds what somebody else did."""
        return bool(self.theirs) or any(self.fields.get(name) != value for name, value in self.seen.items())


@dataclass(slots=True)
class Truth:
    """Source and account by label; a label is a source key for what the source has, else a name of its own."""

    source: dict[str, tuple[str, Fields, str | None]] = field(default_factory=dict)
    account: dict[str, Held] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    conflicts: set[tuple[str, str]] = field(default_factory=set)

    def run(self) -> None:
        """Do what flit must do."""
        self.conflicts.clear()
        order = {"company": 0, "contact": 1, "visit": 2}
        for label, (object_, wanted, parent) in sorted(self.source.items(), key=lambda item: order[item[1][0]]):
            held = self.account.get(label)
            if held is not None:
                self._merge(label, held, wanted)
            elif label not in self.removed and (parent is None or parent in self.account):
                fresh = Held(object_, dict(wanted), parent, made=True, ours=True, seen=dict(wanted), said=dict(wanted))
                fresh.beside = self.beside.get(label)
                self.account[label] = fresh

    def _merge(self, label: str, held: Held, wanted: Fields) -> None:
        if not held.ours:  # adopted: what the account has stays, what it lacks is filled
            held.ours, held.before = True, dict(held.fields)
            for name, value in wanted.items():
                if held.fields.get(name) in (None, value):
                    held.wrote |= {name} if held.fields.get(name) != value else set()
                    held.fields[name] = held.seen[name] = held.said[name] = value
            return
        for name in held.seen:
            theirs, value = held.fields.get(name), wanted.get(name)
            if value == held.said[name]:
                continue
            if theirs not in (held.seen[name], value):
                self.conflicts.add((label, name))
                continue
            if theirs == value:
                held.theirs.add(name)
            else:
                if name in held.theirs:  # what a person wrote is what an undo goes back to
                    held.theirs.discard(name)
                    held.before[name] = theirs
                held.wrote.add(name)
            held.fields[name] = held.seen[name] = held.said[name] = value

    def undo(self) -> set[str]:
        """Undo all that flit did; return the labels of what must stay because of what people did.

        What somebody changed stays, what somebody hung something on stays, and so does what either of them hangs on.
        """
        made = {label for label, held in self.account.items() if held.made}
        kept = {label for label in made if self.account[label].touched}
        kept |= made & {held.parent for held in self.account.values() if not held.made}
        kept |= made & {self.account[label].parent for label in kept}
        kept |= made & {self.account[label].beside for label in kept}
        for label, held in list(self.account.items()):
            if held.made and label not in kept:
                del self.account[label]
            elif held.ours and not held.made:
                kept |= {label} if self._restore(held) else set()
        return kept

    def _restore(self, held: Held) -> bool:
        """Put back what flit changed in a record that was there before; return whether somebody changed it since."""
        changed = False
        for name in held.wrote:
            if held.fields.get(name) == held.before.get(name) or held.seen[name] == held.before.get(name):
                continue
            if held.fields.get(name) != held.seen[name] or name in held.theirs:
                changed = True
            else:
                held.fields[name] = held.before.get(name)
        return changed
