"""Whatever goes wrong on the way to the account, at every seventh write: what is there in the end is there once."""

from __future__ import annotations

import csv
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.faults.lossy import LATENCY, Came, Lossy, Opens, closing_all
from tests.faults.real import difference, write_export

from flitstack.errors import AuthError, BudgetExhausted
from flitstack_pipedrive.sandbox.faults import FaultRule, parse_fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = bool(os.environ.get("FLITSTACK_LONG"))
SHORT = (
    "refuse:1", "drop_before", "late_commit:2", "drop_after", "status_after:500", "truncated", "not_json", "drip:30",
    "list_lag:4",
)  # fmt: skip
FAULTS = (*SHORT, "restart:1", "status_after:503", "status:500", "status:502", "storm:3") if LONG else SHORT
UNSEEN = ("drip:30", "list_lag:4", "storm:3")
EVERY = (4, 7, 11) if LONG else (7,)
ORDERS = [(one, two) for one in (None, "drop_before", "drop_after") for two in (None, "drop_before", "drop_after")]
WRITES = ("POST", "PATCH", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Calm:
    """A small export and what it comes to when nothing goes wrong."""

    export: Path
    came: Came


@pytest.fixture(scope="module")
def lossy() -> Iterator[Opens]:
    """Return what opens a load; its account is closed in the end."""
    with closing_all() as opens:
        yield opens


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, lossy: Opens) -> Calm:
    """Return a small practice, and its load when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("calm")
    write_export(folder / "export", 4, seed=5)
    came = lossy(folder / "account", folder / "export", [LATENCY]).until_done()
    assert came.runs == 1
    assert came.writes > 100
    assert all(came.state[name] for name in ("organization", "person", "deal", "lead", "activity", "note", "file"))
    return Calm(folder / "export", came)


def rules(fault: str, every: int) -> list[FaultRule]:
    """Return rules by which a fault strikes writes: each kind counted for itself."""
    found = parse_fault(fault)
    assert found is not None
    return [*(FaultRule(found, method, every=every) for method in WRITES), LATENCY]


def assert_finished(load: Lossy, calm: Calm) -> Came:
    """The load ends as the calm one did, and another run writes nothing."""
    came = load.until_done()

    assert difference(came.state, calm.came.state) == {}
    load.rules = ()
    written = came.writes
    again = load.until_done()
    assert again.writes == written
    assert again.state == came.state
    return came


@pytest.mark.parametrize(
    "fault",
    FAULTS,
)
@pytest.mark.parametrize("every", EVERY)
def test_a_fault_at_every_seventh_write_leaves_neither_gap_nor_double(
    tmp_path: Path, lossy: Opens, calm: Calm, fault: str, every: int
) -> None:
    load = lossy(tmp_path, calm.export, rules(fault, every=every))

    came = assert_finished(load, calm)

    assert fault in UNSEEN or came.requests != calm.came.requests, "the fault never struck"


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "late_commit:2"] if LONG else ["drop_after"])
def test_an_account_whose_lists_lag_by_three_seconds_makes_no_difference(
    tmp_path: Path, lossy: Opens, calm: Calm, fault: str
) -> None:
    lag = parse_fault("list_lag:3")
    assert lag is not None
    load = lossy(tmp_path, calm.export, [FaultRule(lag, nth=1), *rules(fault, every=5)])

    assert_finished(load, calm)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422] if LONG else [403])
def test_a_record_that_the_account_refuses_is_rejected_and_the_others_are_there(
    tmp_path: Path, lossy: Opens, calm: Calm, status: int
) -> None:
    refused = parse_fault(f"status:{status}")
    assert refused is not None
    load = lossy(tmp_path, calm.export, [FaultRule(refused, "POST", "/api/v1/notes", nth=3), LATENCY])

    report = load.run(code=1)

    assert report["status"] == "done_with_others"
    assert sum(counts["rejected"] for counts in report["streams"].values()) >= 1
    assert report["objects"]["note"]["created"] == calm.came.report["objects"]["note"]["created"] - 1
    found = difference(load.state(), calm.came.state)
    assert found == {"note": (0, 1)}


@pytest.mark.parametrize("nth", [1, 20, 80, 140] if LONG else [110])
def test_a_token_that_is_revoked_amid_the_writes_stops_the_run_and_a_new_one_carries_on(
    tmp_path: Path, lossy: Opens, calm: Calm, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoked = parse_fault("revoke")
    assert revoked is not None
    load = lossy(tmp_path, calm.export, [FaultRule(revoked, "POST", nth=nth), LATENCY])

    with pytest.raises(AuthError) as told:
        load.run()

    assert told.value.exit_code == 4
    load.rules = (LATENCY,)
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", load.renew_token())
    assert_finished(load, calm)


@pytest.mark.parametrize("left", [60, 400, 900] if LONG else [700])
def test_a_day_whose_tokens_are_used_up_stops_the_run_and_the_next_day_carries_on(
    tmp_path: Path, lossy: Opens, calm: Calm, left: int
) -> None:
    load = lossy(tmp_path, calm.export, [LATENCY])
    load.sets = (*load.sets, "dest.reserve=0")
    load.left_today = left

    with pytest.raises(BudgetExhausted) as told:
        load.run()

    assert told.value.exit_code == 5
    load.left_today = None
    load.clock.advance(86_400)
    assert_finished(load, calm)


def test_a_clock_that_jumps_forward_and_back_between_runs_changes_nothing(
    tmp_path: Path, lossy: Opens, calm: Calm
) -> None:
    """Drops leave writes in doubt whose times lie in the future, or far in the past, of the run that looks."""
    dropped = parse_fault("drop_after")
    assert dropped is not None
    load = lossy(tmp_path, calm.export)
    for hours in (0, 30, -60, 24 * 40, -24 * 35):
        load.clock.advance(hours * 3600)
        load.rules = (*(FaultRule(dropped, "POST", nth=12 + number) for number in range(10)), LATENCY)
        load.attempt()

    load.rules = (LATENCY,)
    assert_finished(load, calm)


@pytest.mark.parametrize(
    "path", ["/api/v1/files", "/api/v2/persons", "/api/v1/notes", "/api/v2/activities"][: 4 if LONG else 2]
)
def test_what_a_server_writes_after_the_declared_lag_is_there_twice_and_verification_finds_it(
    tmp_path: Path, lossy: Opens, calm: Calm, path: str
) -> None:
    """The one way to a double: a request carried out long after it was given up. Nobody removes it, all are told."""
    late = parse_fault("late_commit:600")
    assert late is not None
    load = lossy(tmp_path, calm.export, [FaultRule(late, "POST", path, nth=2), LATENCY])
    load.run()
    load.clock.advance(700)

    report = load.run(code=6)

    assert report["verified"]["mismatched"] == 1
    kind = {"persons": "person", "activities": "activity", "notes": "note", "files": "file"}[path.rpartition("/")[2]]
    assert difference(load.state(), calm.came.state) == {kind: (1, 0)}


# --- documents ------------------------------------------------------------------------------------------------------


def twins(export: Path, same_bytes: bool) -> None:
    """Give one person of the export two documents more, of one name and one size."""
    path = export / "documents.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    held = next(row for row in rows if row["patient_id"] and not row["appointment_id"] and row["path"])
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        for number, letter in enumerate((b"x", b"x" if same_bytes else b"y"), 1):
            place = f"files/{held['patient_id']}/{number}/twin.png"
            (export / place).parent.mkdir(parents=True)
            (export / place).write_bytes(letter * 500)
            writer.writerow({**held, "id": f"D9{number}", "name": "twin.png", "path": place, "size": "", "sha256": ""})


@pytest.mark.parametrize("same_bytes", [True, False])
@pytest.mark.parametrize("faults", ORDERS if LONG else [(None, "drop_after"), ("drop_before", "drop_after")])
def test_two_documents_of_one_name_and_size_in_doubt_are_both_there_once(
    tmp_path: Path, lossy: Opens, calm: Calm, same_bytes: bool, faults: tuple[str | None, str | None]
) -> None:
    export = tmp_path / "export"
    write_export(export, 4, seed=5)
    twins(export, same_bytes)
    load = lossy(tmp_path / "load", export)
    uploads = [path for method, path in calm.came.requests if (method, path) == ("POST", "/api/v1/files")]
    for number, fault in enumerate(faults, len(uploads) + 1):
        struck = parse_fault(fault or "")
        if struck is not None:
            load.rules = (*load.rules, FaultRule(struck, "POST", "/api/v1/files", nth=number))
    load.rules = (*load.rules, LATENCY)

    came = load.until_done()

    kept = [doc["sha256"] for doc in came.state["file"] if doc["name"] == "twin.png"]
    wanted = [hashlib.sha256(letter * 500).hexdigest() for letter in (b"x", b"x" if same_bytes else b"y")]
    assert sorted(kept) == sorted(wanted)
    assert len(came.state["file"]) == len(calm.came.state["file"]) + 2
