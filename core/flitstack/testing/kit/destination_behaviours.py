"""Each behaviour that spares work is held against the account: declared and not done, done and not declared."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from flitstack.errors import Rejected
from flitstack.protocols import KeyFinding, full_key
from flitstack.testing.kit.bench import DestinationBench, key
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.loads import many, typical
from flitstack.testing.kit.suite import does_not_apply
from flitstack.testing.kit.talking import first_of_each
from flitstack.testing.simulation.scenario import DECLARED_LAG_S, ROAD_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.protocols import JSON, Operation, Outcome, Stored, Writer
    from flitstack.testing.kit.bench import Bench
    from flitstack.testing.kit.trial import Trial

MOST_AT_ONCE = 200
DAY_S = 86_400.0
MOMENT = "2024-02-29T23:30:00Z"
PEOPLE = 3


@runtime_checkable
class Binned(Protocol):
    """An account with a bin, from which people bring back what was deleted."""

    def restore(self, kind: str, name: str) -> bool:
        """Bring a deleted record back, as a person would; return whether the account let them."""
        ...


class BehavioursPart(DestinationBench):
    """B7 to B10."""

    kind = "destination"

    @check("B7", "silver")
    def test_a_key_is_unique_where_it_is_declared(self, bench: Bench) -> None:
        """Where `key_unique` is declared, and only there, a second record of a key is not made, and `find` finds it."""
        trial = bench(typical(), lag_s=DECLARED_LAG_S - 2 * ROAD_S)
        trial.finished()
        for sent, outcome in first_of_each(trial):
            behaviour = trial.behaviours.objects[sent.object]
            if behaviour.key_in in ("content", "name"):
                continue
            made_twice, why = _is_made_twice(trial, sent, outcome)
            assert not (behaviour.key_unique and made_twice), (
                f"{sent.object}: key_unique is declared, and a second record with the same source key was made: "
                "declare key_unique=False, or let the account keep the key unique"
            )
            assert behaviour.key_unique or made_twice is not False, (
                f"{sent.object}: key_unique is not declared, and {why}: declare key_unique=True, and let the writer "
                "have find() (KeyFinding), so that a lost answer is looked up at once"
            )
            if behaviour.key_unique:
                _is_found_at_once(trial, sent)

    @check("B8", "silver")
    def test_a_request_carries_a_batch_as_declared(self, bench: Bench) -> None:
        """One request carries as many records as `batch` says, no fewer and no more, when made, changed and deleted."""
        trial = bench(typical())
        trial.finished()
        tried = 0
        for sent, _ in first_of_each(trial):
            tried += _carries_its_batch(trial, sent)
        if not tried:
            does_not_apply("it takes one operation at a time (max_batch), or no second record like the first")

    @check("B9", "silver")
    def test_what_is_deleted_can_be_restored_as_declared(self, bench: Bench) -> None:
        """A person can bring a deleted record back for as many days as `restore_days` says, and not for longer."""
        trial = bench(many(PEOPLE))
        account = trial.account
        if not isinstance(account, Binned):
            does_not_apply("the port has no restore(), a person's hand in the account's bin, so nobody can tell")
        trial.finished()
        sent, _ = trial.recording.of("create", key("contacts", "1"))
        behaviour = trial.behaviours.objects[sent.object]
        if "delete" not in behaviour.verbs:
            does_not_apply(f"it declares that it deletes no {sent.object}")
        days, said = behaviour.restore_days, f"{sent.object}: restore_days is {behaviour.restore_days}, and"
        for one in range(1, PEOPLE + 1):
            _delete(trial, key("contacts", str(one)))
        trial.do(lambda: asyncio.sleep(max(days - 1, 0) * DAY_S))
        back = account.restore("contact", key("contacts", "1"))
        shown = key("contacts", "1") in [one.name for one in trial.picture()]
        trial.do(lambda: asyncio.sleep(2 * DAY_S))
        later = account.restore("contact", key("contacts", "2"))

        assert back or not days, f"{said} a person could not bring a record back a day before that: declare fewer days"
        assert shown == back, f"{said} restore() of the port says {back}, and its picture() shows the record: {shown}"
        assert days or not back, f"{said} a person brought a deleted record back: declare for how many days"
        assert not (days and later), f"{said} a person brought a record back a day after that: declare more days"

    @check("B10", "silver")
    def test_times_can_be_set_as_declared(self, bench: Bench) -> None:
        """A time among `settable_times` is the one that a create said; of objects without it, it is not."""
        trial = bench(typical())
        trial.finished()
        objects = trial.behaviours.objects
        names = sorted({name for one in objects.values() for name in one.settable_times})
        if not names:
            does_not_apply("it declares no settable time")
        for sent, _ in first_of_each(trial):
            for name in names:
                declared = name in objects[sent.object].settable_times
                kept, came = _keeps_its_time(trial, sent, name)
                assert kept or not declared, (
                    f"{sent.object}.{name}: stands in settable_times; a create with {MOMENT} was sent, and {came}"
                )
                assert declared or not kept, (
                    f"{sent.object}.{name}: a create may set it, and settable_times leaves it out: add it, so that the "
                    "engine does not take it for a change of the account's own"
                )


def _twin(sent: Operation, number: int, key: str = "", **fields: JSON) -> Operation:
    """Return a create like one that was done, under another key unless it is to be the same."""
    known = {name: value for name, value in sent.fields.items() if value != full_key(sent.key, sent.part)}
    return replace(sent, id=number, key=key or f"{sent.key}-twin-{number}", fields={**known, **fields})


def _apply(trial: Trial, operations: Sequence[Operation]) -> list[Outcome]:
    return trial.talk(lambda writer: writer.apply(operations))


def _is_made_twice(trial: Trial, sent: Operation, outcome: Outcome) -> tuple[bool | None, str]:
    """Tell whether a second create with the same key makes a second record, and how not; None when nobody can tell."""
    (same,) = _apply(trial, [_twin(sent, 9301, sent.key)])
    if same.error is None:
        taken = same.destination_id == outcome.destination_id
        return not taken, "a second create with the same key was taken for the first"
    (other,) = _apply(trial, [_twin(sent, 9302)])
    if not isinstance(same.error, Rejected) or other.error is not None:
        return None, ""
    return False, f'a second create with the same key is refused ("{same.error.code}"), and one with another is not'


def _is_found_at_once(trial: Trial, sent: Operation) -> None:
    """Fail unless a new record is found by its key at once, however late lists are."""
    new = _twin(sent, 9303)
    wanted = full_key(new.key, new.part)

    async def ask(writer: Writer) -> tuple[Outcome, Sequence[Stored]]:
        assert isinstance(writer, KeyFinding), (
            f"{sent.object}: key_unique is declared, and the writer has no find(object, keys) (KeyFinding)"
        )
        (outcome,) = await writer.apply([new])
        return outcome, await writer.find(sent.object, [wanted, f"{wanted}-nobody"])

    outcome, found = trial.talk(ask)
    if outcome.error is None:
        assert [(one.id, one.key) for one in found] == [(outcome.destination_id, wanted)], (
            f"{sent.object}: right after a create, find() was asked for its key and for one that nobody has, and gave "
            f"{len(found)} records with the keys {[one.key for one in found]}: it finds what was written, however "
            "lists may lag, and no other"
        )


def _carries_its_batch(trial: Trial, sent: Operation) -> bool:
    """Fail unless each verb sends as many requests as the batch comes to; tell whether anything could be tried."""
    behaviours = trial.behaviours
    batch = behaviours.objects[sent.object].batch
    count = min(max(batch, 2), behaviours.max_batch, MOST_AT_ONCE)
    if count < 2:
        return False
    single, ones = _sent_writes(trial, [_twin(sent, 9400)])
    several, made = _sent_writes(trial, [_twin(sent, 9401 + number) for number in range(count)])
    if any(outcome.error is not None for outcome in (*ones, *made)):
        return False
    _is_as_many(sent, "create", count, batch, single, several)
    ids = [outcome.destination_id or "" for outcome in (*ones, *made)]
    changes = [
        replace(_twin(sent, 9700 + number), verb="update", links={}, destination_id=one)
        for number, one in enumerate(ids)
    ]
    gone = [replace(one, id=one.id + 300, verb="delete", fields={}) for one in changes]
    for verb, operations in (("update", changes), ("delete", gone)):
        if verb in behaviours.objects[sent.object].verbs:
            single, first = _sent_writes(trial, operations[:1])
            several, rest = _sent_writes(trial, operations[1:])
            if not any(outcome.error is not None for outcome in (*first, *rest)):
                _is_as_many(sent, verb, count, batch, single, several)
    return True


def _sent_writes(trial: Trial, operations: Sequence[Operation]) -> tuple[int, list[Outcome]]:
    """Return how many requests that write were sent for these, and what came of them."""
    before = len(trial.world.wire.writes)
    outcomes = _apply(trial, operations)
    return len(trial.world.wire.writes) - before, outcomes


def _is_as_many(sent: Operation, verb: str, count: int, batch: int, single: int, several: int) -> None:
    wanted = math.ceil(count / batch) * single
    told = f"{sent.object}: batch is {batch}; one {verb} took {single} requests and {count} took {several}"
    assert several <= wanted, f"{told}, more than {wanted}: declare a smaller batch, or let one request carry them"
    assert several >= wanted, f"{told}, fewer than {wanted}: declare the batch, or every plan says too high a price"


def _delete(trial: Trial, name: str) -> None:
    sent, outcome = trial.recording.of("create", name)
    gone = replace(sent, id=9500, verb="delete", fields={}, links={}, destination_id=outcome.destination_id)
    (said,) = _apply(trial, [gone])
    assert said.error is None, f"{sent.object}: a delete is answered with {type(said.error).__name__}"


def _keeps_its_time(trial: Trial, sent: Operation, name: str) -> tuple[bool, str]:
    """Tell whether a create sets a time, and what came of it."""
    new = _twin(sent, 9600, **{name: MOMENT})

    async def ask(writer: Writer) -> tuple[bool, str]:
        (outcome,) = await writer.apply([new])
        if outcome.error is not None:
            return False, f"it was answered with {type(outcome.error).__name__}: {outcome.error}"
        found: Any = await writer.get_many(sent.object, [outcome.destination_id or ""])
        if not found:
            return False, "get_many() does not find the record by its id"
        wanted = writer.comparable(sent.object, {name: MOMENT})
        held = writer.comparable(sent.object, {name: found[0].fields.get(name)})
        return bool(wanted) and held == wanted, f"it is read back as {held.get(name)}"

    try:
        return trial.talk(ask)
    except Exception as exc:  # noqa: BLE001 - a time that an object does not know may be met with anything
        return False, f"{type(exc).__name__} came out of apply()"
