"""A folder is watched through the hours of a cut-over: exports come when they come, whole or not."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import Interrupted, NotAnExportError, UsageError
from flitstack.protocols import SourcePlugin
from flitstack.registry import load_plugins
from flitstack.stages.delta.dropped import Folder
from flitstack.stages.delta.until import read_until
from flitstack.stages.delta.watch import Watching, WatchReport, watch
from flitstack.stages.gates.gate import Passing
from flitstack.stages.gates.passing import approve_shown
from flitstack.stages.options import RunOptions
from flitstack.testing.memory import memory_destination
from flitstack.testing.memory_source import MemoryExport, MemoryReader
from flitstack.testing.migration import MemoryPlugin, Migration

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
UNSEEN = Passing(unseen="test")


class Office:
    """A practice that drops exports into a folder while the account is watched; a file's text names its export."""

    def __init__(self, tmp_path: Path) -> None:
        self.migration = Migration(tmp_path)
        self.exports: dict[str, MemoryExport] = {}
        self.folder = tmp_path / "drop"
        self.folder.mkdir()
        self.events: list[tuple[float, Callable[[], Any]]] = []
        destination = memory_destination(self.migration.account, self.migration.behaviours)
        source = SourcePlugin("memory", {"type": "object", "properties": {}}, self._open, ("contacts",))
        self.registry = load_plugins((), {"memory": MemoryPlugin(source, destination)})
        self.read: list[str] = []

    def _open(self, path: str, settings: Any) -> MemoryReader:
        text = Path(path).read_text(encoding="utf-8")
        self.read.append(Path(path).name)
        if text not in self.exports:
            raise NotAnExportError("memory: nothing here is recognised.")
        return MemoryReader(self.exports[text])

    def prepare(self, name: str, people: int, **changed: str) -> None:
        export = MemoryExport()
        for number in range(people):
            export.add("contacts", str(number), name=changed.get(f"name{number}", f"Name {number}"))
        self.exports[name] = export

    def drop(self, name: str, file: str = "", at: int = 0) -> Path:
        path = self.folder / (file or name)
        path.write_text(name, encoding="utf-8")
        if at:
            os.utime(path, (at, at))
        return path

    def at(self, seconds: float, what: Callable[[], Any]) -> None:
        self.events.append((seconds, what))

    def watch(self, until: str | None = "+1h", first: Path | None = None, passing: Passing = UNSEEN) -> WatchReport:
        migration = self.migration
        migration.stop.raised = False
        clock, sleep = migration.clock, migration.clock.sleep
        began = clock.monotonic()

        async def slept(seconds: float) -> None:
            await sleep(seconds)
            for due in [event for event in self.events if clock.monotonic() - began >= event[0]]:
                self.events.remove(due)
                due[1]()

        clock.sleep = slept  # type: ignore[method-assign]
        options = RunOptions(
            "memory", "memory", migration.journal, str(first) if first else None, str(migration._mapping),
            migration.sets, passing,
        )  # fmt: skip
        try:
            return asyncio.run(
                watch(options, Watching(self.folder, until), migration.words, migration.stop, registry=self.registry,
                      clock=clock)
            )  # fmt: skip
        finally:
            clock.sleep = sleep  # type: ignore[method-assign]

    @property
    def names(self) -> list[Any]:
        return sorted(stored.fields["name"] for stored in self.migration.account.of("contact"))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.prepare("one", 3)
    office.prepare("two", 4)
    office.prepare("three", 4, name0="Changed")
    return office


def test_each_export_is_loaded_as_it_comes_and_once(office: Office) -> None:
    first = office.drop("one", "../one")
    office.at(60, lambda: office.drop("two"))
    office.at(600, lambda: office.drop("three"))

    report = office.watch(first=first)

    assert [(one.name, one.status) for one in report.picked] == [("one", "done"), ("two", "done"), ("three", "done")]
    assert office.names == ["Changed", "Name 1", "Name 2", "Name 3"]
    assert office.read == ["one", "two", "three"]
    assert report.final is not None
    assert (report.final.status, report.exit_code) == ("verified", 0)


def test_what_is_still_being_written_hidden_or_temporary_waits(office: Office) -> None:
    office.drop("one", "one.zip.part")
    office.drop("one", ".one.zip")
    growing = office.drop("nothing yet", "two")
    for second in range(5, 50, 5):
        office.at(second, lambda second=second: growing.write_text("x" * second, encoding="utf-8"))  # type: ignore[misc]
    office.at(50, lambda: growing.write_text("two", encoding="utf-8"))

    report = office.watch(until="10m")

    assert office.read == ["two"]
    assert [one.status for one in report.picked] == ["done"]


def test_of_several_the_oldest_comes_first(office: Office) -> None:
    office.drop("three", "a", at=3_000)
    office.drop("one", "b", at=1_000)
    office.drop("two", "c", at=2_000)

    office.watch(until="5m")

    assert office.read == ["b", "c", "a"]


def test_what_is_no_export_is_told_and_passed_over(office: Office) -> None:
    office.drop("holiday photos", "photos")
    office.at(60, lambda: office.drop("one"))

    report = office.watch(until="10m")

    assert [(one.name, one.status) for one in report.picked] == [("photos", "NotAnExportError"), ("one", "done")]
    assert any(said.startswith("photos: passed over.") for said in office.migration.words.said)
    assert office.names == ["Name 0", "Name 1", "Name 2"]
    assert report.exit_code == 1


