"""The words of dental practice systems, from `lexicon.yaml`: what headers, files and codes are also called."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flitstack.mapping.proposing import Vocabulary
from flitstack.protocols import Lexicon
from flitstack_dental.layout import load_layouts, stream_schemas
from flitstack_dental.values import fold_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BOOKS = {
    "appointments.status": "appointment_status",
    "patients.status": "patient_status",
    "procedures.status": "procedure_status",
    "treatment_plan_items.status": "item_status",
    "treatment_plans.status": "plan_status",
}
"""The neutral layout's codebook of a field, where it is not called as the field."""


@cache
def lexicon_data() -> dict[str, Any]:
    """Return the file as it stands."""
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return data


def lexicon() -> Lexicon:
    """Return the words of headers and files."""
    data = lexicon_data()
    words = {str(meaning): tuple(map(str, spellings)) for meaning, spellings in data["words"].items()}
    return Lexicon(words, {stream: tuple(names) for stream, names in data["streams"].items()})


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary(lexicon(), ())


def words_of(header: str) -> tuple[str, ...]:
    """Return a header's words, abbreviations and synonyms resolved: `Uhrzeit von` is `start`."""
    return _vocabulary().words(header)


def beside() -> Sequence[Mapping[str, Any]]:
    """Return the records that a row may hold beside its own, as the lexicon states them."""
    found: list[Mapping[str, Any]] = lexicon_data()["beside"]
    return found


@cache
def meanings(stream: str, field: str) -> dict[str, str]:
    """Return the codes of a field whose meaning is known, folded, with it; a spelling of two meanings is not known."""
    books = load_layouts("neutral")[0].codes
    allowed = stream_schemas()[stream]["properties"][field].get("enum", ())
    found = {fold_code(str(meaning)): str(meaning) for meaning in allowed if meaning is not None}
    found |= {word: str(meaning) for word, (meaning, _) in books.get(_book(stream, field), {}).items()}
    for meaning, words in lexicon_data()["codes"].get(f"{stream}.{field}", {}).items():
        found |= {fold_code(str(word)): meaning for word in words}
    return found


def _book(stream: str, field: str) -> str:
    return _BOOKS.get(f"{stream}.{field}", field)
