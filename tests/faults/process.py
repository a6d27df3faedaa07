"""One invocation as a process of its own, for tests that kill it or take its disk away; its account is a file.

Usage: process.py FOLDER [LARGEST_FILE]. Prints a line per write that arrives, and ends with the run's exit code.
"""

from __future__ import annotations

import os
import pickle
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flitstack.errors import FlitError
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from flitstack.protocols import Operation

KEPT = ("records", "items", "written", "made", "arrived")


def load_account(migration: Migration, file: Path) -> None:
    """Give the account what the processes before left in it."""
    if file.exists():
        elapsed, *values = pickle.loads(file.read_bytes())  # noqa: S301 - written by this test
        migration.clock.advance(elapsed)
        for name, value in zip(KEPT, values, strict=True):
            setattr(migration.account, name, value)


def keep_account(migration: Migration, file: Path) -> None:
    """Keep the account; a reader sees all of it or what was there before."""
    values = [getattr(migration.account, name) for name in KEPT]
    file.with_suffix(".new").write_bytes(pickle.dumps([migration.clock.monotonic(), *values]))
    os.replace(file.with_suffix(".new"), file)


def migration_in(folder: Path) -> Migration:
    """Return the migration, with its account as the last process left it."""
    migration = Migration(folder, concurrency=3)
    small_load(migration.export)
    for number in range(10, 40):
        migration.export.add("contacts", str(number), name=f"Name {number}", company_id="1", boss_id=str(number + 1))
        migration.export.add("visits", f"w{number}", contact_id=str(number), kind="call", note=f"Note {number}")
    load_account(migration, folder / "account")
    return migration


def main(folder: Path, largest_file: int | None) -> int:
    """Run once and return the exit code."""
    migration = migration_in(folder)

    def arriving(operation: Operation) -> None:
        sys.stdout.write("arrived\n")
        sys.stdout.flush()

    def answering(operation: Operation) -> None:
        keep_account(migration, folder / "account")

    migration.account.arriving, migration.account.answering = arriving, answering
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    try:
        code = migration.run().exit_code
    except FlitError as exc:
        sys.stderr.write(f"{type(exc).__name__}: {exc}\n")
        code = exc.exit_code
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    keep_account(migration, folder / "account")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
