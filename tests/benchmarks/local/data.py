"""Writes an invented patients file of 27 columns, as an export has it, of any length, in no memory."""

from __future__ import annotations

import csv
import random
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = (
    "id", "chart_number", "last_name", "first_name", "middle_name", "preferred_name", "title", "suffix", "status",
    "sex", "marital_status", "birth_date", "first_visit_date", "last_visit_date", "primary_provider_id", "clinic_id",
    "guarantor_id", "contact_preference", "text_ok", "language", "medical_alert", "address_note", "financial_note",
    "appointment_note", "treatment_note", "created_at", "updated_at",
)  # fmt: skip
FIRST = "Ada Ben Cara Dev Elif Finn Gwen Hugo Ines Jonas Kira Liam Mona Noor Oskar Pia Quinn Rosa Sami Tara".split()
LAST = "Abel Berg Costa Dietz Egan Falk Grau Holt Iqbal Jansen Kern Lund Marsh Nagy Orlov Park Quist Reyes".split()
NOTES = ("", "", "", "Prefers mornings.", "Side entrance; the bell is broken.", "Pays in instalments, by letter only.")


def write_patients(folder: Path, count: int) -> Path:
    """Write `patients.csv` with so many rows into the folder, the same for the same count, and return its path."""
    chance = random.Random(count)  # noqa: S311 - invented data, nothing secret
    file = folder / "patients.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for number in range(1, count + 1):
            writer.writerow(_row(number, chance))
    return file


def _row(number: int, chance: random.Random) -> list[str]:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    came = date(2010, 1, 1) + timedelta(days=chance.randrange(5_500))
    made = datetime(came.year, came.month, came.day, 8) + timedelta(seconds=chance.randrange(36_000))
    return [
        str(number), f"C{number:07d}", f"{last}-{number % 977}", first, chance.choice("ABCD") if number % 3 else "",
        first[:3] if number % 5 == 0 else "", "Dr." if number % 20 == 0 else "", "Jr." if number % 50 == 0 else "",
        "inactive" if number % 9 == 0 else "patient", chance.choice(("female", "male")),
        chance.choice(("single", "married", "")),
        (date(1935, 1, 1) + timedelta(days=chance.randrange(30_000))).isoformat(),
        came.isoformat(), (came + timedelta(days=chance.randrange(300))).isoformat(), str(chance.randrange(1, 9)),
        str(chance.randrange(1, 4)), str(max(1, number - chance.randrange(4))), chance.choice(("call", "email", "")),
        chance.choice(("yes", "no")), chance.choice(("English", "Spanish", "")),
        "Allergic to latex." if number % 12 == 0 else "",
        chance.choice(NOTES), chance.choice(NOTES), chance.choice(NOTES), "", made.isoformat(), "2026-06-01T00:00:00",
    ]  # fmt: skip
