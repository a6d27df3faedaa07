"""Proves an audit log whole, in the journal or exported, against heads that were printed when it was shorter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack.errors import UsageError
from flitstack.journal import START, Head
from flitstack.stages.auditlog.lines import BrokenChainError, Line, follow, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from flitstack.journal import Journal
    from flitstack.protocols import JSON

_HEAD = re.compile(r"([0-9][0-9,.' ]{0,20}):([0-9a-fA-F]{16,64})")
WHOLE_HASH = 64


@dataclass(frozen=True, slots=True)
class Checked:
    """What looking at an audit log came to.

    :param head: of the log as it is; of what held, when it is broken.
    :param problem: what is wrong, in words; "" when nothing is. :param line: where, 0 when the end is missing.
    :param proven: so many lines are proved by a head from elsewhere; those after only hang together.
    """

    head: Head
    proven: int
    problem: str = ""
    line: int = 0

    @property
    def exit_code(self) -> int:
        """Return the exit code that follows."""
        return 6 if self.problem else 0

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints."""
        return {
            "status": "broken" if self.problem else "whole", **self.head.as_json(),
            "proven": self.proven, "problem": self.problem, "line": self.line,
        }  # fmt: skip


def parse_head(text: str) -> Head:
    """Return a head as reports print it, `LENGTH:HASH`; of the hash, its first 16 digits will do.

    :raises UsageError: it is no head.
    """
    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text}: no head of an audit log. Write it as a report prints it, LENGTH:HASH.")
    return Head(int(re.sub("[^0-9]", "", found[1])), found[2].lower())


def check_file(path: Path, heads: Sequence[Head]) -> Checked:
    """Return whether an exported log is whole.

    :raises UsageError: it cannot be read.
    """
    return _checked(read_lines(path), heads)


def check_journal(journal: Journal, heads: Sequence[Head]) -> Checked:
    """Return whether the journal's log is whole; the heads that its approvals were given at must be in it too."""
    approved = [Head(each.audit_length, each.audit_head) for each in journal.approvals.given() if each.audit_head]
    lines = (Line(*event) for event in journal.audit.events())
    found = _checked(lines, [*heads, *approved])
    proven = max((head.length for head in heads), default=0)
    return found if found.problem else Checked(found.head, proven)


def _checked(lines: Iterable[Line], heads: Sequence[Head]) -> Checked:
    wanted: dict[int, list[str]] = {}
    for head in heads:
        wanted.setdefault(head.length, []).append(head.hash)
    last = Head(0, START)
    try:
        for head in _compared(follow(lines), wanted):
            last = head
    except BrokenChainError as exc:
        return Checked(last, 0, f"{exc.why}.", exc.line)
    if missing := [length for length in wanted if length > last.length]:
        short = max(missing) - last.length
        told = f"{short:,} {'line is' if short == 1 else 'lines are'} missing at the end: it has {last.length:,}"
        return Checked(last, 0, f"{told}, and the head is of {max(missing):,}.")
    return Checked(last, max(wanted, default=0))


def _compared(found: Iterator[Head], wanted: dict[int, list[str]]) -> Iterator[Head]:
    """Yield the heads as they come; those that somebody knows must be the same."""
    for digest in wanted.get(0, ()):
        if not START.startswith(digest):
            raise BrokenChainError(0, "the head given is of no line, and not what a chain begins with")
    for head in found:
        for digest in wanted.get(head.length, ()):
            if not head.hash.startswith(digest):
                why = f"lines up to {head.length} hang together, and are not those of the head: all were written anew"
                raise BrokenChainError(head.length, why)
        yield head
