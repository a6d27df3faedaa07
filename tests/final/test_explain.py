"""Explain: every record of the demo has a life to tell, and none of its values stands in it unless asked for."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from flitstack.cli import cli
from flitstack.errors import UsageError
from flitstack.journal import Journal
from flitstack.protocols import Record, source_key, split_source_key
from flitstack.reports.life import print_life
from flitstack.stages.explain import Life, explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flitstack.testing.migration import Migration

LONGEST_TOLD = 3
"""Values up to this long are in any text: `no`, `12`, `DO`."""


def printed(life: Life, *, values: bool = False) -> str:
    out = StringIO()
    print_life(life, Console(file=out, width=10_000), values=values)
    return out.getvalue()


def told(life: Life, *, values: bool = False) -> str:
    return printed(life, values=values) + json.dumps(life.as_json(values=values), ensure_ascii=False)


def events(life: Life) -> list[str]:
    return [event.kind for event in (*life.source, *(event for one in life.made for event in one.events))]


def change_phone(migration: Migration, phone: str) -> None:
    """Let the next export hold another number of the first contact."""
    rows = migration.export.rows["contacts"]
    contact = next(row for row in rows if isinstance(row, Record) and row.id == "1")
    rows.remove(contact)
    migration.export.add("contacts", "1", **{**contact.data, "phone": phone})


def staged(journal: Journal) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for stream in journal.staging.streams():
        for row in journal.staging.records(stream):
            yield stream, row.id, dict(row.data)


def texts(value: Any) -> Iterator[str]:
    """Yield the texts of a cell that would be told apart from any other word."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts(one)
    elif isinstance(value, str) and len(value) > LONGEST_TOLD:
        yield value


def test_every_record_of_the_demo_can_be_explained_and_no_value_of_it_is_shown(demo: Path) -> None:
    with Journal.existing(demo) as journal:
        rows = list(staged(journal))
        # What is no value of a person: keys, the map, names of streams and columns, days of the migration itself.
        spec = journal.approvals.last_spec()
        assert spec is not None
        keys = {record_id for stream in journal.staging.streams() for record_id, _ in journal.buckets.of("", stream)}
        links = [link.key for row in journal.records.desired() for link in row.links.values() if ":" in link.key]
        keys |= {split_source_key(key)[2] for key in links if not key.startswith("schema:")}
        known = keys | {"2026-06-30", "2026-07-01"}
        plain = f"{spec[1]} {json.dumps(journal.lives.lineage(spec[0]), ensure_ascii=False)} "
        plain += " ".join((*keys, *(row.key for row in journal.records.desired())))  # a group's key may name a day
        shown: list[tuple[str, str, str]] = []
        for stream, record_id, data in rows:
            life = explain(journal, source_key("dental", stream, record_id))
            text = json.dumps(life.as_json(values=False), ensure_ascii=False)
            text += printed(life) if len(text) % 20 == 0 else ""
            own = " ".join([*(name for name in data), stream, *(event.text for event in life.source)])
            for name, value in data.items():
                for one in texts(value):
                    if one in known or one in plain or one in own:
                        continue
                    if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", text):
                        shown.append((stream, name, one))

    assert len(rows) > 1_300
    assert not shown, shown


def test_what_findings_and_rejections_say_of_a_record_holds_no_value_of_it(demo: Path) -> None:
    with Journal.existing(demo) as journal:
        words = {event.text for stream, record_id, _ in staged(journal)
                 for event in explain(journal, source_key("dental", stream, record_id)).source
                 if event.kind in ("finding", "rejection")}  # fmt: skip
        cells = {one for stream, _, data in staged(journal) if stream in ("patients", "contact_points", "addresses")
                 for name, value in data.items() if name in ("first_name", "last_name", "value", "line1", "birth_date")
                 for one in texts(value)}  # fmt: skip

    assert words
    assert not {cell for cell in cells for text in words if re.search(rf"(?<!\w){re.escape(cell)}(?!\w)", text)}


def test_rejected_and_skipped_rows_are_explained_too(demo: Path) -> None:
    with Journal.existing(demo) as journal:
        rows = list(journal.buckets.rejected_rows())
        for stream, record_id, code, *_ in rows:
            life = explain(journal, source_key("dental", stream, record_id))
            text = told(life)
            assert code in text, (stream, record_id)

    assert rows


