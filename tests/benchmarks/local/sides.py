"""The two sides that `measure` compares, each run in a process of its own: flit, and the best there is without it."""

from __future__ import annotations

import csv
import json
import resource
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, date, datetime
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import jsonschema_rs
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from sqlite_utils import Database

from flitstack.clock import VirtualClock
from flitstack.journal import Journal
from flitstack.mapping import fit_schema, load_spec, load_template
from flitstack.mapping.functions import at_zone, first_present, join_present, lines
from flitstack.protocols import Behaviours, ObjectBehaviour, WriterContext
from flitstack.registry import load_plugins
from flitstack.stages.context import RunContext, StopFlag
from flitstack.stages.intake.map import map_records
from flitstack.stages.intake.stage import stage_export
from flitstack.stages.plan.operations import plan_operations
from flitstack.testing.memory import ALL, COST, MemoryAccount, memory_destination
from flitstack.testing.migration import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
NOW = datetime(2026, 7, 1, tzinfo=UTC)
BATCH = 1_000
TIMES = ("born_on", "first_visit_on", "last_visit_on", "added_at")
DATES = ("birth_date", "first_visit_date", "last_visit_date")
OBJECTS = {
    "field": ObjectBehaviour(ALL, COST, 500, "name", lag_s=5.0),
    "person": ObjectBehaviour(ALL, COST, 500, "field:Source_Key__c", filter_since=True, lag_s=5.0),
}


def flit(file: Path, journal: Path) -> dict[str, float]:
    """Stage, map and plan the export; return the seconds of each stage and its number of rows.

    The journal is a file as always; the destination is one in memory and is never written to.
    """
    registry = load_plugins()
    source = registry.source("dental")
    plugin = memory_destination(MemoryAccount(VirtualClock(NOW)), Behaviours(OBJECTS, ("field",)))
    writer = plugin.open({}, WriterContext(VirtualClock(NOW), _no_document))
    took: dict[str, float] = {}
    began = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal began
        now = time.perf_counter()
        took[name] = now - began
        began = now

    reader = source.open(str(file.parent), {"as_of": "2026-06-30"})
    with Journal(journal, lease=True) as opened:
        ctx = RunContext(
            "run", "dental", opened, writer, writer.behaviours, VirtualClock(NOW), Words(), StopFlag(), _nobody
        )
        lap("open")
        stage_export(ctx, source, reader)
        lap("stage")
        streams = {stream.name: stream for stream in reader.known_streams()}
        text = load_template(HERE / "patients.yaml.j2").render({}, {}, {"streams": ["patients"]}, {})
        spec = load_spec(
            text, streams=streams, transforms=registry.transforms(), objects=[*OBJECTS, "user"], file="spec"
        )
        fit = fit_schema(spec, (), {}, None)
        lap("spec")
        map_records(ctx, spec, fit)
        lap("map")
        planned = plan_operations(ctx)
        lap("plan")
        rows = opened.staging.count("patients")
        assert planned.operations["person", "create"] == rows, planned.operations
        assert opened.operations.count("planned") == rows + 1
    reader.close()
    return {**took, "seconds": sum(took.values()), "rows": rows}


def _no_document(path: str) -> BinaryIO:
    """:raises FileNotFoundError: always."""
    raise FileNotFoundError(path)


def _nobody(hook: str, **arguments: Any) -> None:
    """Observe nothing."""


def reference(file: Path, database: Path) -> dict[str, float]:
    """Parse, type, validate (jsonschema-rs), map (one sandboxed expression a record), insert in batches (sqlite-utils).

    No journal, no staging, no plan, no source keys, no line numbers, no checks of quotes, dates or secrets: what the
    libraries do at their best, and nothing else.
    """
    began = time.perf_counter()
    connection = _database(database)
    table = Database(connection, execute_plugins=False).table("person")
    table.insert_all(_mapped(file), batch_size=BATCH)
    connection.close()
    return {"seconds": time.perf_counter() - began, "rows": _count(database)}


def bare(file: Path, database: Path) -> dict[str, float]:
    """Do the same with the sqlite3 module alone: `executemany` of one JSON text a record."""
    began = time.perf_counter()
    connection = _database(database)
    connection.execute("CREATE TABLE person (id TEXT PRIMARY KEY, fields TEXT)")
    rows = _mapped(file)
    while made := [(row["id"], json.dumps(row)) for row in islice(rows, BATCH)]:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO person VALUES (?, ?)", made)
        connection.execute("COMMIT")
    connection.close()
    return {"seconds": time.perf_counter() - began, "rows": _count(database)}


def _mapped(file: Path) -> Iterator[dict[str, Any]]:
    is_valid = jsonschema_rs.validator_for(_schema()).is_valid
    evaluate = _compiled()
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader)
        for cells in reader:
            record: dict[str, Any] = {name: cell or None for name, cell in zip(header, cells, strict=True)}
            record["text_ok"] = cells[18] == "yes"
            if not is_valid(record):
                raise SystemExit("invalid")
            for name in DATES:
                if text := record[name]:
                    record[name] = date.fromisoformat(text)
            record["created_at"] = datetime.fromisoformat(cells[25])
            fields = evaluate(record)
            for name in TIMES:
                if fields[name] is not None:
                    fields[name] = fields[name].isoformat()
            yield {"id": cells[0], **fields}


def _database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def _count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM person").fetchone()[0])


def _schema() -> dict[str, Any]:
    """Return the schema of the stream, as the dental plugin states it."""
    text = resources.files("flitstack_dental").joinpath("streams", "patients.json").read_text("utf-8")
    return dict(json.loads(text))


def _compiled() -> Callable[[dict[str, Any]], Any]:
    """Return all fields of the template as one compiled expression, in Jinja's immutable sandbox."""
    fields = {}
    body = (HERE / "patients.yaml.j2").read_text("utf-8").partition("\n    fields:\n")[2]
    for line in body.splitlines():
        name, _, expression = line.strip().partition(": ")
        fields[name] = expression.strip('"').replace("patient.", "")
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    environment.globals.update(
        {"join_present": join_present, "first_present": first_present, "at_zone": at_zone, "lines": lines}
    )
    inner = ", ".join(f"'{name}': ({expression})" for name, expression in fields.items())
    return environment.compile_expression("{" + inner + "}", undefined_to_none=False)


def main() -> None:
    """Run one side and print what it took as JSON, with the process's largest resident size in MB."""
    side, file, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    took = {"flit": flit, "reference": reference, "bare": bare}[side](file, folder / f"{side}.db")
    took["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(took))  # noqa: T201 - a command


if __name__ == "__main__":
    main()
