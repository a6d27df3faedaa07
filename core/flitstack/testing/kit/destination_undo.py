"""Undoing: the account is as it was before, but for what people did; and what must never show, does not."""

from __future__ import annotations

import sqlite3
import stat
from typing import TYPE_CHECKING

from flitstack.errors import FlitError
from flitstack.journal import Journal
from flitstack.stages.auditlog.verifying import check_journal
from flitstack.stages.rollback.scope import Scope
from flitstack.testing.kit.bench import DestinationBench, key, need_kind
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.loads import changed, contacts, typical
from flitstack.testing.kit.port import Secretive, Touched, need
from flitstack.testing.kit.suite import does_not_apply

if TYPE_CHECKING:
    from flitstack.testing.kit.bench import Bench
    from flitstack.testing.kit.guards import Guards
    from flitstack.testing.kit.trial import Trial

ANN, GUS = key("contacts", "1"), key("contacts", "7")
NEVER = 10**9
CANARY = "Zebedee-Quillfeather-4711"


class UndoPart(DestinationBench):
    """R1 to R7, and X1 to X5."""

    kind = "destination"

    @check("R1", "gold")
    def test_everything_can_be_undone(self, bench: Bench) -> None:
        """After an undo the account holds what it held before, and nothing else."""
        trial = bench(typical())
        self._can_delete(trial)
        trial.until_done()
        report = trial.roll_back()

        assert report is not None
        assert sorted(trial.picture()) == sorted(trial.before), "the account is not as it was"

    @check("R2", "gold")
    def test_what_a_person_changed_is_not_undone(self, bench: Bench) -> None:
        """A record that somebody edited since is kept as they left it, and told."""
        trial = bench(typical())
        self._can_delete(trial)
        need_kind(trial, "contact")
        trial.until_done()
        need(trial.account, Touched).edit("contact", GUS, "name", "Gus the Elder")
        report = trial.roll_back()
        kept = {one.name: dict(one.values) for one in trial.picture()}

        assert report is not None
        assert GUS in kept, "an edited record was deleted"
        assert kept[GUS]["name"] == "Gus the Elder", "an edit was undone"
        assert ANN not in kept, "a record that nobody edited is still there"

    @check("R3", "gold")
    def test_what_a_person_hung_on_a_record_keeps_it(self, bench: Bench) -> None:
        """A record on which somebody hung something of their own is kept."""
        trial = bench(typical())
        self._can_delete(trial)
        need_kind(trial, "contact")
        need_kind(trial, "visit")
        trial.until_done()
        need(trial.account, Touched).hang(GUS)
        trial.roll_back()
        names = [one.name for one in trial.picture()]

        assert GUS in names, "the record under a person's own was deleted"
        assert ANN not in names, "a record on which nothing hangs is still there"

    @check("R4", "gold")
    def test_an_undo_that_is_killed_carries_on(self, bench: Bench) -> None:
        """Killed anywhere, an undo is carried on by the same command."""
        for moment in self.places(60):
            trial = bench(typical(), deaths=(NEVER, moment))
            self._can_delete(trial)
            trial.until_done()
            _undone(trial)
            assert sorted(trial.picture()) == sorted(trial.before), f"killed at moment {moment}: not as it was"

    @check("R5", "gold")
    def test_undoing_an_update_restores_our_fields_alone(self, bench: Bench) -> None:
        """Undoing a later run puts back what that run wrote, and leaves what a person wrote."""
        trial = bench(typical())
        need_kind(trial, "contact", "phone")
        trial.until_done()
        trial.give(changed(typical(), "contacts", "1", phone="+49 30 9"))
        later = trial.until_done()
        need(trial.account, Touched).edit("contact", ANN, "name", "Ann the Elder")
        trial.roll_back(Scope(run=later.run_id))
        held = dict(next(one for one in trial.picture() if one.name == ANN).values)

        assert held["phone"] == "+49 30 1", "the earlier value is not back"
        assert held["name"] == "Ann the Elder", "what a person wrote was undone"

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
        trial.roll_back()
        sent = len(trial.world.wire.writes)
        trial.roll_back()

        assert len(trial.world.wire.writes) == sent, "a second undo sent writes"

    @check("X1", "silver")
    def test_no_secret_shows(self, bench: Bench, guards: Guards) -> None:
        """Whatever goes wrong, the secret it signs in with is in no message, no log, no traceback and no file."""
        calm = bench(contacts({"1": "Ann"}))
        need(calm.account, Secretive)
        calm.run()
        assert guards.secrets, "the port names no secret"
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
        calm.run()
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

        assert not [text for text in texts if CANARY in text], "a message holds a value of a record"

    @check("X3", "silver")
    def test_the_journal_is_its_owners_alone(self, bench: Bench) -> None:
        """The journal can be read by its owner alone."""
        trial = bench(contacts({"1": "Ann"}))
        trial.run()
        mode = stat.S_IMODE(trial.world.journal.stat().st_mode)

        assert mode & 0o077 == 0, f"the journal's mode is {mode:o}"

    @check("X5", "gold")
    def test_the_audit_log_proves_itself(self, bench: Bench) -> None:
        """The audit log of a migration and its undo is whole, and a changed line of it shows."""
        trial = bench(typical())
        self._can_delete(trial)
        trial.until_done()
        trial.roll_back()
        with Journal.existing(trial.world.journal) as journal:
            assert not check_journal(journal, ()).problem
        with sqlite3.connect(trial.world.journal) as db:
            changed_lines = db.execute("UPDATE audit SET at = '2020-01-01T00:00:00Z' WHERE rowid = 2").rowcount
        db.close()
        assert changed_lines == 1
        with Journal.existing(trial.world.journal) as journal:
            assert check_journal(journal, ()).problem, "a changed line does not show"

    def _can_delete(self, trial: Trial) -> None:
        stuck = [name for name, one in trial.behaviours.objects.items() if "delete" not in one.verbs]
        if stuck:
            does_not_apply(f"it declares that {', '.join(stuck)} cannot be deleted")


def _undone(trial: Trial) -> None:
    """Undo until an undo ends."""
    for _ in range(10):
        try:
            if trial.roll_back() is not None:
                return
        except FlitError:
            continue
    raise AssertionError("no undo was done")
