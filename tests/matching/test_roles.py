"""Roles: persons as a source's schemas and a destination's fields describe them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.matching import Person, people_of, people_streams, person_of_fields
from flitstack.protocols import Record, Where

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMAS: dict[str, dict[str, Any]] = {
    "members": {
        "x-people": "person",
        "properties": {
            "first": {"x-person": "given"},
            "last": {"x-person": "family"},
            "born": {"x-person": "birth_date"},
            "shoe": {},
        },
    },
    "contacts": {
        "x-people-of": "member_id",
        "properties": {"member_id": {"x-references": "members"}, "value": {"x-person": "reach"}},
    },
    "homes": {
        "x-people-of": "member_id",
        "properties": {
            "member_id": {"x-references": "members"},
            "street": {"x-person": "addresses"},
            "town": {"x-person": "addresses"},
        },
    },
    "visits": {"properties": {"member_id": {"x-references": "members"}}},
}
DATA: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "members": [("m1", {"first": "Ann", "last": "Lee", "born": "1980-02-03", "shoe": "38"}), ("m2", {"last": "Cruz"})],
    "contacts": [
        ("c1", {"member_id": "m1", "value": "ann@mail.example"}),
        ("c2", {"member_id": "m1", "value": "555 0100"}),
    ],
    "homes": [("h1", {"member_id": "m1", "street": "9 Mill Race", "town": "Easton"})],
    "visits": [("v1", {"member_id": "m1"})],
}  # fmt: skip


def records(stream: str) -> Iterable[Record]:
    return [Record(stream, id_, data, Where("f.csv", 2)) for id_, data in DATA[stream]]


def test_what_hangs_on_a_person_is_told_of_them() -> None:
    ann, cruz = people_of("members", SCHEMAS, records)

    assert people_streams(SCHEMAS) == {"members": "person"}
    assert ann == Person(
        "m1",
        given="Ann",
        family="Lee",
        birth_date="1980-02-03",
        emails=("ann@mail.example",),
        phones=("555 0100",),
        addresses=("9 Mill Race Easton",),
    )
    assert cruz == Person("m2", family="Cruz")


def test_fields_of_an_account_are_known_by_the_names_they_may_have() -> None:
    roles = {"name": ("name",), "phones": ("phones",), "birth_date": ("Birthday", "Date of birth")}
    fields: dict[str, Any] = {
        "name": "Ann Lee",
        "phones": [{"value": "555 0100", "label": "work"}],
        "date of birth": "1980-02-03",
        "x": 1,
    }

    person = person_of_fields("7", fields, roles)

    assert person == Person("7", name="Ann Lee", phones=("555 0100",), birth_date="1980-02-03")
