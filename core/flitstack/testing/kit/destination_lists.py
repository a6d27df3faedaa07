"""What a destination reads of its account: lists, records by their ids, and what compares as the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flitstack.protocols import full_key
from flitstack.testing.kit.bench import DestinationBench, key, need_kind
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.loads import changed, contact, many, typical
from flitstack.testing.kit.suite import does_not_apply
from flitstack.testing.kit.talking import done, list_of, listed, record_objects

if TYPE_CHECKING:
    from flitstack.protocols import Writer
    from flitstack.testing.kit.bench import Bench
    from flitstack.testing.kit.trial import Trial
    from flitstack.testing.simulation.exports import Rows

ANN = key("contacts", "1")
LONG = "Annabelle Whose Name Is Somewhat Longer Than Most Are Ended"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contacts that differ in one field, and how they do."""

    field: str
    one: str
    other: str
    how: str

    def rows(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the two, each under a letter."""
        return [
            (side, contact(**{"name": LONG, self.field: value}))
            for side, value in zip("ab", (self.one, self.other), strict=True)
        ]


ALIKE = (
    Pair("name", LONG, LONG[:-1] + "x", "in their last letter"),
    Pair("name", LONG, LONG.upper(), "in upper and lower case"),
    Pair("score", "12.5", "12.25", "in their second place"),
    Pair("born", "1980-02-29", "1980-03-01", "by a day"),
    Pair("since", "2026-03-29T00:30:00Z", "2026-03-29T00:31:00Z", "by a minute"),
)


def _keyed(trial: Trial) -> list[str]:
    """Return the objects whose records are listed with a source key; content alone names no record."""
    return [one for one in record_objects(trial) if trial.behaviours.objects[one].key_in != "content"]


class ListsPart(DestinationBench):
    """B1 to B6."""

    kind = "destination"

    @check("B1", "silver")
    def test_the_key_is_where_it_is_declared_to_be(self, bench: Bench) -> None:
        """Every record that was created is listed with its source key, which is how a lost answer is found again."""
        trial = bench(typical())
        trial.finished()
        for object_ in _keyed(trial):
            keys = {one.id: one.key for one in listed(trial, object_)}
            for sent, outcome in done(trial, "create"):
                if sent.object == object_:
                    found = keys.get(outcome.destination_id or "")
                    wanted = full_key(sent.key, sent.part)
                    assert found == wanted, (
                        f"{object_}: the record of {wanted} is listed with the key {found!r}, and key_in is "
                        f'"{trial.behaviours.objects[object_].key_in}": see list(), and what a create writes there'
                    )

    @check("B1", "silver")
    def test_a_change_leaves_the_key_where_it_is(self, bench: Bench) -> None:
        """A record that an update changed is still listed with its source key, a text that carries it too."""
        trial = bench(typical())
        trial.finished()
        trial.give(_all_changed())
        trial.finished()
        updated = {(p.object, o.destination_id or p.destination_id): p for p, o in done(trial, "update")}
        objects = {object_ for object_, _ in updated} & set(_keyed(trial))
        for object_ in sorted(objects):
            for one in listed(trial, object_):
                if sent := updated.get((object_, one.id)):
                    wanted = full_key(sent.key, sent.part)
                    assert one.key == wanted, (
                        f"{object_}: after an update the record of {wanted} is listed with the key {one.key!r}, and "
                        f'key_in is "{trial.behaviours.objects[object_].key_in}": an update of the text that carries '
                        "the key writes it again"
                    )

    @check("B1", "silver")
    def test_a_further_part_has_a_key_of_its_own(self, bench: Bench) -> None:
        """A record that is one of several parts of its source record is listed with the part in its key."""
        trial = bench(many(1))
        trial.finished()
        sent, _ = trial.recording.of("create", ANN)
        second = replace(sent, id=9003, part="2")
        (outcome,) = trial.talk(lambda writer: writer.apply([second]))
        if outcome.error is not None:
            does_not_apply(f"a second {sent.object} like the first is refused")
        keys = {one.id: one.key for one in listed(trial, sent.object)}
        wanted = full_key(sent.key, "2")
        found = keys.get(outcome.destination_id or "")
        assert found == wanted, (
            f"{sent.object}: the second part of {sent.key} is listed with the key {found!r} and must have {wanted!r}: "
            "write and read full_key(operation.key, operation.part)"
        )

    @check("B2", "silver")
    def test_lists_are_restricted_to_what_changed(self, bench: Bench) -> None:
        """Where it is declared, a list since a time gives what was written since, and nothing older."""
        trial = bench(many(3))
        trial.finished()
        since = trial.world.account_clock.now()
        rows = many(4)
        trial.give(changed(rows, "contacts", "1", name="Changed"))
        trial.finished()
        object_ = trial.recording.of("create", key("contacts", "4"))[0].object
        if not trial.behaviours.objects[object_].filter_since:
            does_not_apply(f"it declares that a list of {object_} cannot be restricted to a time")
        found = {one.key for one in trial.talk(lambda writer: list_of(writer, object_, since)) if one.key}

        wanted = {key("contacts", "1"), key("contacts", "4")}
        left, older = sorted(wanted - found), sorted(found - wanted)
        assert not left, f"a list of {object_} since a time leaves out {', '.join(left)}, written since"
        assert not older, (
            f"a list of {object_} since a time gives {', '.join(older)}, which are older: restrict it, or declare "
            "filter_since=False"
        )

    @check("B3", "silver")
    def test_deleting_deletes(self, bench: Bench) -> None:
        """A record that was deleted is gone from the account, and neither listed nor found by its id."""
        trial = bench(many(3))
        trial.finished()
        sent, outcome = trial.recording.of("create", key("contacts", "2"))
        if "delete" not in trial.behaviours.objects[sent.object].verbs:
            does_not_apply(f"it declares that it deletes no {sent.object}")
        gone = replace(sent, id=9001, verb="delete", fields={}, links={}, destination_id=outcome.destination_id)
        trial.talk(lambda writer: writer.apply([gone]))
        left = trial.talk(lambda writer: writer.get_many(sent.object, [outcome.destination_id or ""]))

        bob = key("contacts", "2")
        said = f"apply() deleted {bob} ({sent.object}), and"
        assert bob not in [one.name for one in trial.picture()], f"{said} the port's picture() still shows it"
        assert not left, f"{said} get_many() still finds it by its id"
        assert bob not in [one.key for one in listed(trial, sent.object)], f"{said} list() still gives it"

    @check("B4", "silver")
    def test_records_are_found_by_their_ids(self, bench: Bench) -> None:
        """Of many ids, those that exist are found, as they are, and no other."""
        trial = bench(many(7))
        trial.finished()
        made = [(p, o) for p, o in done(trial, "create") if p.key.startswith("memory:contacts:")]
        ids = [outcome.destination_id or "" for _, outcome in made]
        found = trial.talk(lambda writer: writer.get_many(made[0][0].object, ids[:-1]))

        known = {outcome.destination_id: sent.key for sent, outcome in made}
        told = f"get_many() was asked for {len(ids) - 1} ids of {made[0][0].object}"
        absent = sorted(known[one] for one in set(ids[:-1]) - {one.id for one in found})
        more = sorted(str(known.get(one.id, one.id)) for one in found if one.id not in ids[:-1])
        assert not absent, f"{told}, and left out {', '.join(absent)}: all that exist are found"
        assert not more, f"{told}, and gave {', '.join(more)} too: no other is given"
        assert len(found) == len(ids) - 1, f"{told}, and gave {len(found)} records: each comes once"
        for one in found:
            assert one.key == known[one.id], f"{told}, and gave {known[one.id]} with the source key {one.key!r}"

    @check("B5", "silver")
    def test_lists_go_on_past_the_first_page(self, bench: Bench) -> None:
        """Of more records than a page holds, a list gives every one, once."""
        trial = bench(many(1))
        trial.finished()
        object_ = trial.recording.of("create", key("contacts", "1"))[0].object
        size = trial.behaviours.objects[object_].page_size
        if size > 500:
            does_not_apply(f"a page of {size} records is larger than what is tried here")
        trial = bench(many(size + 3))
        trial.finished()
        keys = [one.key for one in listed(trial, object_) if one.key]

        assert len(keys) == len(set(keys)) == size + 3, (
            f"of {size + 3} {object_} records with a source key {len(set(keys))} are listed, {len(keys)} times all "
            f"together, and each must be once: list() goes on past the first page of {size}"
        )

    @check("B6", "silver")
    def test_comparing_is_by_meaning(self, bench: Bench) -> None:
        """What was written and what is read back compare as equal, and a changed text as different."""
        trial = bench(typical())
        trial.finished()
        sent, outcome = trial.recording.of("create", ANN)
        found = trial.talk(lambda writer: writer.get_many(sent.object, [outcome.destination_id or ""]))
        assert found, f"{ANN} was created, and get_many() does not find it by the id of its outcome"
        held = found[0]
        writer: Writer = trial.recording.last
        ours = writer.comparable(sent.object, sent.fields)
        theirs = writer.comparable(sent.object, {name: held.fields.get(name) for name in sent.fields})
        texts = [name for name, value in sent.fields.items() if value == "Ann"]
        assert texts, f"no field of {ANN} was written as `Ann`, the contact's name: the port's template maps it"
        text = texts[0]
        other = writer.comparable(sent.object, {**sent.fields, text: "Somebody else"})

        differ = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
        assert not differ, (
            f"{sent.object}: {', '.join(differ)} as written and as read back are not the same for comparable(); it "
            "brings both into one form"
        )
        assert dict(other) != dict(ours), (
            f"{sent.object}.{text}: two different texts are the same for comparable(), so no change would be found"
        )

    @check("B6", "silver")
    def test_what_the_account_keeps_apart_differs(self, bench: Bench) -> None:
        """Values that the account keeps apart, by letter case or a last digit alone, compare as different."""
        trial = bench({"contacts": {f"{n}{side}": row for n, pair in enumerate(ALIKE) for side, row in pair.rows()}})
        need_kind(trial, "contact", "name")
        trial.finished()
        created = {sent.key: sent for sent, _ in done(trial, "create")}
        writer: Writer = trial.recording.last
        for number, pair in enumerate(ALIKE):
            names = [key("contacts", f"{number}{side}") for side, _ in pair.rows()]
            kept = [trial.values_of("contact", name).get(pair.field) for name in names if name in created]
            if pair.field not in trial.holds["contact"] or len(set(kept)) < 2:
                continue  # refused, or the same for the account itself
            first, other = (created[name] for name in names)
            ours, theirs = (writer.comparable(sent.object, sent.fields) for sent in (first, other))
            assert dict(ours) != dict(theirs), (
                f"{first.object}, what came of {pair.field}: values that differ {pair.how} are the same for "
                "comparable(), and the account keeps them apart: what somebody changes there would not be found"
            )


def _all_changed() -> Rows:
    """Return the typical export with a text of every kind of record changed."""
    rows = changed(typical(), "companies", "1", name="Ace of Spades")
    rows = changed(rows, "contacts", "1", name="Ann the Elder")
    rows = changed(rows, "visits", "v1", note="first, and later more")
    return changed(rows, "tasks", "t1", what="sweep well")
