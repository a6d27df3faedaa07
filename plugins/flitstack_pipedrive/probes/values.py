"""Questions about values: what empties a field, and which fields and options an account takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.protocols import Probe, ProbeAnswer
from flitstack_pipedrive.probes.desk import Question, blames, took

if TYPE_CHECKING:
    from flitstack_pipedrive.probes.desk import Desk

NUMBER = [{"value": "555-0100", "label": "work", "primary": True}]
UNSEEN = {"add_visible_flag": False, "details_visible_flag": False}
FIELD = {"field_type": "varchar", "ui_visibility": UNSEEN}
EMPTIED: dict[str, tuple[str, str, Any]] = {
    "deal.expected_close_date": ("deal", "expected_close_date", "2031-02-03"),
    "activity.due_date": ("activity", "due_date", "2031-02-03"),
    "activity.note": ("activity", "note", "x"),
}


async def empty_phones(desk: Desk) -> ProbeAnswer:
    """Create a person with an empty list of phones, and empty the list of another."""
    created = await desk.make("person", {"phones": []})
    if created.id is None and not blames(created.answer, "phones"):
        return ProbeAnswer(None, "the person was refused for another reason")
    other = await desk.make("person", {"phones": NUMBER})
    id = other.needed()
    answer = await desk.update("person", id, {"phones": []})
    phones = (await desk.read("person", id) or {}).get("phones") or []
    emptied = "refused" if not took(answer) else "ignored" if any(one.get("value") for one in phones) else "cleared"
    value = {"create": "refused" if created.id is None else "accepted", "update": emptied}
    changes = "" if emptied == "cleared" else "finding: a person whose last number goes keeps it in the account"
    return ProbeAnswer(dict(value), f"create {value['create']}, update {emptied}", changes)


async def empty_natives(desk: Desk) -> ProbeAnswer:
    """Try to empty Pipedrive's own fields with "" and with null."""
    found: dict[str, dict[str, str]] = {}
    for name, (object, key, full) in EMPTIED.items():
        made = await desk.make(object, {key: full})
        id = made.needed()
        found[name] = {}
        for word, empty in (("empty", ""), ("null", None)):
            await desk.update(object, id, {key: full})
            answer = await desk.update(object, id, {key: empty})
            now = (await desk.read(object, id) or {}).get(key)
            found[name][word] = "refused" if not took(answer) else "cleared" if not now else _left(now, full)
    words = "; ".join(f'{name}: "" {one["empty"]}, null {one["null"]}' for name, one in found.items())
    stored = any("stored" in one.values() for one in found.values())
    return ProbeAnswer(dict(found), words, 'finding: "" is stored as a value; flit does not send it' if stored else "")


def _left(now: Any, full: Any) -> str:
    return "ignored" if now == full else "stored"


async def contact_fields(desk: Desk) -> ProbeAnswer:
    """Create a person with a birthday, which only accounts with contact sync have."""
    made = await desk.make("person", {"birthday": "2001-02-03"})
    if made.id is None and not blames(made.answer, "birthday", "contact sync"):
        return ProbeAnswer(None, f"the person was refused for another reason ({made.answer.status})")
    if made.id is None:
        return ProbeAnswer("refused", f"refused ({made.answer.status})", "nothing: flit keeps it in Date_Of_Birth__c")
    kept = (await desk.read("person", made.id) or {}).get("birthday") == "2001-02-03"
    return ProbeAnswer("stored" if kept else "dropped", "stored" if kept else "dropped without a word", "")


async def repeated_options(desk: Desk) -> ProbeAnswer:
    """Create a field with one label twice."""
    labels = [{"label": "Same"}, {"label": "Same"}]
    made = await desk.make("field", {**FIELD, "field_type": "enum", "options": labels})
    if made.id is None:
        refused = blames(made.answer, "option", "label")
        return ProbeAnswer("refused", "refused") if refused else ProbeAnswer(None, _no_field(made.answer.status))
    count = len(made.data.get("options") or ())
    found = "kept" if count == 2 else "merged"
    changes = "finding: choose options in the account by hand only" if found == "kept" else ""
    return ProbeAnswer(found, {"kept": "two options", "merged": "one option"}[found], changes)


async def repeated_names(desk: Desk) -> ProbeAnswer:
    """Create two fields of one name."""
    first = await desk.make("field", FIELD)
    if first.id is None:
        return ProbeAnswer(None, _no_field(first.answer.status))
    second = await desk.make("field", FIELD, name=first.name)
    if second.id is None:
        refused = blames(second.answer, "name", "taken", "exist")
        return ProbeAnswer("refused", "refused") if refused else ProbeAnswer(None, _no_field(second.answer.status))
    same = second.data.get("field_name") == first.name
    return ProbeAnswer("kept" if same else "renamed", "two fields of one name" if same else "the second is renamed")


async def required_fields(desk: Desk) -> ProbeAnswer:
    """Create a required field and a person without it."""
    field = await desk.make("field", {**FIELD, "required_fields": {"enabled": True}})
    if field.id is None:
        return ProbeAnswer(None, _no_field(field.answer.status))
    person = await desk.make("person", {})
    if person.id is not None:
        return ProbeAnswer("ignored", "a record may lack it")
    if blames(person.answer, field.id, field.name, "required"):
        return ProbeAnswer("enforced", "a record without it is refused", "make no field required before the migration")
    return ProbeAnswer(None, f"the person was refused for another reason ({person.answer.status})")


def _no_field(status: int) -> str:
    return f"the account took no field for trying ({status}); the plan may have no room for one"


QUESTIONS = (
    Question(Probe("empty_phones", "Does an empty list clear phones?", {"person": 2}, 30), empty_phones),
    Question(
        Probe("empty_natives", 'What do "" and null do to built-in fields?', {"deal": 1, "activity": 2}, 100),
        empty_natives,
    ),
    Question(Probe("contact_fields", "Has a person a birthday of its own?", {"person": 1}, 10), contact_fields),
    Question(
        Probe("repeated_options", "What becomes of an option label given twice?", {"field": 1}, 28), repeated_options
    ),
    Question(Probe("repeated_names", "May two fields have one name?", {"field": 2}, 56), repeated_names),
    Question(
        Probe(
            "required_fields",
            "Is a record without a required field refused?",
            {"field": 1, "person": 1},
            37,
            on_request=True,
            warning="for a few seconds a new person in the web page needs a field that nobody knows",
        ),
        required_fields,
    ),
)
