"""Audits exports in process, as `flit audit` does, with every key told instead of the first ten."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from flitstack.registry import load_plugins
from flitstack.reports.progress import progress_for_stderr
from flitstack.stages.audit.export import audit_export
from flitstack.stages.context import StopFlag
from flitstack.validators import lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flitstack.protocols import Finding
    from flitstack.stages.audit.sections import Audit


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit and its lines by stream and code."""

    audit: Audit
    lines: dict[tuple[str | None, str], list[Finding]] = field(default_factory=dict)

    def count(self, stream: str | None, code: str, said: str = "") -> int:
        """Return how many records the lines of that kind count, those whose message says so."""
        return sum(line.count for line in self.lines.get((stream, code), ()) if said in line.message)

    def ids(self, stream: str, code: str, said: str = "") -> set[str]:
        """Return the ids of the records that the lines of that kind name."""
        return {
            key.split(":", 2)[2]
            for line in self.lines.get((stream, code), ())
            if said in line.message
            for key in line.keys
        }


def audited(audit: Audit) -> Audited:
    """Return an audit with its lines at hand."""
    found = Audited(audit)
    for section in audit.sections:
        for line in section.lines:
            found.lines.setdefault((line.stream, line.code), []).append(line)
    return found


@pytest.fixture(scope="session")
def audit_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Audited]:
    """Return a function that audits an export, with settings as `--set` takes them; every record is named."""

    def audit(export: Path, *sets: str) -> Audited:
        journal = tmp_path_factory.mktemp("audit") / "flit.db"
        progress, stop = progress_for_stderr(), StopFlag()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lines, "KEYS", 1_000_000)  # not only the first ten
            made = audit_export(
                load_plugins(), "dental", "pipedrive", str(export), journal, progress, stop, sets=sets, offline=True
            )
            return audited(asyncio.run(made))

    return audit
