"""Cells that survive a spreadsheet: none runs as a formula, and what a spreadsheet rewrites by itself is known."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection), the wide forms included.
_RUNS = "=+\\-@\t\r\n＝＋－＠"  # noqa: RUF001 - the wide forms are meant
_DANGEROUS = re.compile(f"'*[{_RUNS}]")
_PROTECTED = re.compile(f"'+[{_RUNS}]")

_NUMBER = re.compile(r"[-+]?\d{1,40}(?:[.,]\d{1,40})?(?:[eE][-+]?\d{1,3})?")
_DAY = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?(?: ?([AaPp])[Mm])?")
_SHORTENED = re.compile(r"(\d)(?:[.,](\d+))?[eE]\+?(\d{1,3})")


def protected(cell: str) -> str:
    """Return a cell that no spreadsheet runs: with an apostrophe in front where it would."""
    return f"'{cell}" if _DANGEROUS.match(cell) else cell


def unprotected(cell: str) -> str:
    """Return what `protected` was given."""
    return cell[1:] if _PROTECTED.match(cell) else cell


def same_for_a_spreadsheet(before: str, after: str) -> bool:
    """Tell whether a spreadsheet may have made one cell of the other by itself, opened and saved.

    It drops zeros in front, shortens long numbers, writes dates in another order, and TRUE for true.
    """
    before, after = before.strip(), after.strip()
    if before == after or (before.lower() == after.lower() and before.lower() in ("true", "false")):
        return True
    if _is_shortened(before, after):
        return True
    if _NUMBER.fullmatch(before) and _NUMBER.fullmatch(after):
        return _number(before) == _number(after)
    first, second = _DAY.fullmatch(before), _DAY.fullmatch(after)
    return first is not None and second is not None and _day(first) == _day(second)


def lost_letters(before: str, after: str) -> bool:
    """Tell whether a cell came back with question marks where letters stood: saved in a character set without them."""
    before, after = " ".join(before.split()), " ".join(after.split())
    # Programs that count in UTF-16 write two for a character beyond its first plane.
    return not before.isascii() and after in (_asked(before, 1), _asked(before, 2))


def _asked(text: str, beyond: int) -> str:
    return "".join(c if c.isascii() else "?" * (beyond if ord(c) > 0xFFFF else 1) for c in text)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None


def _is_shortened(before: str, after: str) -> bool:
    found = _SHORTENED.fullmatch(after)
    if found is None or not before.isdecimal() or not before.isascii():
        return False
    digits = before.lstrip("0")
    kept = found[1] + (found[2] or "")
    if int(found[3]) != len(digits) - 1 or len(kept) > len(digits):
        return False
    rounded = round(Decimal(digits).scaleb(len(kept) - len(digits)))
    return abs(rounded - int(kept)) <= 1


def _day(found: re.Match[str]) -> tuple[list[int], tuple[int, ...]]:
    """Return the numbers of a date in whatever order, a year by its last two digits, and its time of day."""
    numbers = sorted(int(part) % 100 if len(part) > 2 else int(part) for part in found.group(1, 2, 3))
    hour, minute, second = (int(part or 0) for part in found.group(4, 5, 6))
    half = (found[7] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return numbers, (hour, minute, second)
