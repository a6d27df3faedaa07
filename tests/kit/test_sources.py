"""The suite of sources passes good readers, and catches each broken one by the tests that are meant for it."""

from __future__ import annotations

import importlib
import sys
import threading
import time
import types
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.trying import ids_that_fail

from flitstack.hookspecs import hookimpl
from flitstack.protocols import SourcePlugin
from flitstack.testing import SourceSuite
from flitstack.testing.kit import source
from flitstack.testing.kit.another_day import another_day
from flitstack.testing.kit.sample import least_peak, peak, sample_of
from flitstack.testing.scaffolding import Wanted, write_plugin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCHEMA = {"type": "object", "properties": {"as_of": {"type": "string", "description": "The day."}}}
OF_ROW = 'Record(stream, str(row["id"]), row, where)'
GUESS = 'next(d for d in map(lambda f: datetime.strptime(text, f).date(), ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y")))'
CELLS = '"The row has another number of cells than the header."'
KEEPING = "        self.__dict__.setdefault('k', []).append(cells)\n"
FILLING = 'cells = [*cells, "", "", ""][:4] if len(cells) < 4 else cells\n        if len(cells) != 4:'
OPTIONAL = "{name: header.index(name) if name in header else -1 for name in COLUMNS}"
EMPTY = (
    "cells[positions[name]].strip() or None for",
    "(cells[positions[name]].strip() or None) if positions[name] >= 0 else None for",
)

REQUIRED_NO_MORE = ("missing = [name for name in COLUMNS if name not in header]", "missing = []")

AS_OF = "else self._newest"
#: Name to what of the good reader's text becomes what, and an id that must fail for it.
BROKEN: dict[str, tuple[str, str, str]] = {
    "knows rows by their line": (OF_ROW, "Record(stream, str(where.line), row, where)", "S3"),
    "makes up ids": (OF_ROW, "Record(stream, __import__('uuid').uuid4().hex, row, where)", "S4"),
    "has one id for all": (OF_ROW, "Record(stream, '1', row, where)", "S6"),
    "says more than its schema": (OF_ROW, "Record(stream, str(row['id']), {**row, 'x': 1}, where)", "S5"),
    "makes nothing a number": (".strip() or None for", ".strip() or 0 for", "S5"),
    "keeps every row": ("        if not cells:", f"{KEEPING}        if not cells:", "S7"),
    "lets bad dates vanish": (
        'return Rejection(stream, row["id"], "bad_date", reason, "Correct it.", where, "joined")',
        'row["joined"] = None',
        "S10",
    ),
    "lets rows with bad dates vanish": (
        "                    yield self._row(stream, cells, positions, Where(FILE, line))",
        "                    found = self._row(stream, cells, positions, Where(FILE, line))\n"
        "                    if not isinstance(found, Rejection) or found.code != 'bad_date':\n"
        "                        yield found",
        "S10",
    ),
    "takes any text for a date": ('if row["joined"] and not self._see(row["joined"]):', "if False:", "S10"),
    "takes today for the export's day": (AS_OF, "else date.today()", "S10"),
    "takes the day in UTC for the export's day": (
        AS_OF, "else __import__('datetime').datetime.now(__import__('datetime').UTC).date()", "S10"
    ),
    "takes the seconds of the clock for the export's day": (
        AS_OF, "else date(1970, 1, 1).fromtimestamp(__import__('time').time())", "S10"
    ),
    "takes a file's time for the export's day": (AS_OF, "else date.fromtimestamp(self._path.stat().st_mtime)", "S10"),
    "swallows malformed rows": (
        "                    yield self._row(stream, cells, positions, Where(FILE, line))",
        "                    found = self._row(stream, cells, positions, Where(FILE, line))\n"
        "                    if isinstance(found, Record):\n                        yield found",
        "S8",
    ),
    "stops at a malformed row": (f"            reason = {CELLS}", "            raise ValueError(cells)", "S8"),
    "stops the export at a malformed row": (
        f"            reason = {CELLS}", "            raise NotAnExportError('a row is wrong')", "S8",
    ),
    "fills short rows up": ('if len(cells) != positions[""]:', FILLING, "S11"),
    "shows what a bad row says": (CELLS, 'f"The row is {cells}."', "S8"),
    "reads a missing column as empty": ("{name: header.index(name) for name in COLUMNS}", OPTIONAL, "S9"),
    "knows no BOM": ("utf-8-sig", "utf-8", "S2"),
    "joins lines": (".strip() or None for", ".replace(chr(10), '').strip() or None for", "S2"),
    "fails on another encoding": ("self._no_text() from exc\n        missing", "exc\n        missing", "S2"),
    "takes anything for an export": ("if self._path.name != FILE or not self._path.is_file():", "if False:", "S1"),
    "makes up its hashes": ('hashlib.file_digest(file, "sha256").hexdigest()', '"0" * 64', "S1"),
    "cannot be closed twice": ('"""Nothing stays open."""', "del self._path", "S1"),
}  # fmt: skip


