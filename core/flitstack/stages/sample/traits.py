"""What can make a value break something: the traits by which a sample is chosen and telling rows are picked."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DATE = re.compile(r"\d{4}-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z")
TIME = re.compile(r"(\d\d):(\d\d)\Z")
LONG = 60
NOON = 12


def traits(value: object) -> tuple[str, ...]:
    """Return what is particular about a value, in words; () for a plain one, ("missing",) for none."""
    if value is None or value in ("", []):
        return ("missing",)
    if isinstance(value, bool):
        return ()
    return tuple(_of_text(value if isinstance(value, str) else str(value)))


def _of_text(text: str) -> Iterator[str]:
    found = DATE.match(text)
    if found is not None:
        yield from _of_date(found)
        return
    if NUMBER.match(text):
        yield from _of_number(text)
        return
    if not text.isascii():
        foreign = any(ch.isalpha() and not unicodedata.name(ch, "LATIN").startswith("LATIN") for ch in text)
        yield "another script" if foreign else "accents or signs"
    if "\n" in text:
        yield "several lines"
    if "<" in text or "&" in text:
        yield "markup signs"
    if len(text) > LONG:
        yield "long"
    if text != text.strip() or "  " in text:
        yield "odd spaces"


def _of_date(found: re.Match[str]) -> Iterator[str]:
    month, day, hour, minute = (int(part) if part else 0 for part in found.groups())
    if day > NOON:
        yield "day after the 12th"
    if month != day:
        yield "day is not month"
    if month == day == 1:
        yield "first of January"
    if hour > NOON:
        yield "afternoon"
    elif hour or minute:
        yield "morning"
    yield "summer" if 4 <= month <= 10 else "winter"


def _of_number(text: str) -> Iterator[str]:
    if text.startswith("-"):
        yield "negative"
    if text[0] == "0" and len(text) > 1 and text[1] != ".":
        yield "leading zero"
    if not text.strip("-0."):
        yield "zero"
    elif "." in text and text.rstrip("0")[-1] != ".":
        yield "cents"
