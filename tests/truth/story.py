"""Stories: what a source, a practice's people and flit do in turn, drawn so that a failing one shrinks."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

NAMES = ("Ada Orlov", "Bo Quist", "Cy Rand", "Di Sanz")
PHONES = ("+49 30 1", "+49 30 2", "+49 30 3", "+49 30 4")
COMPANIES = ("Falk Ltd", "Sanz GmbH", "Tamm SA")
NOTES = ("check-up", "cleaning", "crown")
VALUES = {
    ("contact", "name"): (*NAMES, "Ada Orlov-Falk"),
    ("contact", "phone"): (*PHONES, None),
    ("company", "name"): COMPANIES,
    ("visit", "note"): NOTES,
}
SIDES = ("source", "account")


@dataclass(frozen=True, slots=True)
class Edit:
    """Somebody changes a field, in the source or in the account; `which` picks among the records there are."""

    side: str
    object: str
    which: int
    field: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Add:
    """Somebody adds a contact, or a visit on one of the contacts there are."""

    side: str
    object: str
    which: int


@dataclass(frozen=True, slots=True)
class Remove:
    """Somebody removes a contact or a visit."""

    side: str
    object: str
    which: int


@dataclass(frozen=True, slots=True)
class Run:
    """flit runs on what the source holds by now."""


Step = Edit | Add | Remove | Run


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact of the export.

    :param company: place among the companies, None for none.
    :param there: what the account had of this person before: nothing (None), or a record with this phone, "" for none.
    """

    phone: str | None
    company: int | None
    there: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """What the export holds at first, and what happens then. :param visits: (contact, note)."""

    companies: tuple[str, ...]
    contacts: tuple[Contact, ...]
    visits: tuple[tuple[int, str], ...]
    steps: tuple[Step, ...]


def _edit(
    place: tuple[str, str], side: st.SearchStrategy[str], which: st.SearchStrategy[int]
) -> st.SearchStrategy[Edit]:
    object_, field = place
    return st.builds(Edit, side, st.just(object_), which, st.just(field), st.sampled_from(VALUES[place]))


def _clash(object_: str) -> st.SearchStrategy[tuple[Step, ...]]:
    """Both sides change the same few fields of one record, again and again, with runs between."""
    places = st.sampled_from([place for place in VALUES if place[0] == object_])
    edits = places.flatmap(lambda place: _edit(place, st.sampled_from(SIDES), st.just(0)))
    return st.lists(st.one_of(edits, edits, st.just(Run())), min_size=2, max_size=8).map(tuple)


_PLACES = st.sampled_from(tuple(VALUES))
_LEAVES = st.sampled_from(("contact", "visit"))
_STEPS: st.SearchStrategy[tuple[Step, ...]] = st.one_of(
    st.just("contact").flatmap(_clash),
    st.sampled_from(("contact", "company", "visit")).flatmap(_clash),
    _PLACES.flatmap(lambda place: _edit(place, st.sampled_from(SIDES), st.integers(0, 3))).map(lambda step: (step,)),
    st.builds(Add, st.sampled_from(SIDES), _LEAVES, st.integers(0, 3)).map(lambda step: (step,)),
    st.builds(Remove, st.sampled_from(SIDES), _LEAVES, st.integers(0, 3)).map(lambda step: (step,)),
    st.just((Run(),)),
)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Draw a story; flit runs before anything else happens, and at the end."""
    companies = COMPANIES[: draw(st.integers(0, 2))]
    company = st.none() | st.integers(0, len(companies) - 1) if companies else st.none()
    contact = st.builds(
        Contact, st.sampled_from((*PHONES, None)), company, st.none() | st.sampled_from(("", *PHONES[:2]))
    )
    contacts = draw(st.lists(contact, min_size=1, max_size=len(NAMES)))
    visit = st.tuples(st.integers(0, len(contacts) - 1), st.sampled_from(NOTES))
    visits = draw(st.lists(visit, max_size=3))
    steps = [step for steps in draw(st.lists(_STEPS, max_size=4)) for step in steps]
    return Story(companies, tuple(contacts), tuple(visits), (Run(), *steps, Run()))
