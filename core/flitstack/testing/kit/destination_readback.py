"""What a destination holds after a migration is what was to be there: everything once, exactly, and linked right."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from flitstack.errors import Rejected
from flitstack.protocols import FileHashing
from flitstack.testing.kit.bench import DestinationBench, key, need_kind
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.loads import SPECIAL, UNICODE, changed, company, contact, contacts, many, typical
from flitstack.testing.kit.port import Touched, need
from flitstack.testing.kit.suite import does_not_apply
from flitstack.testing.kit.talking import done, listed, record_objects
from flitstack.testing.kit.trial import LOOK

if TYPE_CHECKING:
    from flitstack.protocols import Operation, Outcome, Writer
    from flitstack.testing.kit.bench import Bench
    from flitstack.testing.kit.trial import Trial
    from flitstack.testing.simulation.exports import Rows

ANN = key("contacts", "1")
LONG = 2_000


@runtime_checkable
class Filing(Protocol):
    """An account that takes files up to a size."""

    @property
    def largest_file(self) -> int:
        """Return the most bytes that a file may have."""
        ...


class ReadBackPart(DestinationBench):
    """W1 to W14."""

    kind = "destination"

    @check("W1", "silver")
    def test_everything_that_was_migrated_is_there_once_and_as_it_was(self, bench: Bench) -> None:
        """Every kind of record and of value is found in the account exactly once, past the plugin."""
        trial = bench(typical())

        trial.check(trial.until_done())

    @check("W1", "silver")
    def test_what_the_plugin_reads_is_what_the_account_holds(self, bench: Bench) -> None:
        """A list of the plugin gives every record of ours once, in the form in which it was written."""
        trial = bench(typical())
        trial.finished()
        for object_ in record_objects(trial):
            there = [one.id for one in listed(trial, object_)]
            made = {o.destination_id for p, o in done(trial, "create") if p.object == object_}
            assert len(there) == len(set(there)), (
                f"a list of {object_} gives {len(there)} records, of which {len(set(there))} differ: each comes once"
            )
            left = len(made - set(there))
            assert not left, f"{len(made)} {object_} records were created, and a list leaves {left} of them out"

    @check("W2", "silver")
    def test_nothing_stays_nothing(self, bench: Bench) -> None:
        """Absent, null and empty values leave a field empty; none becomes a word such as `None`."""
        rows = contacts({"1": "Ann", "2": "Bob", "3": "Cy"})
        rows["contacts"]["1"]["phone"] = ""
        del rows["contacts"]["2"]["phone"]
        trial = bench(rows)

        trial.check(trial.until_done())

    @check("W3", "silver")
    def test_text_of_any_script_is_kept(self, bench: Bench) -> None:
        """Letters from right to left, composed or not, emoji and all planes of Unicode come out as they went in."""
        trial = bench(contacts(dict(enumerate_names(UNICODE.values()))))

        trial.check(trial.until_done())

    @check("W4", "silver")
    def test_long_text_is_kept_whole(self, bench: Bench) -> None:
        """A text of thousands of characters within the declared limits is there to its last one."""
        trial = bench(typical())
        need_kind(trial, "visit", "note")
        rows = changed(typical(), "visits", "v1", note="".join(f"{number:04} " for number in range(LONG // 5)) + "end.")
        trial = bench(rows)

        trial.check(trial.until_done())

    @check("W4", "silver")
    def test_what_is_too_long_is_refused_or_kept_never_cut(self, bench: Bench) -> None:
        """A text past a declared limit is rejected, or stored whole; it is never cut without a word."""
        trial = bench(typical())
        trial.finished()
        tried = 0
        for name, behaviour in trial.behaviours.objects.items():
            sent = next((p for p, _ in done(trial, "create") if p.object == name), None)
            if sent is None or name in trial.behaviours.schema_objects:
                continue
            for field, limit in behaviour.limits.items():
                if isinstance(sent.fields.get(field), str):
                    tried += 1
                    _is_whole_or_refused(trial, sent, field, limit)
        if not tried:
            does_not_apply("it declares no limit of a text that is written here")

    @check("W5", "silver")
    def test_special_characters_mean_nothing(self, bench: Bench) -> None:
        """Quotes, markup, formulas, escapes and separators in a text are text."""
        trial = bench(contacts(dict(enumerate_names(SPECIAL.values()))))

        trial.check(trial.until_done())

    @check("W6", "silver")
    def test_schema_items_are_made_once_and_used_again(self, bench: Bench) -> None:
        """A field or type is created once, found by the next run, and never doubled."""
        trial = bench(typical())
        trial.finished()
        made = _names(trial)
        trial.give(changed(typical(), "contacts", "1", phone="+49 30 9"))
        trial.finished()

        twice = sorted({name for name in made if made.count(name) > 1})
        assert not twice, f"{', '.join(twice)} is in the account more than once: schema() must list what is there"
        later = sorted(set(_names(trial)) ^ set(made)) or len(_names(trial)) - len(made)
        assert not later, f"a later run, which needs the same schema items, changed which there are: {later}"

    @check("W7", "silver")
    def test_links_lead_to_the_right_records(self, bench: Bench) -> None:
        """Parents, circles and records that point to themselves are linked right; an orphan is rejected, not made."""
        rows = {
            "companies": {
                "1": company("Ace", None, "2"),
                "2": company("Bee", None, "1"),
                "3": company("Cee", None, "3"),
            },
            "contacts": {
                str(n): contact(f"P{n}", company_id=str(1 + n % 3), boss_id=str(1 + n % 5)) for n in range(1, 6)
            },
            "visits": {f"v{n}": {"contact_id": str(n), "kind": "call", "note": f"n{n}"} for n in (1, 2, 3, 77)},
        }
        trial = bench(rows)
        report = trial.until_done()

        trial.check(report)
        if "visit" in trial.holds:
            rejected = report.streams["visits"]["rejected"]
            assert rejected == 1, (
                f"one visit is of a contact that does not exist, and {rejected} were rejected: see `parents` of the "
                "behaviours, and links that apply() drops"
            )

    @check("W8", "silver")
    def test_owners_are_those_of_the_account_or_the_fallback(self, bench: Bench) -> None:
        """An owner is found by e-mail; who is unknown or deactivated is stood for by the fallback user."""
        trial = bench(typical())
        need_kind(trial, "contact", "@owner")

        trial.check(trial.until_done())

    @check("W9", "silver")
    def test_times_are_the_same_moments(self, bench: Bench) -> None:
        """A time that the destination lets be set is the same moment afterwards, around midnight and clock changes."""
        trial = bench(contacts({"1": "Ann"}))
        need_kind(trial, "contact", "since")
        moments = ("2025-12-31T23:30:00Z", "2026-01-01T00:30:00Z", "2026-03-29T01:00:00Z", "2025-10-26T00:59:59Z")
        rows = contacts({str(number): "Ann" for number in range(len(moments))})
        for number, moment in enumerate(moments):
            rows["contacts"][str(number)]["since"] = moment
        trial = bench(rows)

        trial.check(trial.until_done())

    @check("W9", "silver")
    def test_dates_are_the_same_days(self, bench: Bench) -> None:
        """A date is the same day afterwards, whatever the zone."""
        trial = bench(contacts({"1": "Ann"}))
        need_kind(trial, "contact", "born")
        rows = contacts({"1": "Ann", "2": "Bob", "3": "Cy"})
        for one, day in (("1", "1980-02-29"), ("2", "1999-12-31"), ("3", "1950-01-01")):
            rows["contacts"][one]["born"] = day
        trial = bench(rows)

        trial.check(trial.until_done())

    @check("W10", "silver")
    def test_files_keep_their_bytes(self, bench: Bench) -> None:
        """Files of one name stay apart, and each has the bytes that it had."""
        trial = bench(typical())
        need_kind(trial, "memo")
        trial.check(trial.until_done())
        uploads = [(p, o) for p, o in done(trial, "create") if p.key.startswith("memory:memos:")]
        assert uploads, "the export holds three memos, and apply() was told of none: see the port's template"
        for sent, outcome in uploads:
            _has_its_bytes(trial, sent, outcome)

    @check("W10", "silver")
    def test_an_empty_file_is_there_or_told(self, bench: Bench) -> None:
        """A file of no bytes is there as such, or rejected with a code; it is never lost, and holds up no other."""
        rows = typical()
        rows["memos"]["m0"] = {"contact_id": "1", "name": "empty.txt", "size": 0}
        _is_there_or_told(bench, rows, "empty.txt/0", "a file of no bytes")

    @check("W10", "silver")
    def test_a_file_that_is_too_large_is_told(self, bench: Bench) -> None:
        """A file past what the account takes is rejected with a code, or there whole; the others are there."""
        account = bench(typical()).account
        if not isinstance(account, Filing):
            does_not_apply("the port has no largest_file, the most bytes that its account takes, so none is past it")
        size = account.largest_file + 1
        rows = typical()
        rows["memos"]["m0"] = {"contact_id": "1", "name": "large.bin", "size": size}
        _is_there_or_told(
            bench, rows, f"large.bin/{size}", f"a file of {size:,} bytes, one more than the account takes,"
        )

    @check("W11", "silver")
    def test_an_update_touches_what_changed_alone(self, bench: Bench) -> None:
        """A later export that changes one field leaves alone what a person wrote into another."""
        trial = bench(typical())
        need_kind(trial, "contact", "phone")
        trial.finished()
        need(trial.account, Touched).edit("contact", ANN, "name", "Ann the Elder")
        trial.give(changed(typical(), "contacts", "1", phone="+49 30 9"))
        trial.finished()
        held = trial.values_of("contact", ANN)

        for field, wanted, why in (
            ("phone", "+49 30 9", "a later export has it so"),
            ("name", "Ann the Elder", "a person wrote it, and the update was not told of it"),
        ):
            assert held.get(field) == wanted, f"{ANN}: {field} is {held.get(field)!r} and must be {wanted!r}: {why}"

    @check("W12", "silver")
    def test_a_field_can_be_emptied(self, bench: Bench) -> None:
        """What a later export leaves empty is empty in the account, unless the destination says that it cannot."""
        trial = bench(typical())
        need_kind(trial, "contact", "phone")
        trial.finished()
        trial.give(changed(typical(), "contacts", "1", phone=None))

        trial.check(trial.until_done())

    @check("W12", "silver")
    def test_a_link_can_be_taken_away(self, bench: Bench) -> None:
        """Where a later export names nobody any more, the link is gone from the account."""
        trial = bench(typical())
        fields = [name for name in ("company", "boss") if f"@{name}" in trial.holds.get("contact", ())]
        if not fields:
            does_not_apply("a contact that it holds leads to no company and no boss")
        trial.finished()
        trial.give(changed(typical(), "contacts", "1", **{f"{name}_id": None for name in fields}))
        trial.until_done()
        held = trial.values_of("contact", ANN)

        left = [name for name in fields if held.get(f"@{name}")]
        assert not left, (
            f"{ANN}: a later export names no {' and no '.join(left)}, and the link is still there: an update with the "
            'link "" clears it'
        )

    @check("W13", "silver")
    def test_records_are_known_by_their_key_alone(self, bench: Bench) -> None:
        """Two records that look alike are two, and a second run knows each of them again."""
        trial = bench(contacts({"1": "Ann", "2": "Ann", "3": "Ann"}))
        trial.check(trial.until_done())
        writes = trial.account.writes
        trial.check(trial.until_done())

        more = trial.account.writes - writes
        assert not more, f"a second run of the same export wrote {more} times: each record is known by its own key"

    @check("W13", "gold")
    def test_a_record_that_somebody_deleted_is_not_made_twice(self, bench: Bench) -> None:
        """What a person deleted in the account is told, and neither doubled nor taken for another."""
        trial = bench(typical())
        need_kind(trial, "contact", "phone")
        trial.finished()
        need(trial.account, Touched).remove("contact", key("contacts", "7"))
        trial.give(changed(typical(), "contacts", "7", phone="+49 30 9"))
        report = trial.finished()
        gus = key("contacts", "7")
        times = [one.name for one in trial.picture()].count(gus)
        told = sum(counts["conflicts"] for counts in report.objects.values())

        assert times <= 1, f"a person deleted {gus}, and after a run that changes it, it is there {times} times"
        assert told or times, (
            f"a person deleted {gus}, and a run that changes it neither tells of a conflict nor makes it anew: apply() "
            "answers an update of what is gone with Rejected, and get_many() leaves it out"
        )

    @check("W14", "silver")
    def test_one_record_that_is_refused_holds_up_no_other(self, bench: Bench) -> None:
        """A record that the account refuses is rejected with a code; those around it are there."""
        refused = key("contacts", "4")
        trial = bench(many(9), refused=frozenset({refused}))
        report = trial.until_done()

        trial.check(report)
        rejected = report.streams["contacts"]["rejected"]
        assert rejected == 1, f"the account refuses one of nine contacts, and {rejected} were told as rejected"


def _is_there_or_told(bench: Bench, rows: Rows, name: str, what: str) -> None:
    """Fail unless a file is there or among the rejected ones, and everything else is as it must be."""
    trial = bench(rows)
    need_kind(trial, "memo")
    report = trial.until_done()
    rejected = report.streams["memos"]["rejected"]
    if name in [one.name for one in trial.picture()]:
        trial.check(report)
        for sent, outcome in done(trial, "create"):
            if sent.key == key("memos", "m0"):
                _has_its_bytes(trial, sent, outcome)
        return
    others = [line for line in trial.differences() if name not in line]
    assert rejected == 1, (
        f"{what} is not in the account, and {rejected} memos were told as rejected: apply() answers Rejected with a "
        "code, or keeps the file"
    )
    assert not others, f"{what} was rejected, and others are not as they must be: {'; '.join(others[:4])}. {LOOK}"


def enumerate_names(names: object) -> list[tuple[str, str]]:
    """Return ids for names."""
    return [(str(number), str(name)) for number, name in enumerate(list(names), 1)]  # type: ignore[call-overload]


def _names(trial: Trial) -> list[str]:
    items = trial.talk(lambda writer: _schema(writer))
    return sorted(items)


async def _schema(writer: Writer) -> list[str]:
    return [item.key for item in await writer.schema()]


def _is_whole_or_refused(trial: Trial, sent: Operation, field: str, limit: int) -> None:
    """Send a record with a text past its limit, and look at what became of it."""
    text = "".join(chr(97 + number % 26) for number in range(limit + 1))
    longer = replace(sent, id=9100 + limit, key=f"{sent.key}-{field}", fields={**sent.fields, field: text})
    (outcome,) = trial.talk(lambda writer: writer.apply([longer]))
    if outcome.error is not None:
        assert isinstance(outcome.error, Rejected), (
            f"{sent.object}.{field}: a text past {limit} characters is answered with "
            f"{type(outcome.error).__name__}, and what cannot be stored is Rejected"
        )
        return
    held = trial.talk(lambda writer: writer.get_many(sent.object, [outcome.destination_id or ""]))
    assert held, f"{sent.object}: a record was created, and get_many() does not find it by the id of its outcome"
    kept = len(str(held[0].fields.get(field)))
    assert text in str(held[0].fields.get(field)), (
        f"{sent.object}.{field}: of a text of {limit + 1} characters {kept} are there; refuse it with Rejected, or "
        "store it whole"
    )


def _has_its_bytes(trial: Trial, sent: Operation, outcome: Outcome) -> None:
    size = int(str(sent.fields["size"]))

    async def read(writer: Writer) -> str:
        return await writer.file_sha256(outcome.destination_id or "") if isinstance(writer, FileHashing) else ""

    found = trial.talk(read)
    wanted = hashlib.sha256(b"m" * size).hexdigest()
    assert found in ("", wanted), (
        f"{sent.key}: file_sha256() gives {found[:12]}, and the {size} bytes of the source have {wanted[:12]}"
    )
