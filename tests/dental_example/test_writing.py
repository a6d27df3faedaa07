"""The generator: the same bytes for the same wish, at any size, with flat memory and clear messages."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flitstack.errors import UsageError
from flitstack_dental.example import write_example

if TYPE_CHECKING:
    from pathlib import Path

_HASH_SEED_PROGRAM = "import sys, pathlib; from flitstack_dental.example import write_example; write_example(pathlib.Path(sys.argv[1]), 45, 9)"  # noqa: E501 - a program on one line

# In a process of its own: what other tests left running in this one would be counted with it.
# The first example is not measured; what is imported and cached once does not count.
_PEAKS_PROGRAM = """
import pathlib, sys, tracemalloc
from flitstack_dental.example import write_example

def peak(patients):
    tracemalloc.start()
    write_example(pathlib.Path(sys.argv[1]) / str(patients), patients, 1)
    print(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()

write_example(pathlib.Path(sys.argv[1]) / "warm", 50, 1)
peak(100)
peak(400)
"""


def _digests(out: Path) -> dict[str, str]:
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_number_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    write_example(tmp_path / "one", 60, 7)
    write_example(tmp_path / "two", 60, 7)

    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")


def test_another_process_with_another_hash_seed_and_language_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, environment in (("one", {"PYTHONHASHSEED": "1", "LC_ALL": "C"}), ("two", {"PYTHONHASHSEED": "2"})):
        command = [sys.executable, "-c", _HASH_SEED_PROGRAM, str(tmp_path / name)]
        subprocess.run(command, check=True, env=environment)

    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")


def test_another_seed_gives_another_practice(tmp_path: Path) -> None:
    write_example(tmp_path / "one", 60, 7)
    write_example(tmp_path / "two", 60, 8)

    one, two = _digests(tmp_path / "one"), _digests(tmp_path / "two")

    assert one["patients.csv"] != two["patients.csv"]
    assert one["procedures.csv"] != two["procedures.csv"]


def test_writing_over_an_earlier_example_gives_what_a_fresh_folder_holds(tmp_path: Path) -> None:
    write_example(tmp_path / "used", 45, 3)
    write_example(tmp_path / "used", 45, 3)
    write_example(tmp_path / "fresh", 45, 3)

    assert _digests(tmp_path / "used") == _digests(tmp_path / "fresh")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patients=st.integers(1, 45), seed=st.integers(-5, 10**12))
def test_any_small_number_of_patients_can_be_made(tmp_path: Path, patients: int, seed: int) -> None:
    out = tmp_path / f"{patients}-{seed}"

    write_example(out, patients, seed)

    assert json.loads((out / "export_manifest.json").read_text(encoding="utf-8"))["patients"] == patients
    assert isinstance(json.loads((out / "defects.ledger.json").read_text(encoding="utf-8")), list)


def test_no_patients_at_all_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--patients"):
        write_example(tmp_path / "none", 0, 1)

    assert not (tmp_path / "none").exists()


def test_a_folder_that_is_a_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")

    with pytest.raises(UsageError, match="Choose another folder"):
        write_example(taken, 5, 1)

    assert taken.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("mine", encoding="utf-8")

    with pytest.raises(UsageError, match="not empty, and no earlier example"):
        write_example(tmp_path, 5, 1)

    assert [path.name for path in tmp_path.iterdir()] == ["patients.csv"]
    assert (tmp_path / "patients.csv").read_text(encoding="utf-8") == "mine"


def test_an_earlier_example_is_written_over(tmp_path: Path) -> None:
    write_example(tmp_path, 5, 1)
    write_example(tmp_path, 5, 2)
    write_example(tmp_path / "new", 5, 2)

    assert (tmp_path / "patients.csv").read_bytes() == (tmp_path / "new" / "patients.csv").read_bytes()


def test_memory_stays_the_same_however_many_patients(tmp_path: Path) -> None:
    measured = subprocess.run(
        [sys.executable, "-c", _PEAKS_PROGRAM, str(tmp_path)], check=True, capture_output=True, text=True
    )

    few, many = map(int, measured.stdout.split())
    assert many < few * 1.3
