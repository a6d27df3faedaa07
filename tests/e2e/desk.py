"""The front desk: people who work in an account while a migration goes on, and what they must find there after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack.errors import UsageError
from flitstack_pipedrive.sandbox.dump import fields_of
from flitstack_pipedrive.sandbox.hand import PATHS, Hand

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

    from flitstack_pipedrive.sandbox.app import Sandbox

Doc: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str, Any]
Deed: TypeAlias = "Callable[[Desk], object]"

KEY_FIELD, BIRTH_FIELD = "Source_System_ID__c", "Date_Of_Birth__c"
MARK = "flit-id: "
PIPELINE = "Treatment Plans"


@dataclass(slots=True)
class Desk:
    """Somebody at work in one account: does what is to be done once so many requests came, as the sandbox's human.

    :param steps: (requests, what is to be done then), the earliest first.
    :param known: label to the record that people call so; of the records from before `before/NUMBER`.
    :param typed: what people typed into a record and nobody else may change; None once they deleted it.
    :param changed, hung: records of ours that they changed, and on which they hung something.
    :param beside: what they hung on records of ours.
    :param shown: records of ours that a run has read back: only of these can it tell later who changed them.
    """

    sandbox: Sandbox
    known: dict[str, Place] = field(default_factory=dict)
    typed: dict[Place, Doc | None] = field(default_factory=dict)
    changed: set[Place] = field(default_factory=set)
    hung: set[Place] = field(default_factory=set)
    beside: list[Place] = field(default_factory=list)
    shown: set[Place] = field(default_factory=set)
    steps: list[tuple[int, Deed]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _since: int = 0

    @property
    def hand(self) -> Hand:
        """The hand of an admin."""
        return Hand(self.sandbox.account, next(iter(self.sandbox.account.members.values())))

    def docs(self, kind: str) -> list[Doc]:
        """Return the live records of an object, by id."""
        return self.sandbox.account.store.docs(kind)

    # --- when ---

    def plan(self, deeds: Iterable[Deed], within: int, chance: random.Random) -> None:
        """Do these, in this order, while the next so many requests come."""
        deeds = list(deeds)
        moments = sorted(chance.randint(1, within) for _ in deeds)
        self._since = self.sandbox.front.traffic.total
        self.steps = list(zip(moments, deeds, strict=True))

    def act(self, account: object, requests: int) -> None:
        """Do what is due; called by the sandbox with each request."""
        while self.steps and requests - self._since >= self.steps[0][0]:
            self.do(self.steps.pop(0)[1])

    def finish(self) -> None:
        """Do the rest."""
        while self.steps:
            self.do(self.steps.pop(0)[1])

    def do(self, deed: Deed) -> None:
        """Do one thing."""
        try:
            deed(self)
        except UsageError as exc:
            self.errors.append(str(exc))

    # --- what ---

    def add(self, label: str, kind: str, item: Doc) -> Place:
        """Add a record of their own."""
        place = kind, self.hand.add(kind, item)["id"]
        self.known[label] = place
        self._remember(place, item)
        return place

    def edit(self, place: Place, item: Doc) -> None:
        """Change a record."""
        self.hand.edit(*place, item)
        self._remember(place, item)

    def delete(self, place: Place) -> None:
        """Delete a record."""
        self.hand.delete(*place)
        self.typed[place] = None

    def _remember(self, place: Place, item: Doc) -> None:
        stored = self._stored(place)
        assert stored is not None
        typed = self.typed.get(place) or {}
        self.typed[place] = typed
        for key in item:
            if key == "fields":
                codes = {doc["field_name"]: code for code, doc in fields_of(self.sandbox.account, place[0]).items()}
                typed.update((codes[name], stored["custom_fields"][codes[name]]) for name in item[key])
            elif key not in ("person", "person_id", "deal_id", "participants"):
                typed[key] = stored[key]

    def _stored(self, place: Place) -> Doc | None:
        docs = self.sandbox.account.store.docs(place[0], [("id = ?", (place[1],)), ("deleted = 0", ())])
        return docs[0] if docs else None

    def lost(self) -> list[str]:
        """Return in words what they typed and the account no longer holds, or holds although they deleted it."""
        here = {(kind, doc["id"]): doc for kind in PATHS for doc in self.docs(kind)}
        words: list[str] = []
        for place, typed in self.typed.items():
            stored = here.get(place)
            if (stored is None) != (typed is None):
                words.append(f"{place} is {'gone' if stored is None else 'back'}")
            elif stored is not None and typed is not None:
                held = {**stored, **(stored.get("custom_fields") or {})}
                words += [f"{place} {key}" for key, value in typed.items() if held.get(key) != value]
        return words

    # --- on records of ours ---

    def ours(self, kind: str) -> list[Place]:
        """Return the records that the migration made, but for those that people touched already."""
        code = next((c for c, doc in self._fields(kind).items() if doc["field_name"] == KEY_FIELD), "")
        before = set(self.known.values())
        found = []
        for doc in self.docs(kind):
            text = doc.get("content") or doc.get("note") or ""
            key = (doc.get("custom_fields") or doc).get(code) if code else MARK in text
            if key and (kind, doc["id"]) not in before:
                found.append((kind, doc["id"]))
        return [place for place in found if place not in self.changed | self.hung | self.typed.keys()]

    def adopted(self) -> list[Place]:
        """Return the people who were here before and carry our key now, but for those that people touched in ours."""
        code = next((c for c, doc in self._fields("person").items() if doc["field_name"] == KEY_FIELD), "")
        before = set(self.known.values())
        places = [("person", d["id"]) for d in self.docs("person") if (d.get("custom_fields") or {}).get(code)]
        return [place for place in places if place in before - self.changed]

    def look(self) -> None:
        """Note what of ours has been read back by now."""
        kinds = ("person", "organization", "deal", "activity", "note")
        self.shown = {place for kind in kinds for place in self.ours(kind)} | set(self.adopted())

    def _fields(self, kind: str) -> dict[str, Doc]:
        return fields_of(self.sandbox.account, kind) if kind in ("person", "organization", "deal") else {}

    def change_ours(self, place: Place, item: Doc) -> None:
        """Change a record of ours, or one of theirs in a field of ours."""
        self.edit(place, item)
        self.changed.add(place)

    def remove_ours(self, place: Place, number: int) -> None:
        """Delete a record of ours."""
        self.delete(place)

    def hang(self, place: Place, kind: str, item: Doc) -> None:
        """Hang something on a record of ours."""
        self.beside.append(self.add(f"beside/{len(self.beside)}", kind, item))
        self.hung.add(place)


@dataclass(slots=True)
class Book:
    """What people at the practice do with their own records; it goes the same way in every account of theirs.

    :param people: labels of people in the account. :param pages: label of what hangs on one of them to that one's.
    :param empties: they also empty fields; before a person is adopted, what is empty is there to be filled.
    """

    chance: random.Random
    people: list[str]
    pages: dict[str, tuple[str, str]] = field(default_factory=dict)
    written: list[Deed] = field(default_factory=list)
    empties: bool = False
    _number: int = 0

    def next_deeds(self, count: int) -> list[Deed]:
        """Return so many things to do, which hold in this order."""
        deeds = [self._next() for _ in range(count)]
        self.written += deeds
        return deeds

    def _next(self) -> Deed:
        self._number += 1
        number, chance = self._number, self.chance
        who, turn = chance.choice(self.people), chance.randrange(12)
        if turn < 4:
            item = self._about(who, turn)
            return lambda desk: desk.edit(desk.known[who], item)
        if turn < 8 or not self.pages:
            kind = ("note", "activity", "deal")[turn % 3]
            label, item = f"{kind}/{number}", page_of(kind, f"Theirs {number}")
            self.pages[label] = kind, who
            return lambda desk: desk.add(label, kind, {**item, **hung_on(kind, desk.known[who])})
        if turn == 8:
            label, body = f"own/{number}", {"name": f"Walk-In {number}"}
            self.people.append(label)
            return lambda desk: desk.add(label, "person", body)
        page = chance.choice(list(self.pages))
        kind, _ = self.pages[page]
        if turn == 9:
            item = page_of(kind, f"Theirs again {number}")
            return lambda desk: desk.edit(desk.known[page], item)
        if turn == 10:
            del self.pages[page]
            return lambda desk: desk.delete(desk.known[page])
        return self._send_away(who)

    def _about(self, who: str, turn: int) -> Doc:
        number = self._number
        phone = {"value": f"(412) 555-{number:04d}", "label": "work", "primary": True}
        mail = {"value": f"desk{number}@post.example", "label": "home", "primary": True}
        items: list[Doc] = [{"name": f"Renamed {number}"}, {"phones": [phone]}, {"emails": [mail]}, {"phones": []}]
        return items[turn if turn < 3 or self.empties else 0]

    def _send_away(self, who: str) -> Deed:
        """Return what deletes a person; what hung on them is nobody's business any more."""
        self.people.remove(who)
        pages = [page for page, (_, whose) in self.pages.items() if whose == who]
        for page in pages:
            del self.pages[page]

        def deed(desk: Desk) -> None:
            for label in pages:
                desk.delete(desk.known[label])
            desk.delete(desk.known[who])

        return deed


