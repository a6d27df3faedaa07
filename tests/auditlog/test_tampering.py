"""An exported audit log cannot be changed without its printed head telling, to flit and to the script in the docs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flitstack.journal import START, Head, dumps, next_hash
from flitstack.stages.auditlog.lines import CSV_HEADER, TOLD, Line
from flitstack.stages.auditlog.verifying import check_file

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "verify_audit.py"
SOURCE = compile(SCRIPT.read_text("utf-8"), SCRIPT.name, "exec")
FORMS = ["jsonl", "csv"]

VALUES = st.none() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=4), max_size=3)
EVENTS = st.lists(
    st.dictionaries(st.sampled_from([*TOLD, "keys", "fields", "=x"]), VALUES, max_size=5), min_size=1, max_size=6
)


def chain(events: Sequence[dict[str, object]]) -> list[Line]:
    """Return the events as lines of a log."""
    lines: list[Line] = []
    last = START
    for seq, event in enumerate(events, 1):
        at, text = f"2026-07-01T09:00:0{seq}.000+00:00", dumps(event)
        last = next_hash(last, at, text)
        lines.append(Line(seq, at, text, last))
    return lines


def written(lines: Sequence[Line], form: str) -> list[bytes]:
    """Return the lines of the exported file; the header of a CSV is the first of them."""
    return [CSV_HEADER, *(line.as_csv() for line in lines)] if form == "csv" else [line.as_jsonl() for line in lines]


def script(path: Path, head: Head) -> bool:
    """Tell whether the script of the documentation finds a file whole; it never fails in any other way."""
    before, sys.argv = sys.argv, ["verify_audit.py", str(path), str(head)]
    try:
        with pytest.raises(SystemExit) as ended:
            exec(SOURCE, {})  # noqa: S102 - the script as it stands, in a process that runs it a thousand times
    finally:
        sys.argv = before
    assert ended.value.code == 0 or str(ended.value.code).startswith("NOT WHOLE: ")
    return ended.value.code == 0


def verdicts(path: Path, content: bytes, head: Head) -> tuple[bool, bool]:
    """Return whether flit, and whether the script, find a file with this content whole."""
    path.write_bytes(content)
    return not check_file(path, [head]).problem, script(path, head)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write logs into."""
    return tmp_path_factory.mktemp("log") / "audit"


@pytest.mark.parametrize("form", FORMS)
@given(events=EVENTS)
def test_a_log_as_it_was_exported_is_whole(place: Path, form: str, events: list[dict[str, object]]) -> None:
    lines = chain(events)
    head = Head(len(lines), lines[-1].hash)

    assert verdicts(place, b"".join(written(lines, form)), head) == (True, True)


@pytest.mark.parametrize("form", FORMS)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(events=EVENTS, data=st.data())
def test_any_changed_byte_is_found(
    place: Path, form: str, events: list[dict[str, object]], data: st.DataObject
) -> None:
    lines = chain(events)
    content = bytearray(b"".join(written(lines, form)))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))

    assert verdicts(place, bytes(content), Head(len(lines), lines[-1].hash)) == (False, False)


@pytest.mark.parametrize("form", FORMS)
@given(events=EVENTS, data=st.data())
def test_any_added_or_removed_byte_is_found(
    place: Path, form: str, events: list[dict[str, object]], data: st.DataObject
) -> None:
    lines = chain(events)
    content = b"".join(written(lines, form))
    at = data.draw(st.integers(0, len(content) - 1))
    more = data.draw(st.sampled_from([b"", b" ", b"\n", b"\r", b"0", b'"', b","]))

    changed = content[:at] + more + content[at + (not more) :]

    if changed != content:
        assert verdicts(place, changed, Head(len(lines), lines[-1].hash)) == (False, False)


