"""SIGKILL at random moments of real undos over HTTP: they end as if nobody had killed, and no human record goes.

`FLITSTACK_UNDO_KILLS=100` kills so often, in rounds of ten; `FLITSTACK_KILLS_SEED=N` draws other moments.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.faults.real import FLIT, OUTSIDE, PLAN, SEATS, Life, Load, Server, difference, write_export

from flitstack.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.real import State

KILLS = int(os.environ.get("FLITSTACK_UNDO_KILLS", "3"))
SEED = int(os.environ.get("FLITSTACK_KILLS_SEED", "1"))
KILLS_A_ROUND = min(KILLS, 10)
PATIENTS = 30 if KILLS > 10 else 5
ROUNDS = [SEED * 1000 + number for number in range(max(1, KILLS // KILLS_A_ROUND))]
SLOW = {"method": "DELETE", "fault": "latency:0.02"}
LAG = {"fault": "list_lag:0.1", "nth": 1}
WITH_SERVER = 0.25


@dataclass(frozen=True, slots=True)
class Loaded:
    """A load into an account of other people, edited since; and what an undo that nobody disturbs makes of it.

    :param theirs: ids of the records of other people, by object.
    """

    folder: Path
    undone: State
    theirs: dict[str, set[Any]]
    requests: int


def start(folder: Path, server: Server) -> Life:
    """Begin to take back."""
    account = {"PIPEDRIVE_BASE_URL": server.url, "PIPEDRIVE_API_TOKEN": server.token}
    bought = {"PIPEDRIVE_PLAN": PLAN, "PIPEDRIVE_SEATS": SEATS}
    places = ("--journal", str(folder / "flit.db"), "--set", "dest.list_lag_s=0.2")
    process = subprocess.Popen(
        [*FLIT, "rollback", *places, "--json", "--approve-unseen", "test"],
        env={**OUTSIDE, "COLUMNS": "80", **account, **bought},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Life(process)


def people_work(server: Server, *, on_ours: bool) -> None:
    """Let people type in records of their own, or change ours and hang something on them."""
    headers = {"x-api-token": server.token}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        if not on_ours:
            for number in range(5):
                made = client.post("/api/v2/persons", json={"name": f"Stranger {number}"}).raise_for_status().json()
                note = {"content": f"Known since {number}", "person_id": made["data"]["id"]}
                client.post("/api/v1/notes", json=note).raise_for_status()
            return
        people = [doc for doc in server.dump()["person"] if doc["by_name"].get("Source_System_ID__c")]
        client.patch(f"/api/v2/persons/{people[0]['id']}", json={"name": "Renamed By Hand"}).raise_for_status()
        note = {"content": "They called.", "person_id": people[1]["id"]}
        client.post("/api/v1/notes", json=note).raise_for_status()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Return a load that people worked on since, to be copied, and what undoing it comes to."""
    folder = tmp_path_factory.mktemp("loaded")
    write_export(folder / "export", PATIENTS, seed=5)
    server = Server(folder, [LAG])
    server.start()
    try:
        people_work(server, on_ours=False)
        theirs = {object_: {doc["id"] for doc in docs} for object_, docs in server.dump().items() if object_ != "field"}
        done = Load(folder, folder / "export", server).run()
        assert done.code == 0, done.err
        people_work(server, on_ours=True)
        theirs["note"] |= {max(doc["id"] for doc in server.dump()["note"])}
    finally:
        server.stop()
    calm = tmp_path_factory.mktemp("calm") / "undo"
    shutil.copytree(folder, calm)
    server = Server(calm, [LAG, SLOW])
    server.start()
    try:
        ended = start(calm, server).end()
        assert ended.code == 1, ended.err
        requests = len(server.seen)
        return Loaded(folder, server.canonical(), theirs, requests)
    finally:
        server.stop()


@pytest.mark.parametrize("seed", ROUNDS)
def test_a_killed_undo_ends_as_one_that_nobody_killed_and_no_record_of_people_goes(
    tmp_path: Path, loaded: Loaded, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    killed = turns = 0
    while killed < KILLS_A_ROUND:
        turns += 1
        folder = tmp_path / f"turn-{turns}"
        shutil.copytree(loaded.folder, folder)
        server = Server(folder, [LAG, SLOW])
        server.start()
        try:
            for _ in range(chance.randint(2, 5)):
                life = start(folder, server)
                ended = life.ended_before(server, len(server.seen) + chance.randint(1, max(2, loaded.requests // 2)))
                if not ended and chance.random() < WITH_SERVER:
                    server.restart()
                    ended = life.ended_within(chance.uniform(0.0, 0.3))
                if ended:
                    life.end()
                    break
                life.kill()
                killed += 1
            done = start(folder, server).end()

            words = f"seed {seed}, turn {turns}: {done.err}"
            assert done.code == 1, words
            assert done.report["verified"] is None or not done.report["verified"]["wrong"], words
            assert difference(server.canonical(), loaded.undone) == {}, words
            held = {
                object_: {doc["id"] for doc in docs} for object_, docs in server.dump().items() if object_ != "field"
            }
            assert all(ids <= held[object_] for object_, ids in loaded.theirs.items()), words
            with Journal.existing(folder / "flit.db") as journal:
                assert journal.audit.broken_at() is None, words
                assert journal.operations.count("in_doubt", "intended", "planned", "blocked") == 0, words
            left = server.dump()
            again = start(folder, server).end()
            assert again.code == 1, words
            assert all(not n["deleted"] + n["restored"] for n in again.report["objects"].values()), words
            assert server.dump() == left, words
        finally:
            server.stop()
