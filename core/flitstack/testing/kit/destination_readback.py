"""What a destination holds after a migration is what was to be there: everything once, exactly, and linked right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flitstack.protocols import FileHashing, full_key
from flitstack.testing.kit.bench import DestinationBench, key, need_kind
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.loads import SPECIAL, UNICODE, changed, company, contact, contacts, many, typical
from flitstack.testing.kit.port import Touched, need
from flitstack.testing.kit.suite import does_not_apply

if TYPE_CHECKING:
    from flitstack.protocols import Operation, Outcome, Stored, Writer
    from flitstack.testing.kit.bench import Bench
    from flitstack.testing.kit.trial import Trial

ANN = key("contacts", "1")
LONG = 2_000


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
        trial.run()
        for object_ in _record_objects(trial):
            there = [one.id for one in _listed(trial, object_)]
            made = {o.destination_id for p, o in _done(trial, "create") if p.object == object_}
            assert len(there) == len(set(there)), f"a list of {object_} gives a record twice"
            assert made <= set(there), f"a list of {object_} leaves records out"

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
        trial.run()
        tried = 0
        for name, behaviour in trial.behaviours.objects.items():
            sent = next((p for p, _ in _done(trial, "create") if p.object == name), None)
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
        trial.run()
        made = _names(trial)
        trial.give(changed(typical(), "contacts", "1", phone="+49 30 9"))
        trial.run()

        assert len(made) == len(set(made)), "a schema item is there twice"
        assert _names(trial) == made, "a later run changed which schema items there are"

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
            assert report.streams["visits"]["rejected"] == 1, "an orphan was not rejected"

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
        uploads = [(p, o) for p, o in _done(trial, "create") if p.key.startswith("memory:memos:")]
        assert uploads, "no file was uploaded"
        for sent, outcome in uploads:
            _has_its_bytes(trial, sent, outcome)

    @check("W11", "silver")
    def test_an_update_touches_what_changed_alone(self, bench: Bench) -> None:
        """A later export that changes one field leaves alone what a person wrote into another."""
        trial = bench(typical())
        need_kind(trial, "contact", "phone")
        trial.run()
        need(trial.account, Touched).edit("contact", ANN, "name", "Ann the Elder")
        trial.give(changed(typical(), "contacts", "1", phone="+49 30 9"))
        trial.run()
        held = dict(next(one for one in trial.picture() if one.name == ANN).values)

        assert held["phone"] == "+49 30 9", "the change did not arrive"
        assert held["name"] == "Ann the Elder", "what a person wrote was written over"

    @check("W12", "silver")
    def test_a_field_can_be_emptied(self, bench: Bench) -> None:
        """What a later export leaves empty is empty in the account, unless the destination says that it cannot."""
        trial = bench(typical())
        need_kind(trial, "contact", "phone")
        trial.run()
        trial.give(changed(typical(), "contacts", "1", phone=None))

        trial.check(trial.until_done())

    @check("W13", "silver")
    def test_records_are_known_by_their_key_alone(self, bench: Bench) -> None:
        """Two records that look alike are two, and a second run knows each of them again."""
        trial = bench(contacts({"1": "Ann", "2": "Ann", "3": "Ann"}))
        trial.check(trial.until_done())
        writes = trial.account.writes
        trial.check(trial.until_done())

        assert trial.account.writes == writes, "a second run of the same export wrote"

    @check("W13", "gold")
    def test_a_record_that_somebody_deleted_is_not_made_twice(self, bench: Bench) -> None:
        """What a person deleted in the account is told, and neither doubled nor taken for another."""
        trial = bench(typical())
        need_kind(trial, "contact", "phone")
        trial.run()
        need(trial.account, Touched).remove("contact", key("contacts", "7"))
        trial.give(changed(typical(), "contacts", "7", phone="+49 30 9"))
        report = trial.run()
        there = [one.name for one in trial.picture()]

        assert report is not None
        assert there.count(key("contacts", "7")) <= 1
        assert sum(counts["conflicts"] for counts in report.objects.values()) or key("contacts", "7") in there

    @check("W14", "silver")
    def test_one_record_that_is_refused_holds_up_no_other(self, bench: Bench) -> None:
        """A record that the account refuses is rejected with a code; those around it are there."""
        refused = key("contacts", "4")
        trial = bench(many(9), refused=frozenset({refused}))
        report = trial.until_done()

        trial.check(report)
        assert report.streams["contacts"]["rejected"] == 1, "the refused record is not among the rejected ones"

    @check("B1", "silver")
    def test_the_key_is_where_it_is_declared_to_be(self, bench: Bench) -> None:
        """Every record that was created is listed with its source key, which is how a lost answer is found again."""
        trial = bench(typical())
        trial.run()
        for object_ in _record_objects(trial):
            if trial.behaviours.objects[object_].key_in == "content":
                continue
            keys = {one.id: one.key for one in _listed(trial, object_)}
            for sent, outcome in _done(trial, "create"):
                if sent.object == object_:
                    found = keys.get(outcome.destination_id or "")
                    assert found == full_key(sent.key, sent.part), f"{object_}: a record is listed without its key"

    @check("B2", "silver")
    def test_lists_are_restricted_to_what_changed(self, bench: Bench) -> None:
        """Where it is declared, a list since a time gives what was written since, and nothing older."""
        trial = bench(many(3))
        trial.run()
        since = trial.world.account_clock.now()
        rows = many(4)
        trial.give(changed(rows, "contacts", "1", name="Changed"))
        trial.run()
        object_ = trial.recording.of("create", key("contacts", "4"))[0].object
        if not trial.behaviours.objects[object_].filter_since:
            does_not_apply(f"it declares that a list of {object_} cannot be restricted to a time")
        found = {one.key for one in trial.talk(lambda writer: _list(writer, object_, since)) if one.key}

        wanted = {key("contacts", "1"), key("contacts", "4")}
        assert wanted <= found, f"a list of {object_} since a time leaves out what was written since"
        assert found == wanted, f"a list of {object_} since a time gives what is older"

    @check("B3", "silver")
    def test_deleting_deletes(self, bench: Bench) -> None:
        """A record that was deleted is gone from the account, and neither listed nor found by its id."""
        trial = bench(many(3))
        trial.run()
        sent, outcome = trial.recording.of("create", key("contacts", "2"))
        if "delete" not in trial.behaviours.objects[sent.object].verbs:
            does_not_apply(f"it declares that it deletes no {sent.object}")
        gone = replace(sent, id=9001, verb="delete", fields={}, links={}, destination_id=outcome.destination_id)
        trial.talk(lambda writer: writer.apply([gone]))
        left = trial.talk(lambda writer: writer.get_many(sent.object, [outcome.destination_id or ""]))

        assert key("contacts", "2") not in [one.name for one in trial.picture()], "it is still in the account"
        assert not left, "it is still found by its id"
        assert key("contacts", "2") not in [one.key for one in _listed(trial, sent.object)], "it is still listed"

    @check("B4", "silver")
    def test_records_are_found_by_their_ids(self, bench: Bench) -> None:
        """Of many ids, those that exist are found, as they are, and no other."""
        trial = bench(many(7))
        trial.run()
        made = [(p, o) for p, o in _done(trial, "create") if p.key.startswith("memory:contacts:")]
        ids = [outcome.destination_id or "" for _, outcome in made]
        found = trial.talk(lambda writer: writer.get_many(made[0][0].object, ids[:-1]))

        asked, got = sorted(ids[:-1]), sorted(one.id for one in found)
        assert got == asked, f"{len(asked)} ids were asked for, and not those {len(asked)} records came but {len(got)}"
        known = {p.key for p, o in made if o.destination_id != ids[-1]}
        assert {one.key for one in found} == known, "a record that is found by its id has not its source key"

    @check("B5", "silver")
    def test_lists_go_on_past_the_first_page(self, bench: Bench) -> None:
        """Of more records than a page holds, a list gives every one, once."""
        trial = bench(many(1))
        trial.run()
        object_ = trial.recording.of("create", key("contacts", "1"))[0].object
        size = trial.behaviours.objects[object_].page_size
        if size > 500:
            does_not_apply(f"a page of {size} records is larger than what is tried here")
        trial = bench(many(size + 3))
        trial.run()
        keys = [one.key for one in _listed(trial, object_) if one.key]

        told = f"of {size + 3} records with a source key {len(set(keys))} are listed, {len(keys)} times all together"
        assert len(keys) == len(set(keys)) == size + 3, told

    @check("B6", "silver")
    def test_comparing_is_by_meaning(self, bench: Bench) -> None:
        """What was written and what is read back compare as equal, and a changed text as different."""
        trial = bench(typical())
        trial.run()
        sent, outcome = trial.recording.of("create", ANN)
        (held,) = trial.talk(lambda writer: writer.get_many(sent.object, [outcome.destination_id or ""]))
        writer: Writer = trial.recording.last
        ours = writer.comparable(sent.object, sent.fields)
        theirs = writer.comparable(sent.object, {name: held.fields.get(name) for name in sent.fields})
        text = next(name for name, value in sent.fields.items() if value == "Ann")
        other = writer.comparable(sent.object, {**sent.fields, text: "Somebody else"})

        assert dict(ours) == dict(theirs), "what was written does not compare as what is read back"
        assert dict(other) != dict(ours), "another text compares as the same"


def enumerate_names(names: object) -> list[tuple[str, str]]:
    """Return ids for names."""
    return [(str(number), str(name)) for number, name in enumerate(list(names), 1)]  # type: ignore[call-overload]


def _record_objects(trial: Trial) -> list[str]:
    """Return the objects of which records were created."""
    schema = trial.behaviours.schema_objects
    return sorted({sent.object for sent, _ in _done(trial, "create")} - set(schema))


def _done(trial: Trial, verb: str) -> list[tuple[Operation, Outcome]]:
    return [(p, o) for p, o in trial.recording.applied if p.verb == verb and o.error is None]


async def _list(writer: Writer, object_: str, since: object = None) -> list[Stored]:
    return [one async for one in writer.list(object_, since=since)]  # type: ignore[arg-type]


def _listed(trial: Trial, object_: str) -> list[Stored]:
    return trial.talk(lambda writer: _list(writer, object_))


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
        assert type(outcome.error).__name__ == "Rejected", f"{sent.object}.{field}: {type(outcome.error).__name__}"
        return
    (held,) = trial.talk(lambda writer: writer.get_many(sent.object, [outcome.destination_id or ""]))
    assert text in str(held.fields.get(field)), f"{sent.object}.{field}: a text past {limit} characters was cut"


def _has_its_bytes(trial: Trial, sent: Operation, outcome: Outcome) -> None:
    import hashlib

    size = int(str(sent.fields["size"]))

    async def read(writer: Writer) -> str:
        return await writer.file_sha256(outcome.destination_id or "") if isinstance(writer, FileHashing) else ""

    found = trial.talk(read)
    assert found in ("", hashlib.sha256(b"m" * size).hexdigest()), "a file has other bytes than it had"
