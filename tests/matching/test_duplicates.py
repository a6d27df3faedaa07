"""Probable duplicates: who is one person, who only looks like it, and what nobody is matched on alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flitstack.matching import Group, Person, duplicates
from flitstack.matching.blocking import candidates
from flitstack.matching.facts import Frequencies, facts_of

ROBERT = Person(
    "1",
    given="Robert",
    family="Miller",
    birth_date="1971-04-09",
    sex="male",
    emails=("robert@mail.example",),
    phones=("(312) 555-2014",),
    addresses=("12 Quarry Lane Saltmarsh NJ 07099",),
)


def of(*people: Person) -> list[Group]:
    """Return the groups among these."""
    return duplicates(people)


def handling(**changes: object) -> str | None:
    """Return what is proposed of Robert and a second record of him with these changes; None when nothing is."""
    groups = of(ROBERT, replace(ROBERT, id="2", **changes))  # type: ignore[arg-type]
    return groups[0].handling if groups else None


def test_the_same_person_under_two_ids_is_one_and_the_first_stays() -> None:
    (group,) = of(ROBERT, replace(ROBERT, id="2"))

    assert group.ids == ("1", "2")
    assert group.handling == "merge"
    assert {"same birth date", "same phone", "same e-mail", "same address"} <= set(group.reasons)


@pytest.mark.parametrize(
    "changes",
    [
        {"given": "Bob"},
        {"given": "ROBERT", "family": "MILLER"},
        {"given": "Röbert"},
        {"given": "", "family": "Miller, Robert (Bob)"},
        {"given": "", "family": "", "name": "Dr. Robert Miller"},
        {"emails": (), "phones": (), "addresses": ()},
        {"phones": ("+1 312.555.2014x12",), "emails": ("ROBERT@mail.example ",)},
        {"addresses": ("9 Mill Race Easton PA",)},
    ],
)
def test_other_ways_of_writing_make_nobody_another(changes: dict[str, object]) -> None:
    assert handling(**changes) == "merge"


@pytest.mark.parametrize(
    "changes",
    [
        {"given": "Robret"},
        {"given": "Miller", "family": "Robert"},
        {"birth_date": "1971-09-04"},
        {"birth_date": "1971-04-08"},
        {"birth_date": ""},
        {"family": "Millner"},
        {"family": "Miller Ortega"},
        {"suffix": "Jr."},
        {"sex": "female"},
    ],
)
def test_what_speaks_against_it_a_person_is_asked_about(changes: dict[str, object]) -> None:
    assert handling(**changes) == "ask"


def test_twins_are_kept_apart_and_said_to_be_twins() -> None:
    (group,) = of(ROBERT, replace(ROBERT, id="2", given="Walter"))

    assert group.handling == "keep"
    assert group.reasons[0] == "given names differ, birth date and home are the same: twins?"


def test_father_and_son_of_one_name_are_kept_apart() -> None:
    (group,) = of(ROBERT, replace(ROBERT, id="2", birth_date="2003-11-30"))

    assert group.handling == "keep"
    assert "parent and child?" in group.reasons[0]


def test_junior_and_senior_are_kept_apart_even_without_birth_dates() -> None:
    senior, junior = (
        replace(ROBERT, suffix="Sr.", birth_date=""),
        replace(ROBERT, id="2", family="Miller Jr", birth_date=""),
    )

    assert [group.handling for group in of(senior, junior)] == ["keep"]


@pytest.mark.parametrize(
    "changes", [{"given": "Susan", "sex": "female", "birth_date": "1973-01-02"}, {"given": "Susan", "birth_date": ""}]
)
def test_a_family_with_one_address_one_phone_and_one_e_mail_is_no_duplicate(changes: dict[str, object]) -> None:
    assert handling(**changes) is None


def test_nobody_is_matched_on_an_e_mail_and_a_phone_alone() -> None:
    one = Person("1", emails=("home@post.example",), phones=("3125552014",))

    assert of(one, replace(one, id="2")) == []
    assert of(replace(one, given="Ann", family="Lee"), replace(one, id="2", given="Jo", family="Cruz")) == []


def test_a_name_alone_is_no_duplicate_where_the_rest_differs() -> None:
    assert (
        handling(birth_date="", phones=("7735559999",), emails=("x@y.example",), addresses=("9 Mill Race Easton",))
        is None
    )


def test_a_birth_date_that_stands_for_none_is_no_evidence() -> None:
    one = replace(ROBERT, birth_date="1900-01-01", phones=(), emails=(), addresses=())

    assert of(one, replace(one, id="2", phones=("7735559999",)))[0].handling == "ask"


def test_a_chain_of_matches_is_one_group_and_asks_when_one_link_does() -> None:
    people = [ROBERT, replace(ROBERT, id="2", phones=()), replace(ROBERT, id="3", given="Robbert")]

    (group,) = of(*people)

    assert group.ids == ("1", "2", "3")
    assert group.handling == "ask"


def test_organizations_are_matched_by_their_names_without_legal_forms() -> None:
    one = Person("1", name="Kettlewood Dental, LLC", addresses=("4 Dock Street Salem",), is_organization=True)

    assert [g.handling for g in of(one, replace(one, id="2", name="The Kettlewood Dental"))] == ["merge"]
    assert of(one, replace(one, id="2", name="Harbor Orthodontics")) == []
    assert of(one, replace(ROBERT, id="2", name="Kettlewood Dental")) == []


def texts(longest: int) -> st.SearchStrategy[str]:
    return st.text(max_size=longest)


PEOPLE = st.builds(
    Person,
    id=st.uuids().map(str),
    given=texts(6),
    family=texts(6),
    name=texts(6),
    birth_date=texts(10),
    phones=st.tuples(texts(12)),
    emails=st.tuples(texts(9)),
    addresses=st.tuples(texts(12)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(PEOPLE, max_size=8))
def test_no_text_breaks_it_and_the_same_people_give_the_same_groups(people: list[Person]) -> None:
    twice = [*people, *(replace(person, id=f"{person.id}b") for person in people)]

    groups = duplicates(twice)

    assert all(len(set(group.ids)) == len(group.ids) > 1 for group in groups)
    assert duplicates(twice) == groups


def test_thousands_of_one_name_are_not_all_compared_with_each_other() -> None:
    def born(number: int) -> str:
        return f"{1930 + number % 80}-{1 + number % 12:02d}-{1 + number % 28:02d}"

    known = [facts_of(Person(str(n), given="Ann", family="Lee", birth_date=born(n))) for n in range(3000)]

    pairs = sum(1 for _ in candidates(known, Frequencies.of(known)))

    assert pairs < 100 * len(known)
