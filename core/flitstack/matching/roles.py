"""Roles: how a source's records, and a destination's, state what they know of persons.

A stream's schema says `x-people: person` (or `organization`) when its records are people, or `x-people-of: FIELD` when
they tell more of the person whose id stands in that field. Its properties then carry `x-person: ROLE`. A destination
states per object which of its fields have which role (`Behaviours.people`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.matching.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flitstack.protocols import JSON, Record, Schema

SINGLE = ("given", "family", "middle", "preferred", "suffix", "name", "birth_date", "sex", "household")
SEVERAL = ("emails", "phones", "reach", "addresses")
ROLES = (*SINGLE, *SEVERAL)
"""`reach` is a phone number or, where it holds an @, an e-mail address; the parts of one address are put together."""


def people_streams(schemas: Mapping[str, Schema]) -> dict[str, str]:
    """Return the streams whose records are people, each with what it holds: `person` or `organization`."""
    return {name: str(schema["x-people"]) for name, schema in schemas.items() if schema.get("x-people")}


def people_of(
    stream: str, schemas: Mapping[str, Schema], records: Callable[[str], Iterable[Record]]
) -> Iterator[Person]:
    """Yield the people of a stream with what other streams tell of them; their ids are those of the records.

    :param records: called with a stream's name.
    """
    told = _told_elsewhere(stream, schemas, records)
    roles = _roles(schemas[stream])
    for record in records(stream):
        values: dict[str, list[str]] = {}
        _collect(values, roles, record.data)
        for role, more in told.get(record.id, {}).items():
            values.setdefault(role, []).extend(more)
        yield _person(record.id, values, schemas[stream].get("x-people") == "organization")


def person_of_fields(
    id: str, fields: Mapping[str, JSON], roles: Mapping[str, Sequence[str]], *, is_organization: bool = False
) -> Person:
    """Return a destination's record as a person.

    :param fields: canonical; labelled values (`phones`) are lists of `{"value": ...}`.
    :param roles: role to the names a field of it may have; letter case does not count.
    """
    names = {role: {name.casefold() for name in known} for role, known in roles.items()}
    values: dict[str, list[str]] = {}
    for field, value in fields.items():
        for role, known in names.items():
            if field.casefold() in known:
                values.setdefault(role, []).extend(_texts(value))
    return _person(id, values, is_organization)


def _roles(schema: Schema) -> dict[str, str]:
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    return {name: str(each["x-person"]) for name, each in properties.items() if each.get("x-person") in ROLES}


def _told_elsewhere(
    stream: str, schemas: Mapping[str, Schema], records: Callable[[str], Iterable[Record]]
) -> dict[str, dict[str, list[str]]]:
    told: dict[str, dict[str, list[str]]] = {}
    for name, schema in schemas.items():
        field = schema.get("x-people-of")
        if field is None or schema["properties"][field].get("x-references") != stream:
            continue
        roles = _roles(schema)
        for record in records(name):
            person = record.data.get(field)
            if isinstance(person, str):
                _collect(told.setdefault(person, {}), roles, record.data)
    return told


def _collect(values: dict[str, list[str]], roles: Mapping[str, str], data: Mapping[str, JSON]) -> None:
    place: list[str] = []
    for field, role in roles.items():
        texts = _texts(data.get(field))
        if role == "addresses":
            place += texts
        elif texts:
            values.setdefault(role, []).extend(texts)
    if place:
        values.setdefault("addresses", []).append(" ".join(place))


def _texts(value: JSON) -> list[str]:
    """Return the texts in a value: itself, those of a list, the `value` of labelled ones."""
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        return _texts(value.get("value"))
    return [] if value is None or value == "" or isinstance(value, bool) else [str(value)]


def _person(id: str, values: Mapping[str, Sequence[str]], is_organization: bool) -> Person:
    reach = values.get("reach", ())
    return Person(
        id,
        **{role: values[role][0] for role in SINGLE if values.get(role)},
        emails=(*values.get("emails", ()), *(text for text in reach if "@" in text)),
        phones=(*values.get("phones", ()), *(text for text in reach if "@" not in text)),
        addresses=tuple(values.get("addresses", ())),
        is_organization=is_organization,
    )
