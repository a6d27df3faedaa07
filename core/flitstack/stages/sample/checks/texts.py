"""Texts against the source's: cut short, stripped of zeros or of signs beyond ASCII."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from flitstack.stages.sample.checks.found import EXAMPLES, FEWEST, Flag, Frame
from flitstack.stages.sample.observed import plain, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.stages.sample.observed import Observed, Row

BEGINNING = 20
MOSTLY = 0.6
SHORTEST = 3
MARKUP = ("&", "<", ">")


def check_texts(observed: Sequence[Observed], field: str, frame: Frame) -> Iterator[Flag]:
    """Look at what became of the texts that a field is made of."""
    cut: list[tuple[str, int]] = []
    whole = ended = clipped = 0
    zeros: list[str] = []
    lost: list[str] = []
    several = {each.key for each in observed if each.part}
    columns = set(frame.lineage.get(field, ()))
    clipped_keys: list[str] = []
    for each in observed:
        held = plain(" ".join(texts_of(each.held.get(field))))
        if not held or each.key in several:
            continue
        for value in _sources(each, columns, frame):
            if value in held:
                whole += len(value) > BEGINNING
                ended += held.endswith(value)
                continue
            if len(value) > BEGINNING and value[:BEGINNING] in held:
                cut.append((each.key, len(held)))
            if _is_zeroed(value, held):
                zeros.append(each.key)
            elif not value.isascii() and any(form in held for form in _damaged(value)):
                lost.append(each.key)
            elif held.endswith(value[:-1]):
                clipped += 1
                clipped_keys.append(each.key)
    if clipped >= FEWEST and clipped > (clipped + ended) * MOSTLY:
        yield _flag("last_character", frame, field, "The last character is missing.", clipped_keys, len(observed))
    elif len(cut) >= FEWEST or (cut and whole == 0):
        length = max(size for _, size in cut)
        text = f"Longer texts of the source are cut: what is left is {length:,} characters at the most."
        yield _flag("cut_short", frame, field, text, [key for key, _ in cut], whole + len(cut))
    if zeros:
        text = "Zeros at the beginning of a number of the source are gone."
        yield _flag("leading_zeros", frame, field, text, zeros, len(observed))
    if lost:
        text = "Letters and signs beyond plain ASCII were replaced or dropped."
        yield _flag("letters_lost", frame, field, text, lost, len(observed))


def _sources(each: Observed, columns: set[str], frame: Frame) -> Iterator[str]:
    """Yield the texts of what a field is made of: columns of the record's row, what it gathers, what it refers to."""
    main = {(row.stream, row.id) for row in each.main}
    for row in (*each.own(), *_referred(each, columns, frame)):
        for name, value in row.data.items():
            if isinstance(value, str) and len(value) >= SHORTEST and not name.endswith(("_at", "_on", "_date")):
                if (row.stream, row.id) in main and columns and f"{row.stream}.{name}" not in columns:
                    continue
                text = plain(value) if not any(sign in value for sign in MARKUP) else " ".join(value.split())
                if len(text) >= SHORTEST:
                    yield text


def _referred(each: Observed, columns: set[str], frame: Frame) -> Iterator[Row]:
    """Yield the rows to which the columns of a field refer."""
    named = {
        (target, row.data.get(name))
        for row in each.main
        for name, target in frame.references.get(row.stream, {}).items()
        if f"{row.stream}.{name}" in columns
    }
    yield from (row for row in each.beside if (row.stream, row.id) in named)


def _is_zeroed(value: str, held: str) -> bool:
    """Tell whether a number that begins with zeros stands there without them."""
    bare = value.lstrip("0")
    if not (value.isalnum() and value[0] == "0" and len(bare) >= SHORTEST and bare[0].isdigit()):
        return False
    at = held.find(bare)
    return at >= 0 and (at == 0 or not held[at - 1].isalnum())


def _damaged(value: str) -> Iterator[str]:
    """Yield what a text becomes where its signs cannot be held."""
    folded = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    forms = (folded, value.encode("ascii", "replace").decode(), value.encode("ascii", "ignore").decode())
    for form in (*forms, value.encode("utf-8").decode("latin-1")):
        if len(form.strip(" ?")) >= SHORTEST:
            yield " ".join(form.split())


def _flag(code: str, frame: Frame, field: str, text: str, keys: Sequence[str], of: int) -> Flag:
    return Flag(code, frame.entry, field, text, len(keys), of, tuple(dict.fromkeys(keys))[:EXAMPLES])
