"""What the example practice has before its first patient: staff, code lists, carriers, referrers and prospects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from flitstack_dental.example import words
from flitstack_dental.example.words import Weighted

if TYPE_CHECKING:
    import random

    from flitstack_dental.example.export import Export

AS_OF = date(2026, 6, 30)
TIME_ZONE = "America/Chicago"
PRACTICE_NAME = "Brackenford Family Dental (example)"
SMALL = 40
"""Patients of a practice that shows one of every kind and is soon read: the demo's."""

THINNED_BELOW = 200
"""With fewer patients the heavy streams are thinned, so that a demo stays small."""

USERS_EMAILS = ("alex.admin@practice.example", "sam.staff@practice.example", "dana.departed@practice.example")
"""E-mail addresses that a destination may know its users by: an administrator, a member of staff, one who left."""


@dataclass(frozen=True, slots=True)
class Code:
    """A procedure code in the shape of CDT, worded by us.

    :param cents: usual fee, in cents.
    """

    id: str
    code: str
    wording: str
    category: str
    cents: int


def _code(number: int, line: str) -> Code:
    code, cents, category, wording = line.split("|")
    return Code(f"PC{number:03d}", code, wording, category, int(cents))


CODES = tuple(
    _code(number, line)
    for number, line in enumerate(
        (
            "D0120|5200|Diagnostic|Regular check by the dentist",
            "D0140|7900|Diagnostic|Look at one problem",
            "D0150|9800|Diagnostic|First full examination",
            "D0210|13500|Diagnostic|X-ray series of the whole mouth",
            "D0274|6800|Diagnostic|Four bite-wing x-rays",
            "D0330|11800|Diagnostic|Panoramic x-ray",
            "D1110|9600|Preventive|Cleaning, adult",
            "D1120|7200|Preventive|Cleaning, child",
            "D1206|4100|Preventive|Fluoride varnish",
            "D1351|5600|Preventive|Sealing of one tooth",
            "D2140|14800|Restorative|Amalgam filling, one side",
            "D2391|17900|Restorative|White filling at the back, one side",
            "D2392|22400|Restorative|White filling at the back, two sides",
            "D2740|118000|Restorative|Ceramic crown",
            "D2950|26500|Restorative|Core build-up under a crown",
            "D3330|109500|Endodontics|Root canal of a molar",
            "D4341|24800|Periodontics|Deep cleaning, one quarter",
            "D4910|13900|Periodontics|Maintenance after gum treatment",
            "D6010|198000|Implant|Implant placed in the jaw",
            "D7140|18900|Surgery|Simple removal of a tooth",
            "D7210|29800|Surgery|Surgical removal of a tooth",
            "D9110|11000|Other|Relief of pain",
            "N0001|0|Local|Broken appointment, the practice's own code",
        ),
        start=1,
    )
)

APPOINTMENT_TYPES = (
    ("AT1", "Hygiene", 60),
    ("AT2", "New patient exam", 75),
    ("AT3", "Restorative", 60),
    ("AT4", "Emergency", 30),
    ("AT5", "Consultation", 30),
    ("AT6", "Surgery", 90),
)
RECALL_TYPES = (
    ("RT1", "Prophy", "6 months"),
    ("RT2", "Perio", "3 months"),
    ("RT3", "Bitewings", "12 months"),
    ("RT4", "Full mouth x-rays", "5 years"),
    ("RT5", "Child prophy", "6 months + 1 day"),
)
SPECIALTIES = ("General", "Hygiene", "Endodontics", "Oral surgery", "Orthodontics", "Periodontics", "Pediatric")
RECALL_STATUSES = ("Not reached", "Card sent", "Asked to call us", "Left message")

_PLAN_TYPES: Weighted[str | None] = Weighted(
    ("ppo", 28.0),
    (None, 40.0),
    ("percentage", 14.0),
    ("unknown", 6.0),
    ("flat", 4.0),
    ("capitation", 3.0),
    ("discount", 3.0),
    ("indemnity", 2.0),
)
_SOURCE_KINDS = Weighted(("dentist", 55.0), ("campaign", 20.0), ("patient", 20.0), ("person", 5.0))


