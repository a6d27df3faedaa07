"""The audit of an export in memory, whose source names no section and no check: core's own are enough."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import Interrupted, NotAnExportError, PluginError, UsageError
from flitstack.hookspecs import hookimpl
from flitstack.protocols import Finding, Rejection, Skip, Validator, Where
from flitstack.registry import load_plugins
from flitstack.stages.audit.export import audit_export
from flitstack.stages.audit.sections import CORE_SECTIONS, Audit, Section
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.publishing import Publishing
from flitstack.stages.run import run_migration
from flitstack.testing.memory import MemoryAccount, memory_destination
from flitstack.testing.memory_source import memory_source
from flitstack.testing.migration import MemoryPlugin, Migration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flitstack.protocols import StagedView


class Checking:
    """A plugin with one check."""

    def __init__(self, check: Callable[[StagedView], Iterator[Finding]]) -> None:
        self._check = check

    @hookimpl
    def flit_register_validators(self, register: Callable[[Validator], None]) -> None:
        """Register the check."""
        register(Validator("look", "memory", self._check))


def audit(migration: Migration, dest: str | None = None, **plugins: object) -> Audit:
    """Audit the migration's export as it is now."""
    plugin = MemoryPlugin(
        memory_source(migration.export), memory_destination(MemoryAccount(migration.clock), migration.behaviours)
    )
    registry = load_plugins((), {"memory": plugin, **plugins})
    return asyncio.run(
        audit_export(registry, "memory", dest, "export", migration.journal, migration.words, migration.stop)
    )


def lines(found: Audit) -> dict[str, Finding]:
    """Return the lines of all sections by their code."""
    return {line.code: line for section in found.sections for line in section.lines}


def section(found: Audit, code: str) -> Section:
    """Return one section."""
    return next(one for one in found.sections if one.code == code)


def test_a_source_without_sections_has_core_s(migration: Migration) -> None:
    found = audit(migration)

    assert [(one.code, one.title) for one in found.sections] == list(CORE_SECTIONS)
    assert len(found.told) == 1
    assert found.told[0].startswith("No destination was named (--dest)")
    assert sum(found.records.values()) == sum(found.states.values()) > 10


def test_what_a_record_refers_to_in_vain_is_told_by_its_source_key(empty: Migration) -> None:
    empty.export.add("companies", "1", name="A")
    empty.export.add("contacts", "1", name="B", company_id="1")
    empty.export.add("contacts", "2", name="C", company_id="9")

    found = lines(audit(empty))

    assert found["reference_missing"].keys == ("memory:contacts:2",)
    assert (found["reference_missing"].count, found["reference_missing"].of) == (1, 2)


def test_rows_that_were_refused_or_left_out_are_lines_with_what_to_do(empty: Migration) -> None:
    empty.export.add("companies", "1", name="A")
    empty.export.rows["companies"] += [
        Rejection("companies", "2", "bad_date", "No day.", "Mend it.", Where("f", 3)),
        Skip("companies", None, "totals_line", Where("f", 4)),
    ]

    found = audit(empty)

    refused = lines(found)["bad_date"]
    assert (refused.severity, refused.handling, refused.of) == ("error", "They stay behind. Mend it.", 3)
    assert lines(found)["totals_line"] in section(found, "inventory").lines
    assert found.states == {"ok": 1, "rejected": 1, "skipped": 1}


def test_the_gravest_lines_come_first(empty: Migration) -> None:
    empty.export.add("companies", "1", name="A")

    def check(view: StagedView) -> Iterator[Finding]:
        for code, severity in (("a", "info"), ("b", "error"), ("c", "warning")):
            yield Finding(code, "Seen.", severity, section="records")  # type: ignore[arg-type]

    found = audit(empty, look=Checking(check))

    assert [line.code for line in section(found, "records").lines] == ["b", "c", "a"]
    assert [found.count(severity) for severity in ("error", "warning", "info")] == [1, 1, 1]


def test_a_line_of_no_section_that_there_is_stands_in_the_first(empty: Migration) -> None:
    empty.export.add("companies", "1", name="A")

    found = audit(empty, look=Checking(lambda view: iter([Finding("odd", "Seen.", section="elsewhere")])))

    assert [line.code for line in found.sections[0].lines] == ["odd"]


def test_a_question_that_several_lines_ask_is_asked_once(empty: Migration) -> None:
    empty.export.add("companies", "1", name="A")
    asked = [
        Finding("odd", "Seen.", stream=stream, count=2, section="records", decision="Why?", default="so")
        for stream in ("companies", "contacts")
    ]

    (decision,) = audit(empty, look=Checking(lambda view: iter(asked))).decisions

    assert (decision.question, decision.default) == ("Why?", "so")
    assert decision.context == "Records and what they belong to; 2 companies, 2 contacts"


def test_a_check_that_fails_is_named(empty: Migration) -> None:
    empty.export.add("companies", "1", name="A")

    def check(view: StagedView) -> Iterator[Finding]:
        raise ValueError("Jane Doe")
        yield

    with pytest.raises(PluginError, match=r'validator "look" failed with ValueError\.$'):
        audit(empty, look=Checking(check))


def test_a_person_can_stop_it(migration: Migration) -> None:
    migration.stop.raised = True

    with pytest.raises(Interrupted):
        audit(migration)


def test_what_is_no_export_is_refused_and_nothing_is_left_behind(migration: Migration, tmp_path: Path) -> None:
    migration.export.recognised = False
    before = sorted(path.name for path in tmp_path.iterdir())

    with pytest.raises(NotAnExportError):
        audit(migration)

    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_folder_that_is_not_there_is_named(migration: Migration, tmp_path: Path) -> None:
    migration.journal = tmp_path / "nowhere" / "flit.db"

    with pytest.raises(UsageError, match="no such folder"):
        audit(migration)


def test_a_later_audit_names_what_has_vanished_and_leaves_the_journal_alone(migration: Migration) -> None:
    migration.run()
    before = migration.journal.read_bytes()
    gone = migration.export.rows["visits"].pop()

    found = lines(audit(migration))

    assert found["vanished"].keys == (f"memory:visits:{gone.id}",)
    assert migration.journal.read_bytes() == before


def test_a_run_is_audited_before_its_gates_and_not_once_it_was_approved(migration: Migration) -> None:
    audits: list[Audit] = []

    def publish(found: Audit, folder: Path) -> str:
        audits.append(found)
        return str(folder / "audit.html")

    def run() -> None:
        options = RunOptions(
            "memory", "memory", migration.journal, "export", str(migration.journal.parent / "memory.yaml.j2"),
            migration.sets, Passing(unseen="test"), publishing=Publishing(publish),
        )  # fmt: skip
        asyncio.run(
            run_migration(options, migration.words, migration.stop, registry=migration.registry, clock=migration.clock)
        )

    run()
    with migration.open() as journal:
        approvals = [event for event in journal.audit.events() if "full" in str(event)]
    run()

    assert len(audits) == 1
    assert approvals
    assert audits[0].told == ("The account was asked for its users; nothing was written to it.",)
