"""Exports the audit log as JSON lines or CSV."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flitstack.errors import UsageError
from flitstack.journal import START, Head
from flitstack.stages.auditlog.lines import CSV_HEADER, Line

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.journal import Journal


def export_log(journal: Journal, path: Path) -> Head:
    """Write all events, as CSV where the name ends so and else as JSON lines; return the head of what was written.

    :raises UsageError: the file is there already, or cannot be written.
    """
    as_csv = path.suffix.lower() == ".csv"
    head = Head(0, START)
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            if as_csv:
                out.write(CSV_HEADER)
            for event in journal.audit.events():
                line = Line(*event)
                out.write(line.as_csv() if as_csv else line.as_jsonl())
                head = Head(line.seq, line.hash)
    except FileExistsError as exc:
        raise UsageError(f"{path}: this file is there already. Choose another name.") from exc
    except OSError as exc:
        raise UsageError(f"{path}: cannot be written ({exc.strerror}).") from exc
    return head
