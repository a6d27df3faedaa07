"""A destination keeps within limits, spends what it declares, and does nothing that nobody asked for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flitstack.errors import ApprovalNeeded, BudgetExhausted, FlitError
from flitstack.stages.gates.gate import Passing
from flitstack.testing.kit.bench import DestinationBench, key, need_kind
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.loads import changed, many, typical
from flitstack.testing.kit.port import Budgeted, Metered, Touched, need
from flitstack.testing.kit.suite import does_not_apply
from flitstack.testing.simulation.oracle import differences

if TYPE_CHECKING:
    from flitstack.protocols import Operation, Outcome, Writer
    from flitstack.testing.kit.bench import Bench
    from flitstack.testing.kit.trial import Trial

WAIT_S = 2.0
DAY_S = 86_400.0
MOST_WHEN_CLOSED = 12
NEAR = 0.1


class LimitsPart(DestinationBench):
    """L1 to L5, and P1 to P5."""

    kind = "destination"

    @check("L1", "silver")
    def test_it_waits_when_it_is_told_that_it_is_too_fast(self, bench: Bench) -> None:
        """A request that came too fast is sent again, no sooner than the account said, and done once."""
        calm = bench(typical(), concurrency=1)
        calm.finished()
        for number in self.places(len(calm.world.wire.writes)):
            struck = calm.world.wire.writes[number - 1]
            trial = bench(typical(), faults={struck: "too_fast"}, concurrency=1)
            times = _timed(trial)
            trial.check(trial.until_done())
            gap = times[struck] - times[struck - 1]
            assert gap >= WAIT_S - 0.05, (
                f"the account asked to wait {WAIT_S} s, and the next request came after {gap:.2f} s: answer "
                "RateLimited with its retry_after_s, or wait on the context's clock; where one apply() sends several "
                "requests, none follows before that time"
            )

    @check("L2", "silver")
    def test_a_budget_that_is_used_up_stops_the_run_cleanly(self, bench: Bench) -> None:
        """When the day's budget is used up a run stops, to be resumed, and does not knock again and again."""
        trial = bench(typical())
        _at_write(trial, 3, budgeted(trial).use_up)
        trial.stops(BudgetExhausted, "the day's budget is used up at write 3")
        before = trial.world.wire.requests
        trial.stops(BudgetExhausted, "the day's budget is still used up")
        knocks = trial.world.wire.requests - before

        assert knocks <= MOST_WHEN_CLOSED, (
            f"a run on an account whose budget is used up sent {knocks} requests, at most {MOST_WHEN_CLOSED} are let "
            "pass: answer BudgetExhausted at the first refusal, and await context.exhausted before trying again"
        )
        trial.do(lambda: asyncio.sleep(DAY_S))
        trial.check(trial.until_done())

    @check("L2", "silver")
    def test_a_run_that_waits_goes_on_with_the_next_budget(self, bench: Bench) -> None:
        """Asked to wait, the run goes on by itself once there is budget again."""
        trial = bench(typical())
        _at_write(trial, 3, budgeted(trial).use_up)
        try:
            report = trial.run(wait=True)
        except BudgetExhausted as exc:
            raise AssertionError(
                "asked to wait for the next day's budget, the run stopped with BudgetExhausted: await "
                "context.exhausted where the account has none left, and try again when it returns"
            ) from exc

        trial.check(report)

    @check("L3", "silver")
    def test_it_is_never_too_fast(self, bench: Bench) -> None:
        """However much there is to write, the account never has to say that it was too much at once."""
        trial = bench(many(150), concurrency=8)
        account = need(trial.account, Metered)
        trial.check(trial.until_done())

        refused = account.meter().refused
        assert refused == 0, (
            f"the account refused {refused} requests of {trial.world.wire.requests} for coming too fast, and none is "
            "let pass: keep below its limit, by its headers or by counting, and by `concurrency`"
        )

    @check("L4", "silver")
    def test_writes_cost_what_is_declared(self, bench: Bench) -> None:
        """Each kind of write costs the account what the behaviours say, and the plugin counts the same."""
        trial = bench(typical())
        need(trial.account, Metered)
        trial.finished()
        seen: set[str] = set()
        for sent, outcome in list(trial.recording.applied):
            if sent.object in seen or sent.verb != "create" or outcome.error is not None:
                continue
            seen.add(sent.object)
            if sent.object not in trial.behaviours.schema_objects:
                _costs_what_it_says(trial, sent)

    @check("L4", "silver")
    def test_it_counts_what_it_spends(self, bench: Bench) -> None:
        """Over a whole run, the plugin counts the requests and units that the account counted."""
        trial = bench(typical())
        account = need(trial.account, Metered)
        before = account.meter()
        report = trial.finished()
        after = account.meter()

        for what, told, counted in (
            ("requests", report.requests, after.requests - before.requests),
            ("budget units", report.tokens.spent, after.units - before.units),
        ):
            assert told == counted, f"spent() came to {told} {what}, and the account counted {counted}"

    @check("L5", "silver")
    def test_the_estimate_is_near(self, bench: Bench) -> None:
        """What a run spends is within a tenth of what the plan said before."""
        trial = bench(many(60))
        report = trial.until_done()

        predicted, spent = report.tokens.predicted, report.tokens.spent
        assert abs(predicted - spent) <= NEAR * spent, (
            f"the plan said {predicted} budget units, and the run spent {spent}; a tenth is let pass: look at `cost`, "
            "`page_size`, `batch` and `schema_reading` of the behaviours"
        )

    @check("P1", "silver")
    def test_a_plan_is_the_same_each_time_and_changes_nothing(self, bench: Bench) -> None:
        """Planning twice says the same twice, and the account is as it was."""
        trial = bench(typical())
        shown = [_plan(trial), _plan(trial)]

        assert trial.account.writes == 0, f"planning changed the account {trial.account.writes} times: it only reads"
        differ = [
            f"{what} {shown[0].get(what, 0)} and {shown[1].get(what, 0)}"
            for what in {**shown[0], **shown[1]}
            if shown[0].get(what) != shown[1].get(what)
        ]
        assert not differ, (
            f"two plans of the same export differ: {', '.join(differ)}; planning depends on nothing but the export and "
            "the account"
        )
        wrong = differences(trial.before, trial.picture())
        assert not wrong, f"after planning the account is not as it was: {'; '.join(wrong[:4])}"

    @check("P2", "silver")
    def test_what_was_approved_is_what_is_done(self, bench: Bench) -> None:
        """An approval of one export does not let another one through."""
        trial = bench(typical())
        trial.stops(ApprovalNeeded, "nobody has approved", passing=Passing())
        trial.give(changed(typical(), "contacts", "1", phone="+49 30 9", name="Another"))
        trial.stops(FlitError, "another export was approved", passing=Passing(approve="admin@example.org"))

        assert trial.account.writes == 0, f"{trial.account.writes} writes took effect that nobody approved"

    @check("P3", "silver")
    def test_a_second_run_has_nothing_to_do(self, bench: Bench) -> None:
        """Once all is there, running again sends no write."""
        trial = bench(typical())
        trial.until_done()
        sent = len(trial.world.wire.writes)
        report = trial.finished()
        more = len(trial.world.wire.writes) - sent

        assert not more, (
            f"everything was there, and a second run sent {more} writes: list() or comparable() gives what was written "
            "in another form"
        )
        trial.check(report)

    @check("P4", "silver")
    def test_a_change_in_the_account_is_found(self, bench: Bench) -> None:
        """What somebody changed in the account is told when it is read back; what nobody changed is not."""
        trial = bench(typical())
        need_kind(trial, "contact")
        trial.until_done()
        first = trial.verify()
        assert first.status == "verified", (
            f"nobody changed anything, and reading back came to {first.status}: comparable() and list() give what was "
            "written in another form"
        )
        need(trial.account, Touched).edit("contact", key("contacts", "1"), "name", "Ann the Elder")
        found = trial.verify()

        told = found.verification.drifted + found.verification.mismatched
        assert told == 1, (
            f"a person changed the name of one contact, and reading back tells of {told} records: list() and "
            "get_many() ask the account, and comparable() keeps what differs"
        )

    @check("P5", "silver")
    def test_a_dry_run_sends_no_write(self, bench: Bench) -> None:
        """A dry run sends nothing that could change the account, neither at first nor later."""
        trial = bench(typical())
        trial.finished(dry_run=True)
        assert not trial.world.wire.writes, (
            f"a dry run sent {len(trial.world.wire.writes)} writes: account(), schema(), users() and list() only read"
        )
        trial.until_done()
        trial.give(changed(typical(), "contacts", "1", phone="+49 30 9"))
        sent, picture = len(trial.world.wire.writes), trial.picture()
        trial.finished(dry_run=True)

        more = len(trial.world.wire.writes) - sent
        assert not more, f"a dry run of a later export sent {more} writes: account(), schema() and list() only read"
        wrong = differences(picture, trial.picture())
        assert not wrong, f"a dry run changed the account: {'; '.join(wrong[:4])}"


