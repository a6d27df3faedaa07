"""drt's way: a sync from a SQLite table to a REST API, run by its command.

    PYTHON_WITH_DRT -m tests.benchmarks.engine.loads.drt_load --url URL --count 5000 --folder F --batch 1000

drt sends a sync's records one after the other; there is no setting to send several at once, and its rate limit (10 a
second unless set) is set out of the way. Run again on the same folder, it runs the sync again. Its answer to the
question whether all went well is kept in `said`.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.benchmarks.engine.loads.saying import timed
from tests.benchmarks.engine.people import bodies

PROJECT = "name: bench\nversion: '0.1'\nprofile: bench\n"
PROFILE = "bench:\n  type: sqlite\n  database: {database}\n"
SYNC = """name: persons
model: SELECT number, body FROM persons ORDER BY number
destination:
  type: rest_api
  url: {url}/api/v2/persons
  method: POST
  headers:
    content-type: application/json
    x-api-token: bench
  body_template: "{{{{ row.body }}}}"
sync:
  mode: {mode}
  batch_size: {batch}
  on_error: {on_error}
  rate_limit:
    requests_per_second: 1000000
{cursor}"""


def prepare(folder: Path, url: str, count: int, batch: int, on_error: str) -> None:
    """Write the project, the profile and the table, unless they are there."""
    database = folder / "persons.sqlite"
    (folder / "syncs").mkdir(parents=True, exist_ok=True)
    (folder / "home" / ".drt").mkdir(parents=True, exist_ok=True)
    (folder / "drt_project.yml").write_text(PROJECT)
    (folder / "home" / ".drt" / "profiles.yml").write_text(PROFILE.format(database=database))
    sync = SYNC.format(url=url, batch=batch, on_error=on_error, mode="incremental", cursor="  cursor_field: number\n")
    (folder / "syncs" / "persons.yml").write_text(sync)
    if database.exists():
        return
    rows = [(number, json.dumps(body)) for number, body in enumerate(bodies(count), 1)]
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("CREATE TABLE persons (number INTEGER PRIMARY KEY, body TEXT)")
        db.executemany("INSERT INTO persons VALUES (?, ?)", rows)


def main() -> None:
    """Read the options, load, and say what was used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--on-error", choices=("fail", "skip"), default="fail")
    given = parser.parse_args()
    prepare(given.folder, given.url, given.count, given.batch, given.on_error)
    command = [str(Path(sys.executable).with_name("drt")), "run"]
    env = {**os.environ, "HOME": str(given.folder / "home"), "DRT_TELEMETRY": "0", "DO_NOT_TRACK": "1"}
    with timed(batch_size=given.batch, mode="incremental", on_error=given.on_error, threads=1) as said:
        done = subprocess.run(command, cwd=given.folder, env=env, capture_output=True, text=True, check=False)
        said["exit"] = done.returncode
        said["said"] = " ".join((done.stdout + done.stderr).split())[-400:]


if __name__ == "__main__":
    main()
