"""The example's people: families and their members, how to reach them, who refers and looks after them."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from flitstack_dental.example import words
from flitstack_dental.example.defects import GUARANTOR_CYCLE, GUARANTOR_GONE
from flitstack_dental.example.practice import AS_OF, Practice, patient_id, provider_id
from flitstack_dental.example.words import Weighted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack_dental.example.defects import Cell, Row, RowDefect
    from flitstack_dental.example.export import Export

_FAMILY_SIZES = Weighted((1, 28.0), (2, 21.0), (3, 20.0), (4, 16.0), (5, 15.0))
_STATUSES = Weighted(
    ("patient", 63.5),
    ("inactive", 22.5),
    ("non_patient", 6.5),
    ("archived", 3.0),
    ("deceased", 2.0),
    ("deleted", 1.5),
    ("prospective", 1.0),
)
_CAST_STATUSES = dict(
    zip(
        range(21, 29),
        ("inactive", "non_patient", "archived", "deceased", "deleted", "prospective", "inactive", "prospective"),
        strict=True,
    )
)
_CAST = 40
"""The first patients play fixed parts, so that the smallest demo shows every kind of record."""

TRAITS: tuple[tuple[str, float, tuple[int, ...]], ...] = (
    ("many_phones", 0.01, (1, 14)),
    ("insured", 0.575, (1, 2, 3, 4, 6)),
    ("secondary_insurance", 0.08, (1, 6)),
    ("expired_insurance", 0.06, (2,)),
    ("several_perio", 0.04, (1, 4)),
    ("several_prescriptions", 0.02, (1, 5)),
    ("no_email", 0.18, (7,)),
    ("shared_email", 0.15, (2, 8)),
    ("credit_balance", 0.043, (3,)),
    ("balance_due", 0.017, (4, 9)),
    ("no_ageing", 0.3, (9,)),
    ("guarantor_missing", 0.002, (8,)),
    ("billing_address", 0.18, (1, 5)),
    ("owned", 0.55, (1, 2, 3)),
    ("charted", 0.25, (1, 2, 16)),
    ("referred", 0.22, (1, 2, 3, 5)),
)
"""What befalls a patient: name, share of all patients, and who of the cast has it."""

_SEXES = Weighted(("female", 51.0), ("male", 47.0), ("other", 0.5), ("unknown", 1.5))
_DIRECTIONS = Weighted(("from", 80.0), ("to", 17.0), ("custom", 3.0))
NOBODY = "P888888"
"""A guarantor's id that no export of ours holds."""

_CYCLE = {4: 7, 7: 4}


@dataclass(frozen=True, slots=True)
class Family:
    """A household: where its members' numbers begin, who leads it and what its members share."""

    number: int
    first: int
    size: int
    language: str
    names: words.Names
    last_name: str
    street: str
    city: tuple[str, str, str]
    phone: str
    email: str

    @property
    def id(self) -> str:
        """The id of the family."""
        return f"F{self.number:06d}"

    @property
    def guarantor(self) -> str:
        """The id of the member who pays."""
        return patient_id(self.first)


@dataclass(frozen=True, slots=True)
class Person:
    """One patient: what the other streams need to know of it."""

    number: int
    family: Family
    status: str
    sex: str
    first_name: str
    birth_date: date
    created_at: datetime
    dentist: str
    clinic: str
    traits: frozenset[str]

    @property
    def id(self) -> str:
        """The id of the patient."""
        return patient_id(self.number)

    @property
    def adult(self) -> bool:
        """Whether the patient is of age on the day of the export."""
        return (AS_OF - self.birth_date).days >= 18 * 365

    @property
    def ordinary(self) -> bool:
        """Whether nothing about the patient decides the buckets of the rows that hang on it."""
        return self.status == "patient"


@dataclass(frozen=True, slots=True)
class Case:
    """One patient being written."""

    person: Person
    rng: random.Random
    export: Export
    practice: Practice

    def emit(
        self, stream: str, prefix: str, row: Row, ordinary: bool = True, shape: RowDefect | None = None
    ) -> str | None:
        """Write one row of this patient and return its id, None when a defect keeps it from moving.

        :param ordinary: a row that is not gets no defect, since something else may decide its bucket.
        :param shape: the defect that the row has already.
        """
        record_id = self.export.next_id(stream, prefix)
        stamp: Cell = (
            f"{(AS_OF - timedelta(days=self.rng.randrange(400))).isoformat()}T18:{self.rng.randrange(60):02d}:00"
        )
        full: Row = {"id": record_id, "patient_id": self.person.id, "updated_at": stamp, **row}
        plain = ordinary and self.person.ordinary
        lost = self.export.emit(stream, full, self.rng if plain else None, shape if self.person.ordinary else None)
        return record_id if lost is None else None

    def day(self, within: int) -> date:
        """Return a day at most `within` days before the export."""
        return AS_OF - timedelta(days=self.rng.randrange(within))

    def moment(self, within: int) -> datetime:
        """Return a minute of a working day at most `within` days before the export."""
        day = self.day(within)
        return datetime(day.year, day.month, day.day, 8 + self.rng.randrange(10), self.rng.randrange(60))


