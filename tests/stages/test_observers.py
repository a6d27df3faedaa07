"""Observers hear what happens, and one that fails is named and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.hookspecs import hookimpl
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.protocols import Operation, Outcome, Rejection


class Listening:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    @hookimpl
    def flit_run_started(self, run_id: str, source: str, destination: str) -> None:
        self.heard.append(("started", source, destination))

    @hookimpl
    def flit_operation_finished(self, operation: Operation, outcome: Outcome) -> None:
        self.heard.append(("operation", operation.key, outcome.error is None))

    @hookimpl
    def flit_record_rejected(self, rejection: Rejection) -> None:
        self.heard.append(("rejected", rejection.stream, rejection.id, rejection.code))

    @hookimpl
    def flit_run_finished(self, run_id: str, summary: dict[str, Any]) -> None:
        self.heard.append(("finished", summary["status"]))


class Failing:
    @hookimpl
    def flit_operation_finished(self, operation: Operation) -> None:
        raise ValueError(f"a secret of {operation.key}")

    @hookimpl
    def flit_record_rejected(self, rejection: Rejection) -> None:
        raise SystemExit(3)


def test_observers_hear_everything_and_two_that_fail_are_named_once_and_stop_nothing(tmp_path: Path) -> None:
    listening = Listening()
    migration = Migration(tmp_path, plugins={"one": Failing(), "other": Failing(), "ear": listening})
    small_load(migration.export)
    migration.account.refuse = lambda operation: operation.key == "memory:visits:v0"

    report = migration.run()

    warnings = [said for said in migration.words.said if "failed with" in said]
    assert report.exit_code == 1
    assert len(migration.account.of("contact")) == 3
    assert listening.heard[0] == ("started", "memory", "memory")
    assert listening.heard[-1] == ("finished", "done_with_others")
    assert ("operation", "memory:visits:v0", False) in listening.heard
    assert sum(kind == "operation" for kind, *_ in listening.heard) == migration.account.arrived
    rejected = {entry[1:] for entry in listening.heard if entry[0] == "rejected"}
    assert rejected == {
        ("contacts", "3", "missing_name"),
        ("visits", "v0", "refused"),
        ("visits", "v4", "orphan"),
        ("visits", "v5", "unknown_schema_item"),
    }
    assert sorted(warnings) == sorted(
        f'plugin "{name}" (not installed): {hook} failed with {error}. The run goes on without it.'
        for name in ("one", "other")
        for hook, error in (("flit_operation_finished", "ValueError"), ("flit_record_rejected", "SystemExit"))
    )
    assert "secret" not in "".join(migration.words.said)