def page_of(kind: str, words: str) -> Doc:
    """Return what hangs on a person."""
    return {"note": {"content": words}, "activity": {"subject": words}, "deal": {"title": words}}[kind]


def hung_on(kind: str, place: Place) -> Doc:
    """Return what links it to a record."""
    if place[0] == "deal":
        return {"deal_id": place[1]}
    return {"participants": [{"person_id": place[1], "primary": True}]} if kind == "activity" else {
        "person_id": place[1]
    }  # fmt: skip


def on_ours(turn: int, number: int, chance: random.Random) -> Deed:
    """Return one thing that people do to a record of ours, whichever there is by then; nothing when there is none."""

    def deed(desk: Desk) -> None:
        kind, does = MEDDLING[turn % len(MEDDLING)]
        places = desk.adopted() if kind == "adopted" else desk.ours(kind)
        if does not in HANGING:
            places = [place for place in places if place in desk.shown]
        if places:
            does(desk, chance.choice(places), number)

    return deed


def _phone(desk: Desk, place: Place, number: int) -> None:
    phone = {"value": f"(513) 555-{number:04d}", "label": "home", "primary": True}
    desk.change_ours(place, {"phones": [phone]})


def _born(desk: Desk, place: Place, number: int) -> None:
    desk.change_ours(place, {"fields": {BIRTH_FIELD: f"1999-09-{1 + number % 28:02d}"}})