def families(practice: Practice) -> Iterator[Family]:
    """Yield the families in the order of their members' numbers, each from its own random numbers."""
    first, number = 1, 1
    while first <= practice.patients:
        rng = random.Random(f"{practice.seed}:family:{number}")  # noqa: S311 - repeatable test data, no secret
        size = min(_FAMILY_SIZES.draw(rng), practice.patients - first + 1)
        language, names = words.LANGUAGES.spread(number - 1, rng) if practice.small else words.LANGUAGES.draw(rng)
        last = rng.choice(names.last)
        yield Family(
            number=number,
            first=first,
            size=size,
            language=language,
            names=names,
            last_name=last,
            street=f"{1 + rng.randrange(1900)} {rng.choice(words.STREETS)}",
            city=rng.choice(words.CITIES),
            phone=phone_number(rng),
            email=f"{_slug(last) if names.latin else 'family'}.home{number}@post.example",
        )
        first, number = first + size, number + 1


def person_of(family: Family, number: int, practice: Practice, rng: random.Random) -> Person:
    """Return the family's member with this number."""
    lead = number == family.first
    years = 24 + rng.randrange(60) if lead or rng.random() < 0.45 else rng.randrange(1, 18)
    birth = AS_OF - timedelta(days=years * 365 + rng.randrange(365))
    sex = _SEXES.draw(rng)
    cast = "patient" if number <= _CAST else None
    drawn = _STATUSES.draw(rng)
    opened = AS_OF - timedelta(days=30 + rng.randrange(min(5000, max((AS_OF - birth).days - 30, 1))))
    return Person(
        number=number,
        family=family,
        status=_CAST_STATUSES.get(number, cast or drawn),
        sex=sex,
        first_name=rng.choice(family.names.male if sex == "male" else family.names.female),
        birth_date=birth,
        created_at=datetime(opened.year, opened.month, opened.day, 9, rng.randrange(60)),
        dentist=practice.dentist(rng),
        clinic=practice.clinic(rng),
        traits=frozenset(
            name
            for name, rate, cast_numbers in TRAITS
            # Drawn for everyone, so that a part in the cast does not shift the numbers drawn after it.
            if (rng.random() < rate) | (number in cast_numbers)
        ),
    )


def patient_row(case: Case, first_visit: date | None, last_visit: date | None) -> Row:
    """Return the row of the patient itself."""
    person, rng = case.person, case.rng
    deceased = person.status == "deceased"
    marital = (
        rng.choice(("single", "married", "married", "divorced", "widowed", "unknown")) if person.adult else "child"
    )
    return {
        "id": person.id,
        "chart_number": f"{person.number:07d}",
        "last_name": person.family.last_name,
        "first_name": person.first_name,
        "middle_name": rng.choice(person.family.names.female)[:1] if rng.random() < 0.3 else None,
        "preferred_name": person.first_name[:3] if rng.random() < 0.08 else None,
        "title": rng.choice(("Mr.", "Ms.", "Dr.")) if rng.random() < 0.1 else None,
        "suffix": "III" if rng.random() < 0.01 else None,
        "salutation": person.first_name if rng.random() < 0.05 else None,
        "status": person.status,
        "original_status": person.status.replace("_", "-").title(),
        "sex": person.sex,
        "marital_status": marital,
        "birth_date": person.birth_date,
        "death_date": case.day(900) if deceased and rng.random() < 0.7 else None,
        "first_visit_date": first_visit,
        "last_visit_date": last_visit,
        "primary_provider_id": person.dentist,
        "secondary_provider_id": provider_id(3 + rng.randrange(2)) if rng.random() < 0.7 else None,
        "clinic_id": person.clinic,
        "guarantor_id": _guarantor(person, case.practice),
        "family_id": person.family.id,
        "contact_preference": rng.choice(("phone", "text", "email", "none", None)),
        "text_ok": rng.choice((True, False, None)),
        "language": person.family.language,
        "medical_alert": rng.choice(words.MEDICAL_ALERTS) if rng.random() < 0.12 else None,
        "address_note": "Ring twice, the dog is friendly" if rng.random() < 0.02 else None,
        "financial_note": "Pays in instalments" if rng.random() < 0.03 else None,
        "appointment_note": "Mornings only" if rng.random() < 0.05 else None,
        "treatment_note": "Prefers no music\nand a blanket" if rng.random() < 0.02 else None,
        "created_at": person.created_at,
        "updated_at": f"{case.day(500).isoformat()}T17:45:00",
        "ssn": f"666-{rng.randrange(1, 100):02d}-{rng.randrange(1, 10000):04d}" if rng.random() < 0.7 else None,
        "drivers_license": f"X{rng.randrange(10**7):07d}" if rng.random() < 0.2 else None,
        "portal_password": f"example-{rng.randrange(10**6):06d}" if rng.random() < 0.3 else None,
    }


