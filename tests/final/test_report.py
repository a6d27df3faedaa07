"""The final report: its counts agree with both sides, and no amount leaves the page."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from flitstack.cli import cli
from flitstack.errors import ApprovalNeeded, Fatal, MappingError
from flitstack.journal import Journal
from flitstack.protocols import Record
from flitstack.reports.final import final_page, print_final
from flitstack.stages.final.money import Person, amount_of, choose
from flitstack.stages.final.report import gather_report
from flitstack.stages.gates.gate import Passing
from flitstack.testing.memory_source import TEMPLATE
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.protocols import Operation
    from flitstack.stages.final.report import FinalReport

REPORT = """
report:
  upkeep:
    - {title: Phones, entry: contacts, fields: [phone], why: They change.}
    - {title: Rounds, entry: rounds, why: They come again.}
  by_hand:
    - {title: Reminders, stream: visits, field: kind, why: Nobody sends them.}
    - {title: Rights, why: Set them.}
  sign:
    - {title: Sizes, stream: memos, amount: size, entry: memos, field: size, why: Compare., people: 2, credit: 1}
entries:
"""
REPORTING = TEMPLATE.replace("entries:\n", REPORT.lstrip("\n"), 1)


@pytest.fixture
def reporting(tmp_path: Path) -> Migration:
    """A migration whose map asks for a report."""
    made = Migration(tmp_path, template=REPORTING)
    made.export.add("staff", "s1", name="Sam", email="sam@example.org")
    for number in (1, 2, 3):
        made.export.add("contacts", str(number), name=f"N{number}", phone="5" if number < 3 else None, staff_id="s1")
        made.export.add("visits", f"v{number}", contact_id=str(number), kind="check", note="n")
    for number, size in enumerate((30, 50, -7, 11)):
        made.export.add("memos", f"m{number}", contact_id="1", name=f"f{number}.txt", size=size)
    made.export.add("memos", "lost", contact_id="99", name="l.txt", size=4)
    return made


def report_of(journal: Path) -> FinalReport:
    with Journal.existing(journal) as opened:
        return gather_report(opened)


def printed(report: FinalReport) -> str:
    out = StringIO()
    print_final(report, Console(file=out, width=100))
    return out.getvalue()


def test_every_record_that_was_read_is_counted_once(demo: Path) -> None:
    report = report_of(demo)

    assert report.read > 1000
    for one in report.streams:
        assert sum(one.parts.values()) == one.read, one.stream


def test_both_sides_are_counted_object_by_object(demo: Path) -> None:
    report = report_of(demo)
    with Journal.existing(demo) as journal:
        held = journal.records.link_objects()

    assert {one.object: one.held for one in report.objects} == {
        name: count for name, count in held.items() if name in {one.object for one in report.objects}
    }
    assert all(one.wanted == one.held == one.checked for one in report.objects)
    assert report.total("missing") == 0
    assert report.verified is not None
    assert report.verified["mismatched"] == 0


def test_the_page_says_what_the_json_says(demo: Path) -> None:
    page = (demo.parent / "flit-reports" / "report.html").read_text("utf-8")
    told = json.loads((demo.parent / "flit-reports" / "report.json").read_text("utf-8"))

    assert told["format"] == "flit report 1"
    assert told["status"] == "done_with_others"
    assert told["audit"]["head"].startswith(f"{told['audit']['length']}:")
    assert told["audit"]["head"] in page
    assert all(text in page.replace("&#39;", "'") for text in told["compromises"])
    assert {one["gate"] for one in told["approvals"]} == {"profile", "map", "schema", "full"}


def test_amounts_of_people_stand_on_the_page_alone(demo: Path) -> None:
    report = report_of(demo)
    (receivable,) = report.sign
    amounts = {f"{one.source:,.2f}" for one in receivable.people} | {str(one.source) for one in receivable.people}
    amounts |= {f"{receivable.source.sum:,.2f}", str(receivable.source.sum)} - {"0", "0.00"}
    page, machines, terminal = final_page(report), json.dumps(report.as_json()), printed(report)

    assert receivable.agrees
    assert receivable.people
    assert sum(one.source < 0 for one in receivable.people) == 2
    assert "Confidential" in page
    for amount in amounts:
        assert amount not in machines
        assert amount not in terminal
    for one in receivable.people:
        assert one.key in page
        assert f"{one.source:,.2f}" in page
        assert one.key in machines


def test_amounts_agree_with_the_export_row_by_row(demo: Path) -> None:
    with Journal.existing(demo) as journal:
        rows = [row.data["balance"] for row in journal.staging.records("account_balances")]
        report = gather_report(journal)
    (receivable,) = report.sign

    assert receivable.source.sum == sum(Decimal(str(row)) for row in rows if row is not None)
    assert receivable.moved.sum + receivable.behind.sum + receivable.older.sum == receivable.source.sum
    assert receivable.owed.sum + receivable.credit.sum == receivable.source.sum
    assert receivable.difference == 0


def test_what_the_map_asks_for_is_counted(reporting: Migration) -> None:
    reporting.run()

    report = report_of(reporting.journal)

    phones, rounds = report.upkeep
    assert (phones.object, phones.records, dict(phones.fields)) == ("contact", 3, {"phone": 2})
    assert rounds.records == 0
    reminders, rights = report.by_hand
    assert reminders.items == (("check", 3),)
    assert not rights.known
    (sizes,) = report.sign
    assert (sizes.source.count, sizes.moved.count, sizes.behind.count) == (5, 4, 1)
    assert sizes.held.sum == 84
    assert [one.source for one in sizes.people] == [50, -7]


def test_an_amount_that_somebody_changed_is_found(reporting: Migration) -> None:
    reporting.run()
    memo = next(one for one in reporting.account.of("memo") if one.fields["name"] == "f1.txt")
    reporting.account.edit(memo, size=51)
    reporting.run()

    (sizes,) = report_of(reporting.journal).sign

    assert not sizes.agrees
    assert sizes.differing == ("memory:memos:m1",)
    assert "something else now" in final_page(report_of(reporting.journal))


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("entry: contacts, fields", "entry: contact, fields", 'no entry is called "contact". Did you mean "contacts"?'),
        ("fields: [phone]", "fields: [phon]", 'the entry contacts has no field "phon".'),
        ("visits, field: kind", "visits, field: kin", 'the stream visits has no field "kin".'),
        ("amount: size", "amount: siz", 'the stream memos has no field "siz".'),
    ],
)
def test_a_name_in_the_report_that_nobody_knows_is_an_error_of_the_map(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    migration = Migration(tmp_path, template=REPORTING.replace(right, wrong, 1))
    migration.export.add("contacts", "1", name="N")

    with pytest.raises(MappingError) as caught:
        migration.run()

    assert said in str(caught.value)


def test_a_report_before_anything_was_written_says_so(migration: Migration) -> None:
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=Passing())

    report = report_of(migration.journal)

    assert report.status == "nothing_written"
    assert "Nothing was written yet." in printed(report)
    assert "Nothing was written yet." in final_page(report)


def test_approvals_are_told_with_the_line_of_the_audit_log_that_holds_them(demo: Path) -> None:
    report = report_of(demo)
    with Journal.existing(demo) as journal:
        events = {seq: json.loads(event) for seq, _, event, _ in journal.audit.events()}

    assert [events[one.line]["hash"] for one in report.approvals] == [one.hash for one in report.approvals]
    assert all(one.stands for one in report.approvals)


def test_tokens_of_a_run_over_midnight_are_shared_out_by_its_writes(migration: Migration) -> None:
    migration.clock.advance(15 * 3600 - 10)
    migration.account.latency_s = 3
    migration.run()
    with Journal.existing(migration.journal) as journal:
        tokens = sum(run.tokens for run in journal.history.runs())
        days, done = journal.history.days(), journal.operations.count("done")

    assert sum(day.tokens for day in days) == pytest.approx(tokens, abs=len(days))
    assert [day.day for day in days] == ["2026-07-01", "2026-07-02"]
    assert not any(day.exact for day in days)
    assert sum(day.writes for day in days) == done


def test_only_runs_that_did_what_they_planned_are_held_against_their_prediction(migration: Migration) -> None:
    migration.run(dry_run=True)
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=Passing())
    assert report_of(migration.journal).predicted is None

    done = migration.run()
    report = report_of(migration.journal)

    assert len(report.runs) == 3
    assert report.predicted == done.tokens.predicted
    assert f"{done.tokens.spent:,} of them by runs that did all" in printed(report)
    assert report.as_json()["tokens"] == {
        "spent": sum(run.tokens for run in report.runs), "predicted": done.tokens.predicted,
        "spent_as_planned": done.tokens.spent, "runs_not_counted": 0,
    }  # fmt: skip


def test_a_run_that_was_killed_is_told_as_not_counted(migration: Migration) -> None:
    migration.run()
    with Journal.existing(migration.journal) as journal:
        journal.runs.begin("killed", "2026-07-01T11:00:00.000+00:00", "0")

    assert "not counted: 1 that did not end" in printed(report_of(migration.journal))


def test_amounts_that_were_not_read_back_yet_do_not_differ(reporting: Migration) -> None:
    reporting.run(dry_run=True)
    assert "nothing to compare yet" in printed(report_of(reporting.journal))

    def answering(operation: Operation) -> None:
        if operation.object == "memo" and len(reporting.account.of("memo")) == 3:
            raise Fatal("away")

    reporting.account.answering = answering
    with pytest.raises(Fatal):
        reporting.run()
    report = report_of(reporting.journal)

    assert [(one.verdict, one.unread > 0) for one in report.sign] == [("unread", True)]
    assert "not read back yet." in printed(report)
    assert "differ" not in printed(report).split("To sign:")[1]
    assert "the sides differ" not in final_page(report)


def test_a_summary_is_told_where_its_page_cannot_be_written(migration: Migration) -> None:
    migration.run()
    folder = migration.journal.parent / "flit-reports"
    folder.rename(folder.with_name("earlier"))
    folder.write_text("a file where the folder should be")

    ended = CliRunner().invoke(cli, ["report", "--journal", str(migration.journal)])

    assert "source records read" in ended.stdout
    assert ended.exit_code == 4
    assert "no report can be written there" in ended.stderr


def test_a_conflict_is_listed_by_key_and_field(migration: Migration) -> None:
    migration.run()
    (stored,) = [one for one in migration.account.of("contact") if one.key == "memory:contacts:1"]
    migration.account.edit(stored, phone="somebody's")
    migration.clock.advance(3600)
    rows = migration.export.rows["contacts"]
    contact = next(row for row in rows if isinstance(row, Record) and row.id == "1")
    rows.remove(contact)
    migration.export.add("contacts", "1", **{**contact.data, "phone": "new"})
    migration.run()

    report = report_of(migration.journal)
    page = final_page(report)

    assert report.open_conflicts == 1
    assert report.status == "done_with_others"
    assert "contact memory:contacts:1: field phone" in page
    assert "1 records have a conflict" in printed(report)
    assert "somebody&#39;s" not in page


def test_a_broken_audit_log_is_told(migration: Migration) -> None:
    migration.run()
    with Journal.existing(migration.journal) as journal:
        journal._store.write(lambda db: db.execute("UPDATE audit SET at = 'never' WHERE seq = 3"))

    report = report_of(migration.journal)

    assert not report.whole
    assert report.status == "mismatched"
    assert "BROKEN" in printed(report)


PEOPLE = st.lists(st.decimals(-1000, 1000, places=2), unique=True).map(
    lambda amounts: [
        Person(f"s:p:{place}", str(place), (str(place),), amount, amount) for place, amount in enumerate(amounts)
    ]
)


@given(PEOPLE, st.integers(1, 12), st.integers(0, 4))
def test_those_to_look_at_are_as_many_as_asked_and_the_same_each_time(
    people: list[Person], count: int, credit: int
) -> None:
    chosen = choose(people, count, credit)

    assert chosen == choose(list(reversed(people)), count, credit)
    assert len(chosen) == len(set(chosen)) <= count
    below = [one for one in people if one.source < 0]
    assert sum(one.source < 0 for one in chosen) == min(credit, count, len(below))
    if any(one.source > 0 for one in chosen):
        assert max(one.source for one in people) == max(one.source for one in chosen)


@given(st.decimals(-(10**9), 10**9, places=2))
def test_an_amount_is_read_alike_however_it_is_stated(amount: Decimal) -> None:
    assert amount_of(str(amount)) == amount
    assert amount_of({"value": str(amount), "currency": "USD"}) == amount
    assert amount_of({"amount": str(amount)}) == amount


@pytest.mark.parametrize("value", [None, "", "much", True, [], {}, "NaN", {"value": None}])
def test_what_is_no_amount_is_none(value: object) -> None:
    assert amount_of(value) is None
