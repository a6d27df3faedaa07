"""The table of findings: how one line of the audit is written into the journal and read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.journal.jsontext import dumps, loads
from flitstack.protocols import Finding

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

INSERT = (
    "INSERT INTO finding (stage, code, message, severity, stream, count, keys, section, more) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_MORE = ("of", "handling", "decision", "default", "figure")


def finding_row(stage: str, finding: Finding) -> tuple[Any, ...]:
    """Return a finding as the table has it."""
    more: dict[str, Any] = {name: value for name in _MORE if (value := getattr(finding, name)) not in ("", None)}
    if finding.spread:
        more["spread"] = [list(pair) for pair in finding.spread]
    keys = dumps(list(finding.keys))
    return (stage, finding.code, finding.message, finding.severity, finding.stream, finding.count, keys,
            finding.section, dumps(more))  # fmt: skip


def read_finding(row: sqlite3.Row) -> Finding:
    """Return a finding from its row."""
    more: Mapping[str, Any] = loads(row["more"])
    spread = tuple((str(label), int(count)) for label, count in more.get("spread", ()))
    return Finding(
        row["code"], row["message"], row["severity"], row["stream"], row["count"], tuple(loads(row["keys"])),
        row["section"], **{name: more[name] for name in _MORE if name in more}, spread=spread,
    )  # fmt: skip
