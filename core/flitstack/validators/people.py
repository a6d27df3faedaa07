"""Identity: names and birth dates that cannot be meant, and people who are probably on file twice."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from flitstack.matching import duplicates
from flitstack.matching.roles import people_of, people_streams
from flitstack.validators.lines import Lines, Words, by_role, line, section_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.matching import Group
    from flitstack.protocols import JSON, Finding, StagedView

OLDEST = 115
TOLD = 10
KINDS = {
    "name_missing": Words("error", "People without any name.", "They stay behind until the row has a name."),
    "birth_date_missing": Words("info", "People without a birth date.", "They are moved without it."),
    "birth_date_impossible": Words(
        "warning",
        f"Birth dates that nobody has: after the export's day, or more than {OLDEST} years before it.",
        "They are moved as they are.",
        "Shall such birth dates be emptied in the old system first?",
        "moved as they are",
    ),
    "name_in_capitals": Words("info", "Names written in capitals throughout.", "They are moved as they are."),
    "name_in_one_cell": Words(
        "warning",
        "Names of which first and last stand in one cell.",
        "They are moved as they are, as the last name.",
        "Shall they be parted in the old system first?",
        "moved as they are",
    ),
    "suffix_in_name": Words("info", "Last names that end in Jr., Sr. or a number.", "They are moved as they are."),
    "test_person": Words(
        "warning",
        "People who are tests, by their name.",
        "They are moved as everybody is.",
        "Shall they be removed from the old system first?",
        "moved",
    ),
}
_SUFFIX = re.compile(r"\b(?:jr|sr|ii|iii|iv)\.?$", re.IGNORECASE)
_TEST = frozenset({"test", "testpatient", "zztest", "xxtest", "dummy", "demo", "default", "walkin"})

DUPLICATES = {
    "merge": Words(
        "warning",
        "Groups of people who are most probably one person on file twice.",
        "Each moves by itself, unless a decisions file says otherwise; a draft of one is beside this report.",
        "Which of them are one person (--set decisions=FILE)?",
        "nobody is merged",
    ),
    "ask": Words(
        "warning",
        "Groups of people who may be one person on file twice: something speaks against it.",
        "Each moves by itself, unless a decisions file says otherwise; a draft of one is beside this report.",
        "Which of them are one person (--set decisions=FILE)?",
        "nobody is merged",
    ),
    "keep": Words(
        "info",
        "Pairs who look alike and are two people, such as twins, or parent and child of one name.",
        "They stay two.",
    ),
}
CODES = {"merge": "probable_duplicate", "ask": "possible_duplicate", "keep": "look_alike"}


def check_people(view: StagedView) -> Iterator[Finding]:
    """Yield what is odd about names and birth dates, stream by stream."""
    schemas = {stream: view.schema(stream) for stream in view.streams()}
    for stream, kind in people_streams(schemas).items():
        schema = schemas[stream]
        given, family, name = (next(iter(by_role(schema, role)), "") for role in ("given", "family", "name"))
        born = next(iter(by_role(schema, "birth_date")), "")
        called = by_role(schema, "given", "family", "middle", "preferred", "name")
        as_of = view.as_of()
        lines = Lines(KINDS, stream, section_of(schema), view.count(stream))
        years: dict[str, int] = {}
        for record in view.records(stream):
            data = record.data
            if not any(data.get(each) for each in called):
                lines.add("name_missing", record.id)
            if kind != "person":
                continue
            first, last = _text(data, given), _text(data, family) or _text(data, name)
            for code in _of_name(first, last):
                lines.add(code, record.id)
            if born:
                birth = _text(data, born)
                if code := _of_birth(birth, as_of):
                    lines.add(code, record.id)
                if birth:
                    decade = f"{birth[:3]}0s"
                    years[decade] = years.get(decade, 0) + 1
        yield from lines.findings()
        if years:
            words = Words("info", "People by the decade of their birth.")
            spread = tuple(sorted(years.items()))
            yield line("births", words, stream, section_of(schema), sum(years.values()), spread=spread)


def _text(data: Mapping[str, JSON], field: str) -> str:
    value = data.get(field)
    return value if isinstance(value, str) else ""


def _of_name(first: str, last: str) -> Iterator[str]:
    if "," in last and not first:
        yield "name_in_one_cell"
    if _SUFFIX.search(last) and " " in last.strip():
        yield "suffix_in_name"
    if _plain(last) in _TEST or _plain(first) in _TEST:
        yield "test_person"
    elif len(last) > 2 and last.isupper() and (first.isupper() or not first):
        yield "name_in_capitals"


def _plain(name: str) -> str:
    return "".join(filter(str.isalpha, name)).casefold()


def _of_birth(birth: str, as_of: date | None) -> str:
    if not birth:
        return "birth_date_missing"
    if as_of is None:
        return ""
    day = date.fromisoformat(birth[:10])
    return (
        "birth_date_impossible"
        if day > date(as_of.year, as_of.month, as_of.day) or as_of.year - day.year > OLDEST
        else ""
    )


def find_duplicates(view: StagedView) -> dict[str, list[Group]]:
    """Return, per stream of people, the groups of those who may each be one person."""
    schemas = {name: view.schema(name) for name in view.streams()}
    people = [stream for stream, kind in people_streams(schemas).items() if kind == "person"]
    return {stream: duplicates(people_of(stream, schemas, view.records)) for stream in people}


def duplicate_findings(view: StagedView, found: Mapping[str, Sequence[Group]]) -> Iterator[Finding]:
    """Yield how many people are probably on file twice, per stream and by what is proposed, with the reasons."""
    for stream, groups in found.items():
        for handling, words in DUPLICATES.items():
            chosen = [group for group in groups if group.handling == handling]
            if not chosen:
                continue
            reasons = Counter(reason for group in chosen for reason in group.reasons)
            ids = tuple(member for group in chosen for member in group.ids)
            spread = tuple(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))[:TOLD]
            section = section_of(view.schema(stream))
            yield line(CODES[handling], words, stream, section, len(chosen), ids, view.count(stream), spread)


def check_duplicates(view: StagedView) -> Iterator[Finding]:
    """Yield how many people are probably on file twice."""
    yield from duplicate_findings(view, find_duplicates(view))
