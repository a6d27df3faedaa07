"""Codes and settings that the tests of the rooms had not met: each is brought about once, by name."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import pytest

from flitstack.clock import VirtualClock
from flitstack.protocols import InputFile, SourcePlugin
from flitstack.registry import load_plugins
from flitstack.reports.progress import progress_for_stderr
from flitstack.stages.audit.export import audit_export
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.run import run_migration
from flitstack.testing.memory import memory_destination
from flitstack.testing.memory_source import TEMPLATE, MemoryExport, MemoryReader
from flitstack.testing.migration import START, MemoryPlugin, Migration, Words
from flitstack.testing.small_load import small_load
from flitstack_dental.example import write_example
from flitstack_dental.reader import open_export
from flitstack_pipedrive.sandbox import serve_in_thread
from flitstack_pipedrive.sandbox.app import Sandbox, Switches

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flitstack.journal import Journal
    from flitstack.protocols import Finding
    from flitstack.stages.report import RunReport


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented practice."""
    folder = tmp_path_factory.mktemp("met") / "export"
    write_example(folder, 40, seed=1)
    return folder


def account_in(folder: Path) -> str:
    return f"dest.base_url=sandbox:{folder}/account?plan=growth&seats=3"


def audit(practice: Path, folder: Path, *sets: str, offline: bool = True) -> dict[str, Finding]:
    """Return the lines of an audit by their code."""
    made = audit_export(
        load_plugins(), "dental", "pipedrive", str(practice), folder / "flit.db", progress_for_stderr(), StopFlag(),
        sets=sets, offline=offline,
    )  # fmt: skip
    return {line.code: line for section in asyncio.run(made).sections for line in section.lines}


def dry_run(practice: Path, folder: Path, *sets: str) -> RunReport:
    """Plan the whole practice and write nothing."""
    options = RunOptions(
        "dental", "pipedrive", folder / "flit.db", str(practice), None, ("profile=full", account_in(folder), *sets),
        Passing(unseen="test"), dry_run=True,
    )  # fmt: skip
    return asyncio.run(run_migration(options, Words(), StopFlag(), clock=VirtualClock(START)))


def noticed(journal: Journal) -> dict[str, Finding]:
    return {finding.code: finding for finding in journal.staging.findings()}