@dataclass(frozen=True, slots=True)
class Practice:
    """How large everything is, worked out once from the number of patients."""

    patients: int
    seed: int
    providers: int
    carriers: int
    plans: int
    sources: int
    clinics: int
    leads: int

    @property
    def small(self) -> bool:
        """Whether the heavy streams are thinned."""
        return self.patients < THINNED_BELOW

    def dentist(self, rng: random.Random) -> str:
        """Return the id of a provider who treats; of all on file less than half ever do."""
        return provider_id(rng.choice((1, 2, 3, 4)) if self.providers < 12 else 1 + rng.randrange(self.providers // 2))

    def plan(self, rng: random.Random) -> str:
        """Return the id of an insurance plan."""
        return f"IP{1 + rng.randrange(self.plans):05d}"

    def source(self, rng: random.Random) -> str:
        """Return the id of a referral source."""
        return f"RS{1 + rng.randrange(self.sources):05d}"

    def clinic(self, rng: random.Random) -> str:
        """Return the id of a clinic."""
        return f"CL{1 + rng.randrange(self.clinics)}"


def practice_of(patients: int, seed: int) -> Practice:
    """Return the practice for a number of patients; ratios as measured in two real practices."""
    return Practice(
        patients=patients,
        seed=seed,
        providers=8 + min(48, patients // 1000),
        carriers=max(6, patients // 40),
        plans=max(10, patients // 6),
        sources=max(9, patients // 30),
        clinics=2 + min(10, patients // 4000),
        leads=max(5, patients // 100),
    )


def patient_id(number: int) -> str:
    """Return the id of the patient with this number, counted from 1."""
    return f"P{number:06d}"


def provider_id(number: int) -> str:
    """Return the id of the provider with this number, counted from 1."""
    return f"PR{number:02d}"


def write_practice(export: Export, practice: Practice, rng: random.Random) -> None:
    """Write every stream that does not hang on a patient."""
    _write_lists(export, practice)
    _write_providers(export, practice, rng)
    _write_staff(export, rng)
    _write_insurance(export, practice, rng)
    _write_sources(export, practice, rng)
    _write_leads(export, practice, rng)


def _write_lists(export: Export, practice: Practice) -> None:
    for number in range(1, practice.clinics + 1):
        city = words.CITIES[(number - 1) % len(words.CITIES)][0]
        phone = f"(312) 555-01{number:02d}"
        export.emit("clinics", {"id": f"CL{number}", "name": f"{city} office", "phone": phone, "time_zone": TIME_ZONE})
    for type_id, name, minutes in APPOINTMENT_TYPES:
        export.emit("appointment_types", {"id": type_id, "name": name, "minutes": minutes, "active": type_id != "AT5"})
    for type_id, name, interval in RECALL_TYPES:
        export.emit("recall_types", {"id": type_id, "name": name, "interval": interval})
    for code in CODES:
        row = {"id": code.id, "code": code.code, "description": code.wording, "category": code.category}
        export.emit("procedure_codes", row)
    lists = (("specialty", SPECIALTIES), ("recall_status", RECALL_STATUSES), ("topic", words.TOPICS))
    for category, entries in lists:
        for number, name in enumerate(entries, start=1):
            export.emit("definitions", {"id": f"{category}-{number}", "category": category, "name": name})


def _write_providers(export: Export, practice: Practice, rng: random.Random) -> None:
    names = words.LANGUAGES.values[0][1]
    for number in range(1, practice.providers + 1):
        hygienist = number in (3, 4)
        specialty = 1 if hygienist else (0 if number <= 2 else rng.randrange(2, len(SPECIALTIES)))
        email = USERS_EMAILS[number - 1] if number <= 2 else f"provider{number}@brackenford.example"
        placeholder = {7: "DEF_PROV", 8: "Walk-In"}.get(number)
        export.emit(
            "providers",
            {
                "id": provider_id(number),
                "abbreviation": placeholder or f"DR{number}",
                "last_name": placeholder or rng.choice(names.last),
                "first_name": None if placeholder else rng.choice(names.female if hygienist else names.male),
                "title": None if placeholder or hygienist else "Dr.",
                "suffix": None if placeholder else ("RDH" if hygienist else "DDS"),
                "specialty": None if number == 6 else SPECIALTIES[specialty],
                "specialty_definition_id": f"specialty-{specialty + 1}",
                "email": None if placeholder or number == 4 else email,
                "is_hygienist": hygienist,
                "active": number <= 4 or number == 8 or number > 30,
                "updated_at": "2026-01-15T08:00:00",
                "dea_number": f"AX{number:07d}" if not hygienist else None,
            },
        )
    export.note_secret_column("providers", "dea_number")


def _write_staff(export: Export, rng: random.Random) -> None:
    names = words.LANGUAGES.values[0][1]
    roles = ("Practice manager", "Dentist", "Front desk", "Treatment coordinator", "Billing", "Assistant")
    for number, role in enumerate(roles, start=1):
        email = USERS_EMAILS[number - 1] if number <= 3 else f"staff{number}@brackenford.example"
        export.emit(
            "staff",
            {
                "id": f"ST{number}",
                "name": f"{rng.choice(names.female)} {rng.choice(names.last)}",
                "email": None if number == 6 else email.upper() if number == 3 else email,
                "role": role,
                "provider_id": provider_id(2) if number == 2 else None,
                "active": number != 5,
                "updated_at": "2026-01-15T08:00:00",
                "password": f"example-{number}",
            },
        )
    export.note_secret_column("staff", "password")


def _write_insurance(export: Export, practice: Practice, rng: random.Random) -> None:
    for number in range(1, practice.carriers + 1):
        name = words.CARRIERS[(number - 1) % len(words.CARRIERS)]
        name = name if number <= len(words.CARRIERS) else f"{name} {('East', 'West', 'of Ohio', 'INC')[number % 4]}"
        phone = f"(800) 555-01{number % 100:02d}"
        export.emit("insurance_carriers", {"id": f"IC{number:04d}", "name": name, "phone": phone})
    for number in range(1, practice.plans + 1):
        employer = rng.choice(words.EMPLOYERS)
        export.emit(
            "insurance_plans",
            {
                "id": f"IP{number:05d}",
                "carrier_id": f"IC{1 + rng.randrange(practice.carriers):04d}",
                "group_name": f"{employer} group",
                "group_number": "P13000" if rng.random() < 0.02 else f"G{10000 + rng.randrange(80000)}",
                "type": _PLAN_TYPES.spread(number - 1, rng),
                "employer": employer,
            },
        )


def _write_sources(export: Export, practice: Practice, rng: random.Random) -> None:
    names = words.LANGUAGES.values[0][1]
    for number in range(1, practice.sources + 1):
        kind = _SOURCE_KINDS.spread(number - 1, rng)
        campaign = kind == "campaign"
        last, first = rng.choice(names.last), rng.choice(names.male)
        dentist = kind == "dentist"
        city, state, postal = rng.choice(words.CITIES)
        referrer = 1 + rng.randrange(practice.patients) if number > 4 else 1
        export.emit(
            "referral_sources",
            {
                "id": f"RS{number:05d}",
                "name": rng.choice(words.CAMPAIGNS) if campaign else (f"{last} Dental Care" if dentist else None),
                "last_name": None if campaign else last,
                "first_name": None if campaign else first,
                "is_doctor": dentist,
                "is_person": not campaign,
                "patient_id": patient_id(referrer) if kind == "patient" else None,
                "specialty": rng.choice(SPECIALTIES[2:]) if dentist else None,
                "phone": f"(414) 555-01{number % 100:02d}" if dentist else None,
                "email": f"office{number}@referrers.example" if dentist else None,
                "address": f"{number} {rng.choice(words.STREETS)}" if dentist else None,
                "city": city if dentist else None,
                "state": state if dentist else None,
                "postal_code": postal if dentist else None,
                "note": "Sends a report after each visit" if dentist and number % 3 == 0 else None,
                "updated_at": "2026-02-01T09:00:00",
            },
        )


def _write_leads(export: Export, practice: Practice, rng: random.Random) -> None:
    for number in range(1, practice.leads + 1):
        language, names = words.LANGUAGES.draw(rng)
        created = AS_OF - timedelta(days=1 + rng.randrange(120))
        export.emit(
            "leads",
            {
                "id": f"L{number:05d}",
                "last_name": rng.choice(names.last),
                "first_name": rng.choice(names.female) if number % 4 else None,
                "phone": f"(507) 555-01{rng.randrange(100):02d}" if number % 5 else None,
                "email": f"prospect{number}@mail.example" if number % 2 else None,
                "note": f"Asked for a first visit; speaks {language}.",
                "source": rng.choice(words.CAMPAIGNS),
                "created_at": f"{created.isoformat()}T10:15:00",
                "updated_at": f"{created.isoformat()}T10:15:00",
            },
        )