def test_started_again_it_picks_up_nothing_twice_and_ends_when_it_was_to_end(office: Office) -> None:
    office.drop("one")
    office.at(60, lambda: setattr(office.migration.stop, "raised", True))
    with pytest.raises(Interrupted):
        office.watch(until="+2h")
    office.drop("two")

    report = office.watch(until="+2h")

    assert office.read == ["one", "two"]
    assert [one.name for one in report.picked] == ["two"]
    elapsed = timedelta(seconds=office.migration.clock.monotonic())
    assert timedelta(hours=2) <= elapsed < timedelta(hours=2, minutes=1)


def test_a_gate_holds_up_one_export_and_not_the_watch(office: Office) -> None:
    def approve() -> None:
        with office.migration.open() as journal:
            for gate in ("profile", "map", "full"):
                approve_shown(journal, gate, "Dana", "2026-07-01T09:10:00.000+00:00")
            approve_shown(journal, "schema", "admin@example.org", "2026-07-01T09:10:00.000+00:00")

    office.drop("one")
    office.at(600, approve)

    report = office.watch(passing=Passing())

    assert office.names == ["Name 0", "Name 1", "Name 2"]
    assert [(one.name, one.status) for one in report.picked] == [("one", "done")]
    assert sum("flit approve full" in said for said in office.migration.words.said) == 1
    assert report.exit_code == 0


def test_what_nobody_approved_to_the_end_is_said(office: Office) -> None:
    office.drop("one")

    report = office.watch(until="5m", passing=Passing())

    assert report.exit_code == 3
    assert [one.status for one in report.picked] == ["waiting"]
    assert report.as_json()["waiting"]


def test_an_account_that_does_not_answer_is_asked_again_later(office: Office) -> None:
    office.drop("one")
    office.migration.account.daily = 3
    office.at(3600, lambda: setattr(office.migration.account, "daily", None))

    report = office.watch(until="20h")

    assert [(one.name, one.status) for one in report.picked] == [("one", "done")]
    assert len(office.names) == 3


def test_a_folder_that_is_not_there_is_named(office: Office) -> None:
    office.folder.rmdir()

    with pytest.raises(UsageError, match="is no folder"):
        office.watch()


def test_a_folder_of_files_is_whole_when_none_of_them_moves(tmp_path: Path) -> None:
    export = tmp_path / "drop" / "export"
    export.mkdir(parents=True)
    folder = Folder(tmp_path / "drop", tmp_path / "flit.db")
    (export / "patients.csv").write_text("id\n1\n", encoding="utf-8")

    assert folder.whole({}, 0.0) == []
    (export / "visits.csv.tmp").write_text("id\n", encoding="utf-8")
    assert folder.whole({}, 20.0) == []
    (export / "visits.csv.tmp").rename(export / "visits.csv")
    assert folder.whole({}, 40.0) == []
    (found,) = folder.whole({}, 60.0)

    assert found.path == export
    assert folder.whole({"export": found.mark}, 100.0) == []


def test_the_journal_and_its_reports_are_no_exports(tmp_path: Path) -> None:
    for name in ("flit.db", "flit.db-wal", "flit.toml", "flit-reports"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    folder = Folder(tmp_path, tmp_path / "flit.db")
    folder.whole({}, 0.0)

    assert folder.whole({}, 60.0) == []


@pytest.mark.parametrize(
    ("text", "after"),
    [("+48h", timedelta(hours=48)), ("48h", timedelta(hours=48)), ("90m", timedelta(minutes=90)),
     ("2d12h", timedelta(days=2, hours=12)), ("2026-07-01T18:30:00+02:00", timedelta(hours=7, minutes=30)),
     ("2026-07-01T10:00:00Z", timedelta(hours=1))],
)  # fmt: skip
def test_a_time_is_read_as_people_write_it(text: str, after: timedelta) -> None:
    assert read_until(text, NOW) == NOW + after


def test_a_time_of_day_is_the_next_one_on_the_machines_clock() -> None:
    until = read_until("18:30", NOW).astimezone()

    assert (until.hour, until.minute) == (18, 30)
    assert timedelta() < until - NOW <= timedelta(days=1)


@pytest.mark.parametrize(
    "text", ["", "soon", "25:00", "2026-07-01", "2026-07-01T18:30:00", "2026-06-30T18:30:00Z", "0h"]
)
def test_what_is_no_time_or_past_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--until"):
        read_until(text, NOW)


def test_what_is_no_export_does_not_overtake_one_that_waits(office: Office) -> None:
    def approve() -> None:
        with office.migration.open() as journal:
            for gate in ("profile", "map", "full"):
                approve_shown(journal, gate, "Dana", "2026-07-01T09:10:00.000+00:00")
            approve_shown(journal, "schema", "admin@example.org", "2026-07-01T09:10:00.000+00:00")

    office.drop("one")
    office.at(120, lambda: office.drop("junk"))
    office.at(600, approve)

    report = office.watch(passing=Passing())

    assert office.names == ["Name 0", "Name 1", "Name 2"]
    assert ("one", "done") in [(one.name, one.status) for one in report.picked]
    assert not [said for said in office.migration.words.said if "overtaken" in said]


def test_the_same_command_again_does_not_take_back_what_later_exports_brought(office: Office) -> None:
    first = office.drop("one", "../one")
    office.at(60, lambda: office.drop("three"))
    office.watch("+1h", first=first)
    assert office.names == ["Changed", "Name 1", "Name 2", "Name 3"]

    report = office.watch("+2h", first=first)

    assert office.names == ["Changed", "Name 1", "Name 2", "Name 3"]
    assert office.read == ["one", "three"]
    assert report.exit_code == 0


def test_a_first_export_that_changed_is_read_again(office: Office) -> None:
    first = office.drop("one", "../one")
    office.at(60, lambda: office.drop("two"))
    office.watch("+1h", first=first)
    office.drop("three", "../one")

    office.watch("+2h", first=first)

    assert office.read == ["one", "two", "one"]
    assert "Changed" in office.names
