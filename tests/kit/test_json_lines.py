"""The suite of sources tries lines of JSON as it tries tables: renamed keys, dates, a cut end, noise."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.trying import ids_that_fail

from flitstack.errors import NotAnExportError
from flitstack.hookspecs import hookimpl
from flitstack.protocols import InputFile, Record, Rejection, Skip, SourcePlugin, Stream, Where
from flitstack.testing import SourceSuite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TEXT = {"type": ["string", "null"]}
FIELDS = {"people": ("name", "joined"), "visits": ("what", "day")}
KIND = {"people": "person", "visits": "visit"}
ROWS: tuple[dict[str, str | None], ...] = (
    {"kind": "person", "id": "p1", "name": "Ada Invented", "joined": "2023-04-05"},
    {"kind": "person", "id": "p2", "name": "Bo Made-Up", "joined": None},
    {"kind": "person", "id": "p3", "name": "Cy Nobody", "joined": "2024-06-14"},
    {"kind": "visit", "id": "v1", "what": "Watered", "day": "2025-01-31"},
    {"kind": "visit", "id": "v2", "what": "Pruned", "day": "2025-02-28"},
    {"kind": "visit", "id": "v3", "what": "Weeded", "day": "2025-03-31"},
    {"kind": "visit", "id": "v4", "what": "Slept", "day": "2025-04-30"},
)


class Reader:
    """Reads two streams from one file; what is of neither is told with the people."""

    def __init__(self, path: str, settings: Any) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise NotAnExportError(f"{path}: no file. Check --input.")

    def known_streams(self) -> Sequence[Stream]:
        return [
            Stream(name, {"type": "object", "properties": {"id": TEXT, fields[0]: TEXT,
                                                           fields[1]: {**TEXT, "x-type": "date"}}})
            for name, fields in FIELDS.items()
        ]  # fmt: skip

    def streams(self) -> Sequence[Stream]:
        if self.parsed(next(self.lines(), (1, ""))[1]) is None:
            raise NotAnExportError(f"{self.path}: its first line is not of this export. Check --input.")
        return self.known_streams()

    def lines(self) -> Iterator[tuple[int, str]]:
        try:
            with self.path.open(encoding="utf-8-sig") as file:
                yield from enumerate(file, 1)
        except UnicodeDecodeError as exc:
            raise NotAnExportError(f"{self.path}: no UTF-8 text. Check --input.") from exc

    def parsed(self, text: str) -> dict[str, str | None] | None:
        try:
            said = json.loads(text)
        except ValueError:
            return None
        stream = next((s for s in FIELDS if isinstance(said, dict) and said.get("kind") == KIND[s]), None)
        return said if stream and {"id", *FIELDS[stream]} <= set(said) and self.day(said[FIELDS[stream][1]]) else None

    def day(self, text: str | None) -> bool:
        try:
            return text is None or date.fromisoformat(text).isoformat() == text
        except ValueError:
            return False

    def read(self, stream: str) -> Iterator[Record | Rejection | Skip]:
        for line, text in self.lines():
            said, where = self.parsed(text), Where(self.path.name, line)
            if said is None and stream == "people":
                yield Rejection(stream, None, "bad_line", "The line cannot be read.", "Export it again.", where)
            elif said is not None and said["kind"] == KIND[stream]:
                yield Record(stream, str(said["id"]), {n: said[n] for n in ("id", *FIELDS[stream])}, where)

    def as_of(self) -> date | None:
        return date(2026, 1, 1)

    def inventory(self) -> Sequence[InputFile]:
        content = self.path.read_bytes()
        return [InputFile(self.path.name, len(content), hashlib.sha256(content).hexdigest(), "JSON lines", "all")]

    def findings(self) -> Sequence[Any]:
        return ()

    def close(self) -> None:
        """Nothing is open."""


class Lenient(Reader):
    """Takes a key that is missing for an empty value."""

    def parsed(self, text: str) -> dict[str, str | None] | None:
        try:
            said = json.loads(text)
        except ValueError:
            return None
        known = isinstance(said, dict) and said.get("kind") in KIND.values() and "id" in said
        return {**dict.fromkeys(("name", "joined", "what", "day")), **said} if known else None


class Silent(Reader):
    """Leaves out, without a word, what it cannot read."""

    def read(self, stream: str) -> Iterator[Record | Rejection | Skip]:
        return (row for row in super().read(stream) if isinstance(row, Record))


def demo(folder: str) -> str:
    path = Path(folder) / "garden.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return str(path)


def failing(reader: Callable[[str, Any], Reader], folder: Path) -> set[str]:
    class Plugin:
        @hookimpl
        def flit_register_sources(self, register: Callable[[SourcePlugin], None]) -> None:
            register(SourcePlugin("garden", {"type": "object", "properties": {}}, reader, demo=demo))

    suite = type("TestGarden", (SourceSuite,), {"plugin": Plugin()})
    return set(ids_that_fail(suite, folder))


def test_a_reader_of_json_lines_that_tells_everything_passes(tmp_path: Path) -> None:
    assert failing(Reader, tmp_path) == set()


@pytest.mark.parametrize(("reader", "wrong"), [(Lenient, {"S9", "S10"}), (Silent, {"S8", "S9", "S10", "S11"})])
def test_a_reader_of_json_lines_that_keeps_quiet_is_caught(
    tmp_path: Path, reader: type[Reader], wrong: set[str]
) -> None:
    assert wrong <= failing(reader, tmp_path)
