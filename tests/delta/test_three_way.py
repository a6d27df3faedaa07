"""Random edits on both sides against the truth said simply: a field is ours to write only where nobody else wrote."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flitstack.testing.migration import Migration

MANY = int(os.environ.get("FLITSTACK_TRUTH_CASES", "0"))
FIELDS = ("phone", "email", "@company")
VALUES = ("a", "b", "c", None)
PEOPLE = ("1", "2")

side = st.sampled_from(["source", "account"])
edit = st.tuples(side, st.sampled_from(PEOPLE), st.sampled_from(FIELDS), st.sampled_from(VALUES))
stories = st.lists(st.lists(edit, max_size=5), min_size=1, max_size=4)


@dataclass
class Cell:
    """One field: what flit wrote, what the source says, what the account holds."""

    written: str | None
    source: str | None
    account: str | None

    def run(self) -> None:
        if self.source == self.written:
            return
        if self.account in (self.written, self.source):
            self.account = self.written = self.source

    @property
    def torn(self) -> bool:
        return self.source != self.written


@dataclass
class Model:
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def edit(self, on: str, person: str, name: str, value: str | None) -> None:
        setattr(self.cells[person, name], on, value)


def company(migration: Migration, value: str | None) -> str | None:
    key = f"memory:companies:{value}"
    return next((stored.id for stored in migration.account.of("company") if stored.key == key), None)


def apply_edit(migration: Migration, on: str, person: str, name: str, value: str | None) -> None:
    if on == "source":
        column = "company_id" if name == "@company" else name
        migration.export.change("contacts", person, **{column: value})
        return
    stored = next(one for one in migration.account.of("contact") if one.key == f"memory:contacts:{person}")
    if name != "@company":
        migration.account.edit(stored, **{name: value})
        return
    end = company(migration, value)
    links = {n: target for n, target in stored.links.items() if n != "company"} | ({"company": end} if end else {})
    migration.account.records["contact", stored.id] = replace(stored, links=links, updated=migration.clock.now())


def held(migration: Migration, person: str, name: str) -> str | None:
    stored = next(one for one in migration.account.of("contact") if one.key == f"memory:contacts:{person}")
    if name != "@company":
        value = stored.fields.get(name)
        return None if value is None else str(value)
    by_id = {one.id: str(one.key).rpartition(":")[2] for one in migration.account.of("company")}
    return by_id.get(stored.links.get("company", ""))


@settings(max_examples=MANY or 40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories)
def test_the_account_equals_the_three_way_truth_after_any_story(
    story: list[list[tuple[str, str, str, str | None]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        migration, model = Migration(Path(folder)), Model()
        for name in "abc":
            migration.export.add("companies", name, name=name.upper())
        for person in PEOPLE:
            migration.export.add("contacts", person, name=person, phone="a", email="a", company_id="a")
            model.cells |= {(person, name): Cell("a", "a", "a") for name in FIELDS}
        migration.run()

        for edits in story:
            for on, person, name, value in edits:
                apply_edit(migration, on, person, name, value)
                model.edit(on, person, name, value)
            report = migration.run()
            for cell in model.cells.values():
                cell.run()

            truth = {place: cell.account for place, cell in model.cells.items()}
            assert {place: held(migration, *place) for place in model.cells} == truth
            torn = {place for place, cell in model.cells.items() if cell.torn}
            with migration.open() as journal:
                listed = {(one.key.rpartition(":")[2], one.field) for one in journal.conflicts.open()}
            assert listed == torn
            assert report.exit_code == (1 if torn else 0)
            assert report.streams["contacts"]["conflict"] == len({person for person, _ in torn})

        before = len(migration.account.written)
        migration.run()
        assert len(migration.account.written) == before
