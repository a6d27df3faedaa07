"""Knows secrets that nobody asked for (SSN, licences, passwords, cards) by a column's name and by a value's pattern."""

from __future__ import annotations

import re

REMOVED = "[removed]"

_TOKENS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_WORDS = frozenset(
    "ssn pin cvv cvc dea passwd password pwd salt passport licence license securityanswer securityquestion".split()
)
_PHRASES = re.compile(
    r"^ssn|ssn$|socialsec|socsec|password|passwd|clinicianpin|securityanswer|securityquestion|driv\w{0,5}licen[cs]e|"
    r"licen[cs]en|statelicen[cs]e|deanum|deano|deareg|dealic|cardn|creditcardn|ccnum|cardexp|nationalid|natid|"
    r"taxpayerid|passport"
)
_EXACT = frozenset({"ss", "sin", "dea", "ccexp", "creditcard", "card"})

_SSN = re.compile(r"(?<![\d\-])\d{3}-\d{2}-\d{4}(?![\d\-])")
_SSN_IN_ID = re.compile(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)")
_CARD = re.compile(r"(?<![\d.,\-x+])[3-6]\d{3}(?:[ \-]?\d){9,15}(?![\d\-])")
_SECRET = re.compile(rf"{_SSN.pattern}|{_CARD.pattern}")
_FOUR_DIGITS = re.compile(r"\d{4}")  # every secret has them in a row, and looking for them alone is quick
SHORTEST = 11


def is_secret_name(header: str) -> bool:
    """Say whether a column of this name holds secrets."""
    plain = "".join(filter(str.isalnum, header)).lower()
    if plain in _EXACT or _PHRASES.search(plain):
        return True
    return any(word.lower() in _WORDS for word in _TOKENS.findall(header))


def holds_ssn(text: str) -> bool:
    """Say whether something of the shape ###-##-#### is anywhere in an id, also behind a prefix (`A-###-##-####`)."""
    return len(text) >= SHORTEST and _SSN_IN_ID.search(text) is not None


def is_secret_value(text: str) -> bool:
    """Say whether the whole text is a social security number or a card number."""
    text = text.strip()
    found = _SECRET.fullmatch(text) if len(text) >= SHORTEST else None
    return found is not None and (_SSN.fullmatch(text) is not None or _luhn(text))


def remove_secrets(text: str) -> str | None:
    """Return the text with secrets replaced by `[removed]`, None when it was nothing but one."""
    if _FOUR_DIGITS.search(text) is None or _SECRET.search(text) is None:
        return text
    cleaned = _SECRET.sub(lambda found: found[0] if not _is_secret(found[0]) else REMOVED, text)
    return None if cleaned.strip() == REMOVED else cleaned


def remove_ssn(text: str) -> str | None:
    """Return the text without social security numbers only, for numbers that may well pass as a card's."""
    if _FOUR_DIGITS.search(text) is None or _SSN.search(text) is None:
        return text
    cleaned = _SSN.sub(REMOVED, text)
    return None if cleaned.strip() == REMOVED else cleaned


def _is_secret(text: str) -> bool:
    return _SSN.fullmatch(text) is not None or _luhn(text)


def _luhn(text: str) -> bool:
    """Say whether the digits end in their Luhn check digit (ISO/IEC 7812-1) and number 13 to 19."""
    digits = [int(character) for character in text if character.isdigit()]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
