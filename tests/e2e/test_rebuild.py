"""The journal is deleted, and the same command finds in the account what it wrote: nothing twice, nothing lost."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.e2e.conftest import FLIT, Site, ended, key_in, keys_of, write_export

from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.serving import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import Ended


@contextmanager
def as_a_person(site: Site) -> Iterator[httpx.Client]:
    """Yield a client of the embedded account, signed in as an admin."""
    with (
        Sandbox(str(site.account), plan=site.plan, seats=site.seats, switches=Switches(burst=100_000)) as sandbox,
        serve_in_thread(sandbox) as url,
    ):
        token = next(str(user["token"]) for user in sandbox.users if user["is_admin"])
        with httpx.Client(base_url=f"{url}/api", headers={"x-api-token": token}) as client:
            yield client


def lose_journal(site: Site) -> None:
    """Delete the journal and all that belongs to it."""
    for file in site.folder.glob("flit.db*"):
        file.unlink()


def verify(site: Site, *more: str) -> Ended:
    """Read the account back, as JSON."""
    command = [*FLIT, "verify", "--journal", str(site.journal), "--json", "--set", "dest.list_lag_s=0", *more]
    return ended(command, cwd=site.folder, env=site.env())


@pytest.fixture
def lost(loaded: Site, tmp_path: Path) -> Site:
    """The small practice, migrated, and its journal gone."""
    site = loaded.copy(tmp_path)
    lose_journal(site)
    return site


def test_a_whole_load_is_found_again_without_a_write(lost: Site, loaded: Site) -> None:
    before = loaded.state()

    done = lost.run(approve=False)  # nothing is written, so nothing waits for an approval

    assert done.code == 0, done.err
    assert done.writes == 0
    assert "written by a journal that is not here" in done.err
    assert lost.state() == before
    verified = done.report["verified"]
    assert (verified["mismatched"], verified["drifted"]) == (0, 0)
    found = verify(lost, "--hash-files").report
    assert (found["status"], found["verified"]["checked"]) == ("verified", verified["checked"])
    assert verified["checked"] > 200


def test_a_load_that_was_killed_half_way_completes_without_its_journal(site: Site, loaded: Site) -> None:
    running = site.start()
    while running.poll() is None and writes_of(site) < 150:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    lose_journal(site)
    half = keys_of(site.state())
    whole = keys_of(loaded.state())
    assert sum(half.values()) < sum(whole.values())

    done = site.run()

    assert done.code == 0, done.err
    assert keys_of(site.state()) == whole
    assert done.report["verified"]["mismatched"] == 0


def writes_of(site: Site) -> int:
    """Return how many writes the journal says are done; none while it cannot be read."""
    try:
        with sqlite3.connect(f"file:{site.journal}?mode=ro", uri=True) as db:
            return int(db.execute("SELECT count(*) FROM operation WHERE state = 'done'").fetchone()[0])
    except sqlite3.Error:
        return 0


def test_another_practice_of_the_same_software_is_refused(lost: Site, tmp_path: Path) -> None:
    """Its patients have the same numbers."""
    before = lost.state()
    shutil.rmtree(lost.export)
    write_export(lost.export, 12, 6)

    refused = lost.run()

    assert refused.code == 4
    assert "not those of this export" in refused.one_message()
    assert "--set source_id=NAME" in refused.one_message()
    assert lost.state() == before


def test_what_a_person_changed_survives_and_is_told(lost: Site) -> None:
    person = lost.state()["person"][0]
    with as_a_person(lost) as client:
        client.patch(f"/v2/persons/{person['id']}", json={"name": "Renamed Invented"}).raise_for_status()

    done = lost.run()

    assert done.code == 0, done.err
    assert done.writes == 0
    assert done.report["verified"]["drifted"] == 1
    assert lost.state()["person"][0]["name"] == "Renamed Invented"


def test_an_activity_whose_marker_a_person_removed_is_in_doubt_and_not_written_again(lost: Site) -> None:
    activity = next(doc for doc in lost.state()["activity"] if key_in(doc["note"]))
    text, key = str(activity["note"]), key_in(activity["note"])
    with as_a_person(lost) as client:
        bare = text[: text.rindex("<p>flit-id:")]
        client.patch(f"/v2/activities/{activity['id']}", json={"note": bare}).raise_for_status()

    done = lost.run()

    assert done.code == 1, done.err
    assert done.writes == 0
    assert done.report["look_alikes"] == [{"object": "activity", "key": key}]
    assert done.report["objects"]["activity"]["in_doubt"] == 1

    with as_a_person(lost) as client:
        client.patch(f"/v2/activities/{activity['id']}", json={"note": text}).raise_for_status()
    settled = lost.run()

    assert settled.code == 0, settled.err
    assert settled.writes == 0


def test_a_document_that_is_there_twice_is_found_and_the_other_left_alone(loaded: Site, tmp_path: Path) -> None:
    site = loaded.copy(tmp_path)
    file = next(doc for doc in site.state()["file"] if doc["person_id"])
    with as_a_person(site) as client:
        content = client.get(f"/v1/files/{file['id']}/download").content
        upload = {"file": (file["name"], content)}
        client.post("/v1/files", data={"person_id": file["person_id"]}, files=upload).raise_for_status()
        other = {"file": ("another.txt", b"invented")}
        client.post("/v1/files", data={"person_id": file["person_id"]}, files=other).raise_for_status()

    found = verify(site)

    assert found.code == 6
    assert (found.report["objects"]["file"]["doubled"], found.report["objects"]["file"]["left_alone"]) == (1, 1)


def test_bytes_that_are_others_are_found_by_their_checksum(loaded: Site, tmp_path: Path) -> None:
    site = loaded.copy(tmp_path)
    with sqlite3.connect(site.journal) as db:
        key, wanted = db.execute("SELECT key, wanted FROM link WHERE object = 'file' ORDER BY key").fetchone()
        changed = json.loads(wanted)
        changed["fields"]["sha256"] = "0" * 64
        db.execute("UPDATE link SET wanted = ? WHERE object = 'file' AND key = ?", (json.dumps(changed), key))

    found = verify(site, "--hash-files")

    assert found.code == 6
    assert found.report["examples"] == [{"object": "file", "key": key, "what": "its bytes differ"}]
    assert found.report["objects"]["file"]["hashed"] == found.report["objects"]["file"]["checked"] > 0


def test_the_table_of_verification_is_for_people(loaded: Site, tmp_path: Path) -> None:
    site = loaded.copy(tmp_path)
    command = [*FLIT, "verify", "--journal", str(site.journal)]

    found = ended(command, cwd=site.folder, env=site.env())

    assert found.code == 0, found.err
    assert "Read back from" in found.out
    assert all(column in found.out for column in ("checked", "mismatched", "drifted", "doubled"))
    assert "All is as it was written." in found.out
