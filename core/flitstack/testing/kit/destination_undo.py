"""Undoing: the account is as it was before, but for what people did; and what must never show, does not."""

from __future__ import annotations

import csv
import io
import sqlite3
import stat
from typing import TYPE_CHECKING

from flitstack.errors import FlitError
from flitstack.journal import Journal
from flitstack.stages.auditlog.verifying import check_journal
from flitstack.stages.rejects.export import export_rejected
from flitstack.stages.rollback.scope import Scope
from flitstack.testing.kit.bench import DestinationBench, key, need_kind
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.loads import changed, contacts, typical
from flitstack.testing.kit.port import Secretive, Touched, need
from flitstack.testing.kit.suite import does_not_apply
from flitstack.testing.kit.trial import LOOK
from flitstack.testing.simulation.oracle import differences

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flitstack.testing.kit.bench import Bench
    from flitstack.testing.kit.guards import Guards
    from flitstack.testing.kit.trial import Trial

ANN, GUS = key("contacts", "1"), key("contacts", "7")
NEVER = 10**9
FORMULA = '=HYPERLINK("http://example.org","x")'
RUNS = ("=", "+", "-", "@", "\t", "\r")
CANARY = "Zebedee-Quillfeather-4711"


class UndoPart(DestinationBench):
    """R1 to R7, X1 to X3, X5 and X6."""

    kind = "destination"

    @check("R1", "gold")
    def test_everything_can_be_undone(self, bench: Bench) -> None:
        """After an undo the account holds what it held before, and nothing else."""
        trial = bench(typical())
        self._can_delete(trial)
        trial.until_done()
        _rolled_back(trial)

        _is_as_before(trial)

    @check("R2", "gold")
    def test_what_a_person_changed_is_not_undone(self, bench: Bench) -> None:
        """A record that somebody edited since is kept as they left it, and told."""
        trial = bench(typical())
        self._can_delete(trial)
        need_kind(trial, "contact")
        trial.until_done()
        need(trial.account, Touched).edit("contact", GUS, "name", "Gus the Elder")
        _rolled_back(trial)
        kept = {one.name: dict(one.values) for one in trial.picture()}

        assert GUS in kept, (
            f"{GUS} was edited by a person, and an undo deleted it: list() and get_many() must ask the account"
        )
        name = kept[GUS].get("name")
        assert name == "Gus the Elder", f"a person named {GUS} anew, and after an undo its name is {name!r}"
        assert ANN not in kept, f"nobody edited {ANN}, and after an undo it is still there: see deletes of apply()"

    @check("R3", "gold")
    def test_what_a_person_hung_on_a_record_keeps_it(self, bench: Bench) -> None:
        """A record on which somebody hung something of their own is kept."""
        trial = bench(typical())
        self._can_delete(trial)
        need_kind(trial, "contact")
        need_kind(trial, "visit")
        trial.until_done()
        need(trial.account, Touched).hang(GUS)
        _rolled_back(trial)
        names = [one.name for one in trial.picture()]

        assert GUS in names, (
            f"a person hung a visit on {GUS}, and an undo deleted it: list() with `parent` gives what hangs on a record"
        )
        assert ANN not in names, f"nothing hangs on {ANN}, and after an undo it is still there: see deletes of apply()"

    @check("R4", "gold")
    def test_an_undo_that_is_killed_carries_on(self, bench: Bench) -> None:
        """Killed anywhere, an undo is carried on by the same command."""
        for moment in self.places(60):
            trial = bench(typical(), deaths=(NEVER, moment))
            self._can_delete(trial)
            trial.until_done()
            _undone(trial)
            _is_as_before(trial, f"killed at moment {moment}: ")

    @check("R5", "gold")
    def test_undoing_an_update_restores_our_fields_alone(self, bench: Bench) -> None:
        """Undoing a later run puts back what that run wrote, and leaves what a person wrote."""
        trial = bench(typical())
        need_kind(trial, "contact", "phone")
        trial.until_done()
        trial.give(changed(typical(), "contacts", "1", phone="+49 30 9"))
        later = trial.until_done()
        need(trial.account, Touched).edit("contact", ANN, "name", "Ann the Elder")
        _rolled_back(trial, Scope(run=later.run_id))
        held = trial.values_of("contact", ANN)

        _holds(held, "phone", "+49 30 1", "it was so before the run that was undone")
        _holds(held, "name", "Ann the Elder", "a person wrote it, and an update sends only what it was told")

    @check("R6", "bronze")
    def test_what_cannot_be_undone_is_declared(self, offered: object) -> None:
        """An object that cannot be deleted, or only for good, is said in words before anything is written."""
        behaviours = offered.behaviours  # type: ignore[attr-defined]
        stuck = [n for n, one in behaviours.objects.items() if one.delete == "none" or "delete" not in one.verbs]
        if not stuck:
            return
        assert behaviours.irreversible, f"{', '.join(stuck)} cannot be deleted, and `irreversible` says nothing"

    @check("R7", "gold")
    def test_undoing_twice_is_undoing_once(self, bench: Bench) -> None:
        """A second undo has nothing to do and sends no write."""
        trial = bench(typical())
        self._can_delete(trial)
        trial.until_done()
        _rolled_back(trial)
        sent = len(trial.world.wire.writes)
        _rolled_back(trial)
        more = len(trial.world.wire.writes) - sent

        assert not more, f"everything was undone, and a second undo sent {more} writes: list() shows what is gone"

    @check("X1", "silver")
    def test_no_secret_shows(self, bench: Bench, guards: Guards) -> None:
        """Whatever goes wrong, the secret it signs in with is in no message, no log, no traceback and no file."""
        calm = bench(contacts({"1": "Ann"}))
        need(calm.account, Secretive)
        calm.finished()
        assert guards.secrets, "the account's `secrets` are empty: name what the writers sign in with"
        for fault in ("signed_out", "blocked", "not_json", "refused_5xx", "connect", "commit_then_drop"):
            for number in (1, calm.world.wire.writes[-1]):
                trial = bench(contacts({"1": "Ann"}), faults={number: fault})
                try:
                    trial.run()
                except FlitError as exc:
                    guards.said.append(f"{exc} {exc!r}")
                guards.said += [f"{o.error} {o.error!r}" for _, o in trial.recording.applied if o.error is not None]
        assert not guards.leaks(), "; ".join(guards.leaks())

    @check("X2", "silver")
    def test_no_value_of_a_record_shows(self, bench: Bench, guards: Guards) -> None:
        """A record that is refused, or whose answer cannot be read, is told by its key, never by what it says."""
        rows = contacts({"1": CANARY, "2": "Bob"})
        calm = bench(rows)
        calm.finished()
        last = calm.world.wire.writes[-1]
        texts: list[str] = []
        for scenario in ({"refused": frozenset({ANN})}, {"faults": {last: "not_json", last - 1: "commit_then_5xx"}}):
            trial = bench(rows, **scenario)
            try:
                report = trial.run()
                texts += [str(report.rejections), str(report.findings)] if report is not None else []
            except FlitError as exc:
                texts.append(str(exc))
            texts += [str(o.error) for _, o in trial.recording.applied if o.error is not None]
        texts += guards.said

        shown = sum(CANARY in text for text in texts)
        assert not shown, (
            f"{shown} messages or log lines hold a contact's name: an error names the record's key and the field, and "
            "leaves out what the account answered of the record"
        )

    @check("X3", "silver")
    def test_the_journal_is_its_owners_alone(self, bench: Bench) -> None:
        """The journal can be read by its owner alone."""
        trial = bench(contacts({"1": "Ann"}))
        trial.finished()
        mode = stat.S_IMODE(trial.world.journal.stat().st_mode)

        assert mode & 0o077 == 0, f"the journal's mode is {mode:o}, and others than its owner must not read it (600)"

    @check("X5", "gold")
    def test_the_audit_log_proves_itself(self, bench: Bench) -> None:
        """The audit log of a migration and its undo is whole, and a changed line of it shows."""
        trial = bench(typical())
        self._can_delete(trial)
        trial.until_done()
        _rolled_back(trial)
        with Journal.existing(trial.world.journal) as journal:
            problem = check_journal(journal, ()).problem
            assert not problem, f"nobody touched the audit log, and it does not prove itself: {problem}"
        with sqlite3.connect(trial.world.journal) as db:
            changed_lines = db.execute("UPDATE audit SET at = '2020-01-01T00:00:00Z' WHERE rowid = 2").rowcount
        db.close()
        assert changed_lines == 1, f"the audit log has no second line to change ({changed_lines} were changed)"
        with Journal.existing(trial.world.journal) as journal:
            assert check_journal(journal, ()).problem, (
                "a line of the audit log was changed behind its back, and the check says that it is whole"
            )

    @check("X6", "silver")
    def test_no_cell_of_a_sheet_runs(self, bench: Bench, tmp_path: Path) -> None:
        """Of records that were refused, no cell of the sheet in which they are exported is a formula."""
        rows = contacts(dict.fromkeys(("1", "2"), FORMULA))
        trial = bench(rows, refused=frozenset({ANN}))
        trial.finished()
        with Journal.existing(trial.world.journal) as journal:
            export_rejected(journal, tmp_path / "rejected")
        sheets = sorted((tmp_path / "rejected").glob("*.csv"))
        cells = [
            cell
            for path in sheets
            for row in csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
            for cell in row
        ]
        running = [cell for cell in cells if cell.startswith(RUNS)]

        assert any(ANN in cell for cell in cells), f"{ANN} was refused, and none of {len(sheets)} sheets names it"
        assert not running, (
            f"{len(running)} cells of {len(sheets)} sheets begin with one of {RUNS}, which a spreadsheet runs: see the "
            "words of the Rejected that apply() answers with"
        )

    def _can_delete(self, trial: Trial) -> None:
        stuck = [name for name, one in trial.behaviours.objects.items() if "delete" not in one.verbs]
        if stuck:
            does_not_apply(f"it declares that {', '.join(stuck)} cannot be deleted")


def _rolled_back(trial: Trial, scope: Scope | None = None) -> None:
    report = trial.roll_back(scope)
    assert report is not None, "the process ended in the middle of an undo that nothing was to end"


def _is_as_before(trial: Trial, when: str = "") -> None:
    wrong = differences(trial.before, trial.picture()) or ["the order aside, values differ"]
    assert sorted(trial.picture()) == sorted(trial.before), (
        f"{when}after an undo the account is not as it was: {'; '.join(wrong[:6])}. See deletes and updates of apply()"
    )


def _holds(held: Mapping[str, str], field: str, wanted: str, why: str) -> None:
    assert held.get(field) == wanted, f"{ANN}: {field} is {held.get(field)!r} and must be {wanted!r}: {why}"


def _undone(trial: Trial) -> None:
    """Undo until an undo ends."""
    stopped = "the end of its process"
    for _ in range(10):
        try:
            if trial.roll_back() is not None:
                return
        except FlitError as exc:
            stopped = f"{type(exc).__name__}: {exc}"
    raise AssertionError(f"ten undos were tried, and none was done: the last stopped with {stopped}. {LOOK}")