@pytest.mark.parametrize("form", FORMS)
@given(events=EVENTS, data=st.data())
def test_a_removed_line_is_found_the_last_included(
    place: Path, form: str, events: list[dict[str, object]], data: st.DataObject
) -> None:
    lines = chain(events)
    raw = written(lines, form)
    del raw[data.draw(st.integers(0, len(raw) - 1))]

    assert verdicts(place, b"".join(raw), Head(len(lines), lines[-1].hash)) == (False, False)


@pytest.mark.parametrize("form", FORMS)
@given(events=EVENTS, data=st.data())
def test_two_reordered_lines_are_found(
    place: Path, form: str, events: list[dict[str, object]], data: st.DataObject
) -> None:
    lines = chain([*events, {"outcome": "run_finished"}])
    raw = written(lines, form)
    first, second = data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=2, max_size=2, unique=True))
    raw[first], raw[second] = raw[second], raw[first]

    assert verdicts(place, b"".join(raw), Head(len(lines), lines[-1].hash)) == (False, False)


@pytest.mark.parametrize("form", FORMS)
@given(events=EVENTS, data=st.data())
def test_a_chain_written_anew_after_tampering_is_found(
    place: Path, form: str, events: list[dict[str, object]], data: st.DataObject
) -> None:
    lines = chain(events)
    at = data.draw(st.integers(0, len(events) - 1))
    forged = chain([*events[:at], {**events[at], "forged": True}, *events[at + 1 :]])

    assert verdicts(place, b"".join(written(forged, form)), Head(len(lines), lines[-1].hash)) == (False, False)


@pytest.mark.parametrize("form", FORMS)
def test_lines_that_came_after_the_head_hang_together_with_it(place: Path, form: str) -> None:
    lines = chain([{"outcome": "run_started"}, {"outcome": "done"}, {"outcome": "run_finished"}])
    place.write_bytes(b"".join(written(lines, form)))

    found = check_file(place, [Head(2, lines[1].hash)])

    assert (found.problem, found.proven, found.head.length) == ("", 2, 3)
    assert script(place, Head(2, lines[1].hash))


def test_the_script_runs_by_itself_in_forty_lines(place: Path) -> None:
    lines = chain([{"outcome": "done", "key": "=cmd"}])
    place.write_bytes(lines[0].as_jsonl())
    whole = [sys.executable, "-I", str(SCRIPT), str(place), f"1:{lines[0].hash}"]

    assert subprocess.run(whole, check=False).returncode == 0
    broken = subprocess.run([*whole[:-1], f"2:{lines[0].hash}"], check=False, capture_output=True, text=True)
    assert (broken.returncode, broken.stderr) == (1, "NOT WHOLE: lines are missing at the end.\n")
    assert len(SCRIPT.read_text("utf-8").splitlines()) <= 40


@pytest.mark.parametrize("form", FORMS)
def test_the_script_proves_by_the_first_digits_of_a_head_too(place: Path, form: str) -> None:
    lines = chain([{"outcome": "run_started"}, {"outcome": "done"}])
    place.write_bytes(b"".join(written(lines, form)))

    assert script(place, Head(2, lines[1].hash[:16]))
    assert not script(place, Head(2, lines[0].hash[:16]))


@pytest.mark.parametrize("arguments", [(), ("2",), ("2:",), ("0:{}",), ("02:{}",), ("-1:{}",), ("2:{}", "1:{}")])
def test_a_head_that_is_none_proves_nothing_and_is_told_how_to_be_written(
    place: Path, arguments: tuple[str, ...]
) -> None:
    lines = chain([{"outcome": "run_started"}, {"outcome": "done"}])
    place.write_bytes(b"".join(written(lines, "jsonl")))
    told = [text.format("0" * 64) for text in arguments]

    ended = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(place), *told], check=False, capture_output=True, text=True
    )

    assert ended.returncode == 1
    assert "LENGTH:HASH" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_cell_of_the_csv_form_runs_nothing() -> None:
    (line,) = chain([{"by": "=cmd|' /C calc'!A0", "key": "dental:patients:1"}])

    assert b",'=cmd|' /C calc'!A0," in line.as_csv()
    assert json.loads(line.event)["by"].startswith("=")
