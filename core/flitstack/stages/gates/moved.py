"""What moved since an approval: what a gate shows now beside what was approved, part by part and line by line."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from flitstack.errors import MappingError
from flitstack.mapping.yamltext import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal import Approval, Journal
    from flitstack.stages.gates.gate import Gate

SPEC = "spec"
"""The part of a basis that is the hash of a rendered spec: the two specs are compared instead of their hashes."""
EXPORT = "export"
"""The part of a basis that is the fingerprint of the export: its rows are compared instead."""
MOST_PARTS = 40
MOST_LINES = 12
LONGEST = 160
NAMED_BY = (("entry",), ("object", "of", "name"), ("stream",))
"""What names an item of a list in a spec, so that an entry that is new does not make all after it look changed."""


def since_approval(
    journal: Journal, gate: Gate, earlier: Sequence[str], events: Sequence[tuple[str, str]] = ()
) -> tuple[str, ...]:
    """Return who approved a gate last, and what changed since, in lines; () when nobody ever did.

    :param earlier: gates before it that nobody approved as they are, and why, in words.
    :param events: what was done at gates before it and when, ISO: what is younger than the approval is told first.
    """
    approval = journal.approvals.last(gate.name)
    if approval is None:
        return ()
    before = journal.approvals.shown(gate.name, approval.hash)
    head = f"{approved_words(approval)}; since then:"
    done = [f"  {words}" for at, words in events if at > approval.at]
    if before is None:
        return (head, *done, "  what was shown then is not kept, so it must be looked at anew.")
    changes = [*_parts(journal, before.basis, gate.basis), *_rows(journal, before.basis, gate.basis)]
    lines = list(_lines(before.text, gate.text))
    if not changes and not lines:
        stands = f"it stands on {'; and on '.join(earlier)}" if earlier else "flit shows it in another way"
        return (head, *done, f"  nothing in what it shows; {stands}.")
    told = [f"  {line}" for line in _at_most(changes, MOST_PARTS)]
    if lines:
        told += ["  In its text (- before, + now):", *(f"    {line}" for line in _at_most(lines, MOST_LINES))]
    return (head, *done, *told)


def approved_words(approval: Approval) -> str:
    """Return who gave an approval, when, and what they attested."""
    day, time = approval.at[:10], approval.at[11:16]
    how = "Passed unseen" if approval.how == "unseen" else "Approved"
    attested = f" (attested: {approval.attestation})" if approval.attestation else ""
    return f"{how} by {approval.by} on {day} {time} UTC{attested}"


def _parts(journal: Journal, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs between the parts that two texts rest on, in words."""
    if before.get(SPEC) != now.get(SPEC):
        specs = [_spec(journal, basis.get(SPEC)) for basis in (before, now)]
        yield from (f"map, {change}" for change in differences(*specs))
    told_apart = (SPEC, EXPORT)
    yield from differences(
        {name: part for name, part in before.items() if name not in told_apart},
        {name: part for name, part in now.items() if name not in told_apart},
    )


def _spec(journal: Journal, sha256: object) -> Any:
    text = journal.approvals.spec_text(str(sha256))
    if text is None:
        return {}
    try:
        return _named(read_yaml(text, "spec").data)
    except MappingError:  # one that an older version of flit could read
        return {}


def _named(value: Any) -> Any:
    """Return plain data with its lists of named things as mappings by their names."""
    if isinstance(value, dict):
        return {str(key): _named(item) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for names in NAMED_BY:
            if all(names[-1] in item for item in value):
                keys = [" ".join(str(item[name]) for name in names if name in item) for item in value]
                if len(set(keys)) == len(keys):
                    return {key: _named(item) for key, item in zip(keys, value, strict=True)}
    return value


def _rows(journal: Journal, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield how many rows of each stream are new, changed or gone since the export that was approved."""
    if EXPORT not in now or before.get(EXPORT) == now[EXPORT] or not journal.approvals.has_rows():
        return
    for change in journal.approvals.row_changes():
        counts = (("new", change.new), ("changed", change.changed), ("vanished", change.vanished),
                  ("back again", change.returned))  # fmt: skip
        told = ", ".join(f"{count:,} {word}" for word, count in counts if count)
        yield f"export, rows of {change.stream}: {told}"


def differences(before: Any, now: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield what differs between two pieces of plain data, each with the names that lead to it."""
    if before == now:
        return
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            here = (*path, str(key))
            if key not in now:
                yield f"{_place(here)}: gone{_told(', was ', before[key])}"
            elif key not in before:
                yield f"{_place(here)}: new{_told(', ', now[key])}"
            else:
                yield from differences(before[key], now[key], here)
    elif isinstance(before, list) and isinstance(now, list) and (_only(before, now) or _only(now, before)):
        gone, new = _only(before, now), _only(now, before)
        told = [*([f"without {_short(gone)}"] if gone else []), *([f"with {_short(new)}"] if new else [])]
        yield f"{_place(path)}: now {' and '.join(told)}"
    else:
        yield f"{_place(path)}: was {_short(*_apart(before, now))}, is now {_short(*_apart(now, before))}"


def _place(path: Sequence[str]) -> str:
    return " > ".join(name.replace("_", " ") if name.islower() else name for name in path)


def _only(these: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    return [item for item in these if item not in others]


def _told(word: str, value: Any) -> str:
    return "" if value in (None, "", [], {}) else f"{word}{_short(value)}"


def _apart(value: Any, other: Any) -> tuple[Any, int]:
    """Return a value, and, of long texts, where it is worth reading: a little before the first difference."""
    if not (isinstance(value, str) and isinstance(other, str)) or max(len(value), len(other)) <= LONGEST:
        return value, 0
    same = next((at for at, (one, two) in enumerate(zip(value, other, strict=False)) if one != two), 0)
    return value, max(0, same - LONGEST // 2)


def _short(value: Any, start: int = 0) -> str:
    if isinstance(value, list):
        text = ", ".join(map(_plain, value))
    elif isinstance(value, dict):
        text = ", ".join(f"{key} {_plain(item)}" for key, item in value.items() if item not in (None, "", [], {}))
    else:
        text = _plain(value)
    text = f"... {text[start:]}" if start else text
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(value.split()) or '""'
    return f"{value:,}" if type(value) is int else json.dumps(value, ensure_ascii=False)


def _lines(before: str, now: str) -> Iterator[str]:
    """Yield the lines that were taken away (-) and added (+)."""
    for line in difflib.unified_diff(before.splitlines(), now.splitlines(), lineterm="", n=0):
        if not line.startswith(("---", "+++", "@@")):
            yield f"{line[0]} {line[1:].strip()}"


def _at_most(lines: Sequence[str], most: int) -> list[str]:
    rest = len(lines) - most
    return [*lines[:most], *([f"and {rest:,} more"] if rest > 0 else [])]