def test_every_record_of_the_destination_leads_back_to_its_life(demo: Path) -> None:
    with Journal.existing(demo) as journal:
        links = [link for link in journal.records.links() if not link.key.startswith("schema:")]
        for link in links:
            life = explain(journal, f"{link.object}:{link.destination_id}")
            (one,) = life.made
            assert (one.object, one.key, one.part) == (link.object, link.key, link.part)
            assert {"mapped", "planned", "intended", "done", "receipt", "audit"} <= {event.kind for event in one.events}

    assert len(links) > 500


def test_schema_items_have_a_life_as_well(demo: Path) -> None:
    with Journal.existing(demo) as journal:
        life = explain(journal, "schema:field/person/Account_Balance__c")

    assert "done" in events(life)


def test_values_are_shown_on_request(demo: Path) -> None:
    with Journal.existing(demo) as journal:
        data = journal.staging.get("patients", "P000017")
        life = explain(journal, "patients:P000017")

    assert data is not None
    assert str(data["last_name"]) not in told(life)
    assert str(data["last_name"]) in told(life, values=True)


def test_things_are_told_in_the_order_in_which_they_happened(migration: Migration) -> None:
    migration.run()
    migration.clock.advance(86_400)
    change_phone(migration, "2")
    migration.run()

    with migration.open() as journal:
        life = explain(journal, "memory:contacts:1")

    (contact_made, *_) = [one for one in life.made if one.object == "contact"]
    times = [event.at for event in contact_made.events if event.at]
    assert times == sorted(times)
    kinds = [event.kind for event in contact_made.events]
    assert kinds.count("done") >= 2
    assert any("update was done" in event.text for event in contact_made.events)
    assert any("field phone = contact.phone" in line for event in contact_made.events for line in event.details)


def test_a_key_can_be_written_in_three_ways(migration: Migration) -> None:
    migration.run()

    with migration.open() as journal:
        whole, short = explain(journal, "memory:contacts:1"), explain(journal, "contacts:1")
        there = explain(journal, f"contact:{journal.records.destination_id('contact', 'memory:contacts:1', '')}")

    assert whole == short
    assert there.made[0].events in [one.events for one in whole.made]


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("dental:patients:P00017", "dental:patients:P000017"),
        ("patients:p000017", "dental:patients:P000017"),
        ("person:9999", "person:99"),
        ("patients", "STREAM:ID"),
        ("", "STREAM:ID"),
        ("nothing:at:all", "STREAM:ID"),
    ],
)
def test_of_an_unknown_key_the_nearest_are_proposed(demo: Path, asked: str, near: str) -> None:
    with Journal.existing(demo) as journal, pytest.raises(UsageError) as caught:
        explain(journal, asked)

    if near.startswith("person"):
        assert "person:" in str(caught.value)
    else:
        assert near in str(caught.value)


def test_a_conflict_and_what_was_taken_back_are_part_of_it(migration: Migration) -> None:
    migration.run()
    (stored,) = [one for one in migration.account.of("contact") if one.key == "memory:contacts:1"]
    migration.account.edit(stored, phone="somebody's")
    migration.clock.advance(3600)
    change_phone(migration, "3")
    migration.run()

    with migration.open() as journal:
        life = explain(journal, "contacts:1")

    assert "conflict" in events(life)
    assert "somebody's" not in told(life)


def test_the_command_tells_it_to_machines_and_people(demo: Path) -> None:
    runner = CliRunner()

    machine = runner.invoke(cli, ["explain", "patients:P000017", "--journal", str(demo), "--json"])
    person = runner.invoke(cli, ["explain", "patients:P000017", "--journal", str(demo)])
    unknown = runner.invoke(cli, ["explain", "patients:17", "--journal", str(demo)])

    life = json.loads(machine.stdout)
    assert life["key"] == "dental:patients:P000017"
    assert "values" not in json.dumps(life["source"])
    assert "patients.csv line" in person.stdout
    assert unknown.exit_code == 2
    assert "Traceback" not in unknown.output