def plugin_of(open_: Callable[..., Any], demo: Callable[[str], str]) -> object:
    class Plugin:
        @hookimpl
        def flit_register_sources(self, register: Callable[[SourcePlugin], None]) -> None:
            register(SourcePlugin("example", SCHEMA, open=open_, required_streams=("people",), demo=demo))

    return Plugin()


def suite_of(folder: Path, old: str = "", new: str = "") -> type[SourceSuite]:
    """Return the suite for the scaffold's reader, with some of its text replaced."""
    written = write_plugin(Wanted("example", "source"), folder) / "src" / "flitstack_example"
    modules = []
    for name in ("reader", "example"):
        text = (written / f"{name}.py").read_text("utf-8")
        if name == "reader":
            for before, after in ((old, new), *((EMPTY, REQUIRED_NO_MORE) if new == OPTIONAL else ())):
                assert before in text, "the good reader has no such text"
                text = text.replace(before, after)
        module = types.ModuleType(f"broken_{name}")
        exec(compile(text, f"{name}.py", "exec"), vars(module))  # noqa: S102 - our own scaffold
        sys.modules[module.__name__] = module  # as if it was imported
        modules.append(module)
    plugin = plugin_of(modules[0].ExampleReader, modules[1].write_example)
    return type("TestExample", (SourceSuite,), {"plugin": plugin})


def test_the_good_reader_passes(tmp_path: Path) -> None:
    assert ids_that_fail(suite_of(tmp_path), tmp_path / "runs") == {}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_reader_is_caught(tmp_path: Path, name: str) -> None:
    old, new, killer = BROKEN[name]

    assert killer in ids_that_fail(suite_of(tmp_path, old, new), tmp_path / "runs", killer)


def test_the_exports_day_that_is_wrong_is_told_with_both_days(tmp_path: Path) -> None:
    said = ids_that_fail(suite_of(tmp_path, AS_OF, "else date.today()"), tmp_path / "runs", "S10")["S10"]

    today = datetime.now().date()
    assert f"as_of() is {today}, and {today.year + 1}" in said
    assert "manifest" in said


def test_another_day_leaves_nothing_behind() -> None:
    before = date.today(), time.tzname, {name: dict(vars(sys.modules[name])) for name in ("datetime", "time", __name__)}
    with another_day():
        inside = date.today()
        sys.modules.pop("_strptime", None)
        late: Any = importlib.import_module("_strptime")  # it keeps the classes of the moment

    assert inside > before[0]
    assert late.datetime_date is before[2]["datetime"]["date"]
    assert (date.today(), time.tzname) == before[:2]
    assert {name: dict(vars(sys.modules[name])) for name in before[2]} == before[2]


def test_an_export_of_no_text_is_measured_with_what_its_author_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "SMALL", 60_000)
    monkeypatch.setattr(source, "LARGE", 240_000)
    keeping = suite_of(tmp_path / "keeping", "        if not cells:", f"{KEEPING}        if not cells:")
    good = suite_of(tmp_path / "good")

    def larger(self: object, folder: Path, size: int) -> str:
        rows = "".join(f"p{number},Ann {number},,2026-01-01\n" for number in range(size // 25))
        (folder / "people.csv").write_text(f"id,name,phone,joined\n{rows}", encoding="utf-8")
        return str(folder)

    def stays_small(self: object, folder: Path, size: int) -> str:
        return larger(self, folder, 1000)

    for suite, way in ((keeping, larger), (good, larger), (good, stays_small)):
        suite.larger = way  # type: ignore[method-assign]
        failed = ids_that_fail(suite, tmp_path / f"{suite.__name__}-{way.__name__}-{id(suite)}", "S7")
        assert ("S7" in failed) == ((suite, way) != (good, larger)), failed


def test_what_other_threads_allocate_is_not_taken_for_the_readers_memory(tmp_path: Path) -> None:
    suite = suite_of(tmp_path)
    sample = sample_of(suite)
    done = threading.Event()
    noisy: list[bytes] = []

    class Noisy:
        """Lets another thread take memory while the reader is read for the first time."""

        def __init__(self, path: str, settings: Any) -> None:
            self._inner = sample.plugin.open(path, settings)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def read(self, stream: str) -> Any:
            if not done.is_set():
                done.set()
                other = threading.Thread(target=lambda: noisy.append(bytes(8_000_000)))
                other.start()
                other.join()
            return self._inner.read(stream)

    disturbed = replace(sample, plugin=replace(sample.plugin, open=Noisy))

    assert peak(disturbed, sample.path, ["people"]) > 8_000_000
    done.clear()
    assert least_peak(disturbed, sample.path, ["people"], tries=3) < 1_000_000
