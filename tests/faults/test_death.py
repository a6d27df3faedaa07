"""A run that ends at any moment is carried on by the same command: nothing is lost, and nothing is there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flitstack.errors import FlitError
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.report import RunReport


class Fate(Protocol):
    moments: int

    def live(self, last: int | None = None) -> None: ...

    def govern(self, migration: Migration) -> None: ...

    def outlive(self, migration: Migration) -> bool: ...


def loaded(folder: Path, fate: Fate, concurrency: int, lag_s: float = 0.0) -> Migration:
    folder.mkdir()
    migration = Migration(folder, concurrency=concurrency)
    migration.account.lag_s = lag_s
    small_load(migration.export)
    fate.govern(migration)
    return migration


def until_done(migration: Migration, at_most: int = 30) -> RunReport:
    for _ in range(at_most):
        try:
            report = migration.run()
        except FlitError:
            continue
        if report.exit_code == 0:
            return report
    raise AssertionError("it never ends")


def dies_everywhere(tmp_path: Path, fate: Fate, concurrency: int, step: int) -> None:
    whole = loaded(tmp_path / "whole", fate, concurrency)
    fate.live()
    whole.run()
    moments, wanted = fate.moments, whole.account.picture()

    for last in range(1, moments + 1, step):
        migration = loaded(tmp_path / str(last), fate, concurrency, lag_s=3.0)
        fate.live(last)
        fate.outlive(migration)
        fate.live()
        until_done(migration)
        assert migration.account.picture() == wanted, f"died at moment {last} of {moments}"


def test_a_run_that_dies_at_any_moment_is_carried_on_without_loss_or_double(tmp_path: Path, fate: Fate) -> None:
    dies_everywhere(tmp_path, fate, concurrency=1, step=1)


def test_so_is_one_with_several_writes_under_way(tmp_path: Path, fate: Fate) -> None:
    dies_everywhere(tmp_path, fate, concurrency=4, step=5)


def test_a_run_that_dies_again_and_again_gets_there_all_the_same(tmp_path: Path, fate: Fate) -> None:
    whole = loaded(tmp_path / "whole", fate, 2)
    fate.live()
    whole.run()
    migration = loaded(tmp_path / "other", fate, 2, lag_s=3.0)

    deaths = 0
    for last in range(40, 240, 8):
        fate.live(last)
        deaths += not fate.outlive(migration)
    fate.live()
    until_done(migration)

    assert deaths > 5
    assert migration.account.picture() == whole.account.picture()


def test_what_was_carried_on_is_finished_for_good(tmp_path: Path, fate: Fate) -> None:
    migration = loaded(tmp_path / "one", fate, 3)
    fate.live(150)
    assert not fate.outlive(migration)
    fate.live()
    until_done(migration)
    written = len(migration.account.written)

    report = migration.run()

    assert len(migration.account.written) == written
    assert report.exit_code == 0
