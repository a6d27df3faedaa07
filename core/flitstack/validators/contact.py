"""Contact: people who cannot be reached, and addresses, numbers and postal codes that are not what they should be."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.matching.roles import people_streams
from flitstack.validators.lines import Lines, Words, by_role, holding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.protocols import Finding, Record, Schema, StagedView

VALUES = {
    "placeholder_email": Words(
        "warning",
        "E-mail addresses that are nobody's, such as those that say there is none.",
        "They are moved as they are.",
        "Shall they be emptied in the old system first?",
        "moved as they are",
    ),
    "invalid_email": Words("warning", "E-mail addresses that cannot be one.", "They are moved as they are."),
    "extension": Words("info", "Phone numbers with an extension.", "They are moved with it."),
    "note_in_phone": Words("info", "Phone numbers with words beside the number.", "They are moved with the words."),
    "two_numbers": Words(
        "info",
        "Cells with two phone numbers.",
        "They are moved as one entry.",
        "Shall they be parted in the old system first?",
        "moved as one entry",
    ),
    "local_number": Words("info", "Phone numbers without an area code.", "They are moved as they are."),
    "invalid_phone": Words("warning", "Phone numbers that cannot be one.", "They are moved as they are."),
    "lost_zero": Words(
        "warning",
        "Postal codes that have lost the zero they began with.",
        "They are moved as they are: a zero is not invented.",
    ),
    "invalid_postal_code": Words(
        "info", "Postal codes that are not of their country's form.", "They are moved as they are."
    ),
}
PEOPLE = {
    "no_email": Words("info", "People without an e-mail address.", "They are moved without one."),
    "no_phone": Words("info", "People without a phone number.", "They are moved without one."),
    "unreachable": Words(
        "warning", "People with neither e-mail address nor phone number.", "They are moved as they are."
    ),
    "shared_email": Words(
        "info",
        "People who share their e-mail address with others, as families do.",
        "Each keeps it; nobody is taken for another because of it.",
    ),
}

_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s.,;<>\"]{2,}")
_NOBODY = re.compile(r"(?:no|none|noemail|no-?email|unknown|test|na|n/a|null|declined|refused|x+)@.*", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:\bx|ext\.?|extension|(?<=\d)x)\s*\d+\s*$", re.IGNORECASE)
_NUMBER = re.compile(r"(?:\d[\s().\-]*){7,}")
_PARTS = re.compile(r"[/;,]| or ")
_WORD = re.compile(r"[^\W\d_]{2,}")
_POSTAL = {
    "us": re.compile(r"\d{5}(?:-?\d{4})?"),
    "ca": re.compile(r"[A-Za-z]\d[A-Za-z][ -]?\d[A-Za-z]\d"),
    "gb": re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}"),
    "de": re.compile(r"\d{5}"),
}
_COUNTRIES = {"usa": "us", "united states": "us", "canada": "ca", "uk": "gb", "united kingdom": "gb", "germany": "de"}
LOCAL_DIGITS = 7
MOST_DIGITS = 15


@dataclass(slots=True)
class _Reach:
    """Who can be reached how, of one stream of people."""

    emails: dict[str, str] = field(default_factory=dict)  # person to address; the last counts
    phones: set[str] = field(default_factory=set)
    known: bool = False


def check_contact(view: StagedView) -> Iterator[Finding]:
    """Yield what is wrong with the ways to reach people, and who has none."""
    schemas = {stream: view.schema(stream) for stream in view.streams()}
    reach: dict[str, _Reach] = {name: _Reach() for name, kind in people_streams(schemas).items() if kind == "person"}
    for stream, schema in schemas.items():
        emails, phones, either = by_role(schema, "emails"), by_role(schema, "phones"), by_role(schema, "reach")
        postal, country = holding(schema, "postal_code"), holding(schema, "country") or ""
        if not (emails or phones or either or postal):
            continue
        owner = schema.get("x-people-of")
        people = reach.get(schema["properties"][owner]["x-references"] if owner else stream)
        if people is not None and (emails or phones or either):
            people.known = True
        lines = Lines(VALUES, stream, "contact", view.count(stream))
        for record in view.records(stream):
            person = str(record.data.get(owner)) if owner else record.id
            for value, is_email in _values(record, emails, phones, either):
                if people is not None:
                    if is_email:
                        people.emails[person] = value.casefold()
                    else:
                        people.phones.add(person)
                if code := of_email(value) if is_email else of_phone(value):
                    lines.add(code, record.id)
            if postal and (code := of_postal_code(record.data.get(postal), record.data.get(country))):
                lines.add(code, record.id)
        yield from lines.findings()
    for stream, people in reach.items():
        if people.known:
            yield from _of_people(view, stream, schemas[stream], people)


def _values(record: Record, emails: list[str], phones: list[str], either: list[str]) -> Iterator[tuple[str, bool]]:
    for names, is_email in ((emails, True), (phones, False), (either, None)):
        for name in names:
            value = record.data.get(name)
            if isinstance(value, str) and value:
                yield value, "@" in value if is_email is None else is_email


def of_email(text: str) -> str:
    """Return what is wrong with an e-mail address, "" for nothing."""
    text = text.strip()
    if _NOBODY.fullmatch(text):
        return "placeholder_email"
    return "" if _EMAIL.fullmatch(text) else "invalid_email"


def of_phone(text: str) -> str:
    """Return what is particular about a phone number, "" for nothing."""
    text = text.strip()
    plain = _EXTENSION.sub("", text)
    if sum(_NUMBER.search(part) is not None for part in _PARTS.split(plain)) > 1:
        return "two_numbers"
    if plain != text:
        return "extension"
    if _WORD.search(plain):
        return "note_in_phone" if _NUMBER.search(plain) else "invalid_phone"
    digits = sum(map(str.isdigit, plain))
    if digits == LOCAL_DIGITS:
        return "local_number"
    return "" if LOCAL_DIGITS < digits <= MOST_DIGITS else "invalid_phone"


def of_postal_code(text: Any, country: Any) -> str:
    """Return what is wrong with a postal code, "" for nothing, and for countries whose form is not known."""
    if not isinstance(text, str) or not text.strip():
        return ""
    named = str(country or "us").strip().casefold()
    form = _POSTAL.get(_COUNTRIES.get(named, named))
    plain = text.strip()
    if form is None or form.fullmatch(plain):
        return ""
    if form.fullmatch(f"0{plain}"):
        return "lost_zero"
    return "" if not country and any(each.fullmatch(plain) for each in _POSTAL.values()) else "invalid_postal_code"


def _of_people(view: StagedView, stream: str, schema: Schema, reach: _Reach) -> Iterator[Finding]:
    shared = Counter(reach.emails.values())
    lines = Lines(PEOPLE, stream, "contact", view.count(stream))
    for record_id, _ in view.texts(stream):
        email = reach.emails.get(record_id)
        if email is None:
            lines.add("no_email", record_id)
        elif shared[email] > 1:
            lines.add("shared_email", record_id)
        if record_id not in reach.phones:
            lines.add("no_phone", record_id)
            if email is None:
                lines.add("unreachable", record_id)
    yield from lines.findings()