def test_an_audit_says_which_choice_is_open_and_which_is_made(practice: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()

    undecided = audit(practice, tmp_path)
    decided = audit(practice, tmp_path / "made", "profile=full")

    assert "engagement or full?" in undecided["choice_open"].decision
    assert "choice_made" not in undecided
    assert decided["choice_made"].message.startswith("profile = full")
    assert "choice_open" not in decided
    assert decided["map_choice"].decision.endswith("?")
    assert "`flit estimate" in decided["estimate_whole"].message


def test_an_audit_says_who_of_the_staff_cannot_own_what(
    practice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(switches=Switches(burst=100_000)) as sandbox, serve_in_thread(sandbox) as url:
        monkeypatch.setenv("PIPEDRIVE_API_TOKEN", next(str(u["token"]) for u in sandbox.users if u["is_admin"]))
        found = audit(practice, tmp_path, "profile=full", f"dest.base_url={url}", offline=False)

    assert found["owner_without_email"].stream in ("providers", "staff")
    assert found["owner_deactivated"].count >= 1
    assert found["owner_departed"].severity == "info"
    assert 0 < found["owner_fallback"].count < (found["owner_fallback"].of or 0)


def test_a_run_accounts_for_streams_that_are_left_out_by_rule(practice: Path, tmp_path: Path) -> None:
    report = dry_run(practice, tmp_path)

    rules = {(stream, rule) for stream, rule, _ in report.skips}
    assert {("practice", "states_the_time_zone"), ("ledger", "ledger_line")} <= rules
    assert ("perio_measurements", "older_perio_exam") in rules
    assert ("providers", "no_matching_user") in rules


def test_a_stream_that_no_entry_takes_is_not_mapped(tmp_path: Path) -> None:
    template = TEMPLATE.replace("skip_streams:\n  ledger: {rule: left_behind, why: Ledgers stay.}\n", "")
    assert template != TEMPLATE
    migration = Migration(tmp_path, template=template)
    small_load(migration.export)

    report = migration.run()

    assert ("ledger", "not_mapped", 1) in report.skips


def test_staff_without_a_user_are_named_once_and_the_fallback_owner_stands_for_them(tmp_path: Path) -> None:
    migration = Migration(tmp_path)
    small_load(migration.export)

    migration.run(sets=("fallback_owner=sam@example.org",))

    owners = {stored.key: stored.links.get("owner") for stored in migration.account.of("contact")}
    assert owners["memory:contacts:2"] == "u2", "Nora is no user; without the setting it would be the token's own, u1"
    with migration.open() as journal:
        assert noticed(journal)["owner_unmatched"].keys == ("s2",)


def test_a_fallback_owner_who_is_no_user_is_refused(tmp_path: Path) -> None:
    from flitstack.errors import ConfigurationError

    migration = Migration(tmp_path)
    small_load(migration.export)

    with pytest.raises(ConfigurationError, match="fallback_owner: no active user"):
        migration.run(sets=("fallback_owner=gil@example.org",))


@pytest.mark.parametrize(("share", "asked"), [("mass_changed=50%", True), ("mass_changed=100%", False)])
def test_the_share_of_changes_that_is_asked_about_can_be_set(tmp_path: Path, share: str, asked: bool) -> None:
    from flitstack.errors import ApprovalNeeded

    migration = Migration(tmp_path)
    for number in range(40):
        migration.export.add("contacts", str(number), name=f"Name {number}", phone="1")
    migration.run(sets=(share,))
    for number in range(40):
        migration.export.change("contacts", str(number), phone="2")

    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=Passing(), sets=(share,))

    assert ("(mass_changed)" in str(stop.value)) is asked


class Stated(MemoryReader):
    """A reader whose export states its day in a manifest, a file that makes no stream."""

    def __init__(self, export: MemoryExport) -> None:
        super().__init__(export)
        self._manifest = export.as_of == date(2026, 6, 30)

    def inventory(self) -> Sequence[InputFile]:
        """Return the manifest as well, where there is one."""
        manifest = [InputFile("manifest.json", 1, "0" * 64, "JSON", "manifest")] if self._manifest else []
        return [*super().inventory(), *manifest]


def test_the_day_of_the_last_export_holds_when_the_file_that_stated_it_is_missing(tmp_path: Path) -> None:
    migration = Migration(tmp_path)
    small_load(migration.export)
    source = SourcePlugin("memory", {"type": "object"}, lambda path, settings: Stated(migration.export))
    plugin = MemoryPlugin(source, memory_destination(migration.account, migration.behaviours))
    migration.registry = load_plugins((), {"memory": plugin})
    migration.run()

    migration.export.as_of = date(2026, 6, 12)
    migration.run()

    with migration.open() as journal:
        assert "(2026-06-30)" in noticed(journal)["day_kept"].message


def dental_findings(folder: Path, text: str, **settings: object) -> dict[str, Finding]:
    """Return what the dental source remarks about one file of patients."""
    folder.mkdir(exist_ok=True)
    (folder / "patients.csv").write_text(text, encoding="utf-8")
    reader = open_export(str(folder), {"as_of": "2026-06-30", **settings})
    for stream in reader.streams():
        assert list(reader.read(stream.name))
    found = {finding.code: finding for finding in reader.findings()}
    reader.close()
    return found


def test_of_two_columns_of_one_name_the_first_is_read_and_that_is_said(tmp_path: Path) -> None:
    found = dental_findings(tmp_path / "e", "id,last_name,last_name,status\n1,Ann,Bo,patient\n2,Cy,Di,patient\n")

    assert found["duplicate_header"].message.startswith("patients.csv: columns of one name, the first was read")


def test_bare_numbers_are_days_of_a_spreadsheet_where_a_setting_says_so(tmp_path: Path) -> None:
    from flitstack.protocols import Record

    (tmp_path / "patients.csv").write_text("id,last_name,status,birth_date\n1,Ann,patient,29221\n", encoding="utf-8")

    def first(**given: object) -> object:
        reader = open_export(str(tmp_path), {"as_of": "2026-06-30", **given})
        (row,) = reader.read("patients")
        reader.close()
        return row.data["birth_date"] if isinstance(row, Record) else row.code  # type: ignore[union-attr]

    assert first() == "bad_date"
    assert first(excel_dates=True) == "1980-01-01"


def test_a_stray_character_before_quoted_rows_is_left_out_and_counted(tmp_path: Path) -> None:
    found = dental_findings(tmp_path / "e", '"id","last_name","status"\nx"1","Ann","patient"\nx"2","Bo","patient"\n')

    assert found["stray_characters"].count == 2


LAYOUT = """
name: card
title: Card index
as_of: [{stream: patients, field: birth_date}]
codes:
  status: {1: [patient, Active]}
files:
  patients:
    records:
      - stream: patients
        id: id
        fields: {last_name: last_name, status: {column: status, codes: status, otherwise: inactive}}
"""


def test_codes_that_a_layout_takes_for_something_else_are_counted(tmp_path: Path) -> None:
    layout = tmp_path / "card.yaml"
    layout.write_text(LAYOUT, encoding="utf-8")

    found = dental_findings(tmp_path / "e", "id,last_name,status\n1,Ann,1\n2,Bo,7\n3,Cy,8\n", layout=str(layout))

    assert found["unknown_codes_kept"].count == 2


def test_tables_can_be_left_out_of_a_database(tmp_path: Path) -> None:
    from flitstack_sqlite.example import write_example as write_database
    from flitstack_sqlite.reader import open_database

    reader = open_database(str(write_database(tmp_path / "crm.sqlite")), {"leave_out": ["notes", "deals"]})

    assert [stream.name for stream in reader.streams()] == ["companies", "people", "activities"]
    reader.close()


@pytest.mark.parametrize("destination", ["pipedrive", "hubspot"])
def test_the_time_for_a_connection_is_a_setting_above_nothing(destination: str) -> None:
    from jsonschema import Draft202012Validator

    schema = Draft202012Validator(dict(load_plugins().destination(destination).settings_schema))

    def complaints(seconds: float) -> list[str]:
        return [error.json_path for error in schema.iter_errors({"connect_timeout_s": seconds}) if error.path]

    assert complaints(2.5) == []
    assert complaints(0) == ["$.connect_timeout_s"]


def test_a_library_for_requests_that_nobody_knows_is_refused_by_name() -> None:
    environment = {**os.environ, "FLITSTACK_HTTPX": "urllib"}
    code = (
        "from flitstack.errors import ConfigurationError\n"
        "try:\n    import flitstack_pipedrive.wire\n"
        "except ConfigurationError as exc:\n    print(exc)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("FLITSTACK_HTTPX: choose one of httpx, httpx2")
