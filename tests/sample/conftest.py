"""Samples: of invented contacts in memory, and of a small example practice in the embedded sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.benchmarks.sample.seeded import PLAIN, take_sample

from flitstack.testing.migration import Migration
from flitstack_dental.example import write_example

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.sample.mistakes import Mistake

    from flitstack.stages.sample.taken import TakenSample

STATUSES = ("new", "active", "resting", "former")


@pytest.fixture
def contacts(tmp_path: Path) -> Migration:
    """Sixty contacts: four statuses of which one is rare, bosses, visits, a company each."""
    migration = Migration(tmp_path, required=("contacts",))
    export = migration.export
    export.add("staff", "s1", name="Ada Alder", email="ada@office.example")
    for number in range(6):
        export.add("companies", f"k{number}", name=f"Company {number}", main_id=None, partner_id=None)
    for number in range(60):
        status = "former" if number == 41 else STATUSES[number % 3]
        boss = f"c{number - 10}" if number in (30, 40, 50) else None
        name = "Тамара Ель" if number == 23 else f"Person {number:02}"
        export.add(
            "contacts", f"c{number}", name=name, phone=f"555-01{number:02}", status=status,
            company_id=f"k{number % 6}", boss_id=boss, staff_id="s1", changed_at=None,
        )  # fmt: skip
        export.add(
            "visits", f"v{number}", contact_id=f"c{number}", kind=("check", "call")[number % 2], note=f"Note {number}"
        )
    return migration


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small example practice."""
    folder = tmp_path_factory.mktemp("practice") / "export"
    write_example(folder, 60, seed=3)
    return folder


@pytest.fixture(scope="session")
def taken(practice: Path, tmp_path_factory: pytest.TempPathFactory) -> TakenSample:
    """A sample of it under the shipped map."""
    return take_sample(tmp_path_factory.mktemp("plain") / "s", practice, PLAIN, 30, random=False)[0]


@pytest.fixture(scope="session")
def take(practice: Path, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """Return a function: a mistake to the sample taken under it."""

    def taking(mistake: Mistake) -> TakenSample:
        return take_sample(tmp_path_factory.mktemp("wrong") / "s", practice, mistake, 30, random=False)[0]

    return taking
