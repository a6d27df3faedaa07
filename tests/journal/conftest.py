"""A journal in a real file, and a few operations in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.journal import DesiredRow, Journal, Planned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "flit.db") as opened:
        yield opened


@pytest.fixture
def planned(journal: Journal) -> Journal:
    """Return the journal with three contacts wanted and their creation planned, numbered 1 to 3."""
    journal.runs.begin("run-1", "2026-07-01T09:00:00.000+00:00", "0")
    journal.records.add(
        [
            DesiredRow("contact", f"memory:contacts:{n}", "", "contacts", {"name": f"N{n}"}, {}, None,
                       (("contacts", str(n), "main"),))
            for n in (1, 2, 3)
        ], (), (), (),
    )  # fmt: skip
    journal.operations.plan(
        "run-1",
        "spec",
        [
            Planned("create", "contacts", "contact", f"memory:contacts:{n}", "", {"name": f"N{n}"}, {}, 0)
            for n in (1, 2, 3)
        ],
    )
    return journal