def _guarantor(person: Person, practice: Practice) -> str | None:
    if "guarantor_missing" in person.traits:
        return NOBODY
    other = _CYCLE.get(person.number)
    if other is not None and practice.patients >= max(_CYCLE):
        return patient_id(other)
    return person.family.guarantor if person.family.size > 1 else None


def patient_shape(person: Person, guarantor: object) -> RowDefect | None:
    """Return the defect that the patient's row has from its family, None for none.

    :param guarantor: whom the row names.
    """
    if not person.ordinary or guarantor is None:
        return None
    if guarantor == NOBODY:
        return GUARANTOR_GONE
    return GUARANTOR_CYCLE if guarantor == patient_id(_CYCLE.get(person.number, 0)) else None


def write_contacts(case: Case) -> None:
    """Write addresses, phone numbers and e-mail addresses."""
    person, rng = case.person, case.rng
    case.emit("addresses", "A", mailing_address(person))
    if "billing_address" in person.traits:
        city, state, postal = rng.choice(words.CITIES)
        street = f"PO Box {1 + rng.randrange(900)}"
        case.emit(
            "addresses",
            "A",
            {"kind": "billing", "line1": street, "city": city, "state": state, "postal_code": postal, "country": "US"},
        )
    for rank, (kind, value, label) in enumerate(_reachable(case), start=1):
        case.emit("contact_points", "C", {"kind": kind, "value": value, "label": label, "rank": rank})


def mailing_address(person: Person) -> Row:
    """Return the address that the family shares."""
    city, state, postal = person.family.city
    return {
        "kind": "mailing",
        "line1": person.family.street,
        "line2": f"Apt {person.number % 40}" if person.number % 7 == 0 else None,
        "city": city,
        "state": state,
        "postal_code": postal,
        "country": "US",
    }


def _reachable(case: Case) -> Iterator[tuple[str, str, str | None]]:
    person, rng = case.person, case.rng
    if person.adult:
        yield "mobile", phone_number(rng), None
    if not person.adult or rng.random() < 0.55:
        yield "home", person.family.phone, None
    if person.adult and rng.random() < 0.25:
        yield "work", phone_number(rng), rng.choice(words.EMPLOYERS)
    if "many_phones" in person.traits:
        for kind in ("work", "fax", "other", "other"):
            yield kind, phone_number(rng), "Summer house" if kind == "other" else None
    if "no_email" in person.traits:
        return
    if "shared_email" in person.traits or not person.adult:
        yield "email", person.family.email, "Family"
    else:
        name = _slug(person.first_name) if person.family.names.latin else "patient"
        yield "email", f"{name}.{person.number}@mail.example", None


def write_ties(case: Case) -> None:
    """Write referrals, the member of staff responsible, and the practice's own columns."""
    person, rng = case.person, case.rng
    for _ in range((1 + (rng.random() < 0.15)) if "referred" in person.traits else 0):
        direction = _DIRECTIONS.spread(case.export.rows("patient_referrals"), rng)
        note = "Report sent back" if rng.random() < 0.2 else None
        case.emit(
            "patient_referrals",
            "R",
            {
                "source_id": f"RS{person.number:05d}" if person.number <= 4 else case.practice.source(rng),
                "direction": direction,
                "referred_on": case.day(2500),
                "note": note,
            },
        )
    if "owned" in person.traits:
        case.emit("patient_owners", "O", {"staff_id": f"ST{1 + rng.randrange(6)}"})
    for name in words.CUSTOM_NAMES:
        if rng.random() < 0.375:
            case.emit("custom_columns", "CC", {"name": name, "value": rng.choice(words.CUSTOM_VALUES[name])})


def phone_number(rng: random.Random) -> str:
    """Return a number from the range kept for fiction."""
    return f"({rng.choice(words.AREA_CODES)}) 555-01{rng.randrange(100):02d}"


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalnum()) or "patient"