def _note(desk: Desk, place: Place, number: int) -> None:
    doc = next(doc for doc in desk.docs("note") if doc["id"] == place[1])
    desk.change_ours(place, {"content": f"<p>Seen {number}.</p>{doc['content']}"})


def _text(key: str) -> Callable[[Desk, Place, int], None]:
    return lambda desk, place, number: desk.change_ours(place, {key: f"By hand {number}"})


def _hung(kind: str) -> Callable[[Desk, Place, int], None]:
    def does(desk: Desk, place: Place, number: int) -> None:
        desk.hang(place, kind, {**page_of(kind, f"Hung {number}"), **hung_on(kind, place)})

    return does


def _in_pipeline(desk: Desk, place: Place, number: int) -> None:
    pipeline = next((doc for doc in desk.docs("pipeline") if doc["name"] == PIPELINE), None)
    if pipeline is not None:
        item = {**page_of("deal", f"Hung {number}"), "pipeline_id": pipeline["id"]}
        desk.beside.append(desk.add(f"beside/{len(desk.beside)}", "deal", item))


_hang_note, _hang_activity, _hang_deal = _hung("note"), _hung("activity"), _hung("deal")
HANGING = (_hang_note, _hang_activity, _hang_deal, _in_pipeline)
MEDDLING: tuple[tuple[str, Callable[[Desk, Place, int], None]], ...] = (
    ("person", _phone),
    ("activity", _text("subject")),
    ("person", _hang_note),
    ("deal", _text("title")),
    ("adopted", _born),
    ("note", _note),
    ("person", _hang_activity),
    ("activity", Desk.remove_ours),
    ("deal", _hang_note),
    ("person", _born),
    ("organization", _text("name")),
    ("note", Desk.remove_ours),
    ("person", _hang_deal),
    ("deal", _in_pipeline),
    ("person", Desk.remove_ours),
    ("deal", Desk.remove_ours),
)
"""What people do to our records: the object, and what they do to one of it."""
