"""Pairs between an export and an account: who is certain, and who is not because somebody else fits as well."""

from __future__ import annotations

from dataclasses import replace

from flitstack.matching import Person, pair_up

ANN = Person("ann", given="Ann", family="Lindqvist", birth_date="1980-02-03", emails=("ann@mail.example",),
             phones=("3125552014", "7735559101"))  # fmt: skip
ACCOUNTS = Person("7", name="Ann Lindqvist", emails=("ann@mail.example",), phones=("(312) 555-2014",))


def test_a_name_and_two_ways_to_reach_her_are_certain_where_no_birth_date_tells() -> None:
    (pair,) = pair_up([ANN], [ACCOUNTS, replace(ACCOUNTS, id="8", name="Jo Lindqvist")])

    assert (pair.ours, pair.theirs, pair.certain) == ("ann", "7", True)


def test_a_name_and_a_shared_e_mail_are_not_certain() -> None:
    (pair,) = pair_up([ANN], [replace(ACCOUNTS, phones=())])

    assert not pair.certain


def test_a_name_alone_is_a_question_where_the_account_knows_nothing_else() -> None:
    (pair,) = pair_up([ANN], [Person("7", name="Ann Lindqvist")])

    assert not pair.certain


def test_two_of_theirs_that_fit_alike_are_a_question() -> None:
    (pair,) = pair_up([ANN], [ACCOUNTS, replace(ACCOUNTS, id="8")])

    assert not pair.certain
    assert pair.reasons[0] == "another record fits as well"


def test_one_of_theirs_is_never_certain_for_two_of_ours() -> None:
    pairs = pair_up([ANN, replace(ANN, id="again")], [ACCOUNTS])

    assert [pair.certain for pair in pairs] == [False, False]


def test_the_better_of_two_is_certain_when_it_is_clearly_better() -> None:
    father = replace(ANN, id="father", given="Tom", birth_date="1955-01-02", phones=("3125550001", "7735559101"))
    son = replace(father, id="son", birth_date="1985-06-07", phones=("3125550002", "7735559101"))
    theirs = [
        Person("1", name="Tom Lindqvist", emails=father.emails, phones=father.phones),
        Person("2", name="Tom Lindqvist", emails=son.emails, phones=son.phones),
    ]

    pairs = pair_up([father, son], theirs)

    assert [(pair.ours, pair.theirs, pair.certain) for pair in pairs] == [("father", "1", True), ("son", "2", True)]


def test_who_only_looks_alike_is_not_paired() -> None:
    assert pair_up([ANN], [replace(ACCOUNTS, birth_date="2005-09-09")]) == []
    assert pair_up([ANN], [replace(ACCOUNTS, name="Jo Lindqvist")]) == []
    assert pair_up([ANN], []) == []
