"""The form of an exported audit log: every byte of a line follows from what the chain's hashes cover."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from flitstack.errors import UsageError
from flitstack.journal import START, Head, next_hash
from flitstack.stages.rejects.cells import protected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Any

TOLD = ("run", "outcome", "verb", "entry", "object", "key", "part", "destination_id", "code", "by")
"""What the CSV form repeats of an event in columns of their own, for people."""

CSV_HEADER = ("\ufeff" + ",".join(("seq", "at", *TOLD, "event", "hash")) + "\n").encode()
csv.field_size_limit(max(csv.field_size_limit(), 1 << 28))  # an event that introduces a map is longer than the default
_JSONL = re.compile(r'\{"seq":([0-9]{1,18}),"at":"([^"\n]*)","event":(.*),"hash":"([0-9a-f]{64})"\}\n')


class Line(NamedTuple):
    """One event: its number, its time, its JSON text, and the hash of it and of all before it."""

    seq: int
    at: str
    event: str
    hash: str

    def as_jsonl(self) -> bytes:
        """Return the line as JSON, its parts in this order."""
        return f'{{"seq":{self.seq},"at":"{self.at}","event":{self.event},"hash":"{self.hash}"}}\n'.encode()

    def as_csv(self) -> bytes:
        """Return the line for a spreadsheet: what people look for in columns, and the whole event."""
        event = json.loads(self.event)
        told = (protected(_flat(event.get(name))) for name in TOLD)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow([self.seq, self.at, *told, self.event, self.hash])
        return text.getvalue().encode()


class BrokenChainError(Exception):
    """A line does not follow from those before it, or is not as it was exported.

    :param line: the number of the event.
    """

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


def follow(lines: Iterable[Line]) -> Iterator[Head]:
    """Yield the head after each line.

    :raises BrokenChainError: a line is missing, moved or changed.
    """
    previous = START
    for number, line in enumerate(lines, 1):
        if line.seq != number:
            raise BrokenChainError(number, f"line {number} is missing, or not in its place")
        if line.hash != next_hash(previous, line.at, line.event):
            raise BrokenChainError(number, f"line {number} was changed, or one before it is missing")
        previous = line.hash
        yield Head(number, line.hash)


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of an exported audit log.

    :raises BrokenChainError: a line is not, byte by byte, as flit writes it.
    :raises UsageError: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            first = stream.readline()
            as_csv = first == CSV_HEADER
            if not as_csv:
                stream.seek(0)
            for number, raw in enumerate(stream, 1):
                line = _parsed(raw, as_csv=as_csv)
                if line is None:
                    raise BrokenChainError(number, f"line {number} is not as it was exported")
                yield line
    except OSError as exc:
        raise UsageError(f"{path}: cannot be read ({exc.strerror}).") from exc


def _parsed(raw: bytes, *, as_csv: bool) -> Line | None:
    """Return what a line says, None unless it is what flit would write of that."""
    try:
        text = raw.decode()
        if as_csv:
            cells = next(csv.reader([text.removesuffix("\n")], strict=True))
            line = Line(int(cells[0]), cells[1], cells[-2], cells[-1])
        else:
            found = _JSONL.fullmatch(text)
            line = Line(int(found[1]), found[2], found[3], found[4]) if found else Line(0, "", "{}", "")
        written = line.as_csv() if as_csv else line.as_jsonl()
    except (ValueError, IndexError, AttributeError, StopIteration, RecursionError, csv.Error):
        return None
    return line if written == raw else None


def _flat(value: Any) -> str:
    """Return a value in one line of text."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return " ".join(text.splitlines())