def budgeted(trial: Trial) -> Budgeted:
    """Return the account as one whose day can be used up; leave the test out where its platform has no such budget."""
    why = getattr(trial.account, "no_budget", "")
    if not why:
        return need(trial.account, Budgeted)
    stated = trial.talk(lambda writer: writer.account()).daily_budget
    assert stated is None, f"the port says that there is no budget of a day, and account() states one of {stated} units"
    does_not_apply(f"the port says that there is no budget of a day: {why}")


def _plan(trial: Trial) -> dict[str, int]:
    report = trial.finished(dry_run=True)
    counts = {f"{verb} of {object_}": count for (object_, verb), count in report.planned.items()}
    return {**counts, "budget units": report.tokens.predicted}


def _timed(trial: Trial) -> list[float]:
    """Return a list that is filled with the time of each request."""
    times: list[float] = []
    before: Any = trial.world.before_request

    def noted(number: int) -> None:
        times.append(asyncio.get_running_loop().time())
        before(number)

    trial.world.before_request = noted  # type: ignore[method-assign]
    return times


def _at_write(trial: Trial, write: int, happen: Any) -> None:
    """Let something happen before the write of this number."""
    before: Any = trial.world.before_request
    done: list[int] = []

    def noted(number: int) -> None:
        if len(trial.world.wire.writes) >= write and not done:
            done.append(number)
            happen()
        before(number)

    trial.world.before_request = noted  # type: ignore[method-assign]


def _costs_what_it_says(trial: Trial, sent: Operation) -> None:
    behaviour, account = trial.behaviours.objects[sent.object], need(trial.account, Metered)
    again = replace(sent, id=9200, key=f"{sent.key}-again")
    told: list[int] = []

    async def send(writer: Writer) -> list[Outcome]:
        before, counted = account.meter().units, writer.spent().tokens
        outcomes = await writer.apply([again])
        told.extend((account.meter().units - before, writer.spent().tokens - counted))
        return outcomes

    (outcome,) = trial.talk(send)
    if outcome.error is not None:
        does_not_apply(f"a second {sent.object} like the first is refused")
    declared = behaviour.cost["create"]
    assert told[0] == declared, (
        f"{sent.object}: the behaviours say that a create costs {declared}, and the account counted {told[0]}"
    )
    assert told[1] == told[0], f"{sent.object}: spent() counted {told[1]} for a create, and the account {told[0]}"
