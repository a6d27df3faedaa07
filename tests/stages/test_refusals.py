"""What a run refuses before it writes: other sources, other accounts, other journals' keys, what is no export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import AuthError, ConfigurationError, NotAnExportError, PlanLimit, PluginError, UsageError
from flitstack.journal import Journal
from flitstack.testing.memory import STAFF
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from pathlib import Path


def test_no_journal_is_made_for_an_input_that_is_no_export(migration: Migration) -> None:
    migration.export.recognised = False

    with pytest.raises(NotAnExportError) as refusal:
        migration.run()

    assert refusal.value.exit_code == 2
    assert [path.name for path in migration.journal.parent.iterdir()] == ["memory.yaml.j2"]


def test_a_required_stream_without_records_is_refused(tmp_path: Path) -> None:
    migration = Migration(tmp_path, required=("contacts",))
    migration.export.rows = {"contacts": [], "companies": []}

    with pytest.raises(NotAnExportError, match="no contacts"):
        migration.run()

    assert migration.account.arrived == 0


def test_an_export_that_does_not_say_its_day_is_refused_with_the_setting_that_says_it(migration: Migration) -> None:
    migration.export.as_of = None

    with pytest.raises(UsageError, match=r"--set source\.as_of="):
        migration.run()


def test_a_journal_of_another_source_is_refused(migration: Migration) -> None:
    with Journal(migration.journal) as journal:
        journal.runs.identify("source", "elsewhere", "")

    with pytest.raises(ConfigurationError, match="made for source 'elsewhere'"):
        migration.run()


def test_a_journal_of_another_source_id_is_refused(migration: Migration) -> None:
    migration.run(sets=("source_id=north",))

    with pytest.raises(ConfigurationError, match="made for source id 'north'"):
        migration.run(sets=("source_id=south",))
    assert migration.run().exit_code == 0


def test_a_journal_of_another_account_is_refused(migration: Migration) -> None:
    migration.run()
    written = len(migration.account.written)
    migration.account.id = "account-2"
    migration.export.change("contacts", "1", phone="2")

    with pytest.raises(ConfigurationError, match="another account") as refusal:
        migration.run()

    assert refusal.value.exit_code == 4
    assert len(migration.account.written) == written


def test_a_token_without_rights_is_refused(migration: Migration) -> None:
    migration.account.token_user = STAFF

    with pytest.raises(AuthError) as refusal:
        migration.run()

    assert refusal.value.exit_code == 4
    assert migration.account.arrived == 0


def test_an_account_without_room_for_the_keys_is_refused(migration: Migration) -> None:
    migration.account.slots = {"field": 1}

    with pytest.raises(PlanLimit):
        migration.run()

    assert migration.account.arrived == 0


def test_a_source_that_nobody_registers_is_named(migration: Migration) -> None:
    migration.registry = type(migration.registry)((), ())

    with pytest.raises(PluginError, match='There is no source "memory"'):
        migration.run()
