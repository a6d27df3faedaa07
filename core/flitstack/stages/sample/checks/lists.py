"""Fields with several values against the source's rows: what was dropped, and labels that stand elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flitstack.stages.sample.checks.found import EXAMPLES, FEWEST, Flag, Frame
from flitstack.stages.sample.observed import digits, is_id, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.stages.sample.observed import Observed

KEPT = 0.8
DROPPED = 0.2
DIGITS = 7
CROSSED = 0.5


def _form(text: str) -> str:
    """Return a value in a form that survives another way of writing it."""
    number = digits(text)
    return number if len(number) >= DIGITS and "@" not in text else " ".join(text.casefold().split())


def check_several(observed: Sequence[Observed], field: str, frame: Frame) -> Iterator[Flag]:
    """Look at whether what the source has several of has only its first here, and the others nowhere."""
    if not any(isinstance(each.held.get(field), list) for each in observed):
        return
    firsts: Counter[str] = Counter()
    later: dict[str, list[tuple[str, bool]]] = {}
    for each in observed:
        held = {_form(text) for text in texts_of(each.held.get(field))}
        if not held:
            continue
        everything = " ".join(_form(text) for value in each.held.values() for text in texts_of(value))
        all_digits = " ".join(digits(text) for value in each.held.values() for text in texts_of(value))
        for column, values in _columns(each).items():
            forms = [form for value in values if (form := _form(value))]
            mine = [form for form in forms if _of_a_kind(form, held)]
            if len(mine) > 1 and any(form in held for form in mine):
                firsts[column] += 1
                found = all(form in everything or form in all_digits for form in mine)
                later.setdefault(column, []).append((each.key, found))
    for column, seen in later.items():
        gone = [key for key, found in seen if not found]
        if len(gone) >= FEWEST and len(gone) > len(seen) * (1 - DROPPED):
            text = f"Where {column} has several, only one of them is kept."
            yield Flag("only_first", frame.entry, field, text, len(gone), len(seen), tuple(gone[:EXAMPLES]))


def _of_a_kind(form: str, held: set[str]) -> bool:
    """Tell whether a value looks like those of the field: numbers among numbers, addresses with @ among such."""
    return any(form.isdigit() == other.isdigit() and ("@" in form) == ("@" in other) for other in held)


def _columns(each: Observed) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in each.folded:
        for name, value in row.data.items():
            if isinstance(value, str) and value and not is_id(name):
                found.setdefault(f"{row.stream}.{name}", []).append(value)
    return found


def check_labels(observed: Sequence[Observed], field: str, frame: Frame) -> Iterator[Flag]:
    """Look at the labels of values beside what the source calls the same values."""
    called: dict[str, list[tuple[str, str, str]]] = {}
    for each in observed:
        items = each.held.get(field)
        for item in items if isinstance(items, list) else ():
            if not isinstance(item, dict) or not isinstance(item.get("label"), str):
                continue
            form = _form(str(item.get("value")))
            for row in each.folded:
                if any(isinstance(value, str) and _form(value) == form for value in row.data.values()):
                    for name, value in row.data.items():
                        if isinstance(value, str):
                            said = (each.key, value.casefold(), item["label"].casefold())
                            called.setdefault(f"{row.stream}.{name}", []).append(said)
    for column, pairs in called.items():
        labels = {label for _, _, label in pairs}
        same = [(key, said, label) for key, said, label in pairs if said in labels]
        crossed = [key for key, said, label in same if said != label]
        if len(same) >= FEWEST and len(crossed) > len(same) * CROSSED:
            text = f"Values that {column} calls one thing are labelled another, which other values are called there."
            yield Flag("labels_crossed", frame.entry, field, text, len(crossed), len(same), tuple(crossed[:EXAMPLES]))
