"""Codes, and whole columns that stand under another's name, against the source's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flitstack.stages.sample.checks.found import EXAMPLES, FEWEST, Flag, Frame
from flitstack.stages.sample.observed import is_id, plain, texts_of, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.protocols import JSON
    from flitstack.stages.sample.observed import Observed, Row

FEW = 50
CROSSED = 0.5
MOSTLY = 0.8
DOMINANT = 0.8
NAMED = 0.5
ALIKE = 0.4
LOOKED_AT = 300
LONGEST = 200
GENERAL = frozenset({"name", "type", "value", "date", "status", "note", "title", "content", "subject"})


def check_words(observed: Sequence[Observed], field: str, frame: Frame) -> Iterator[Flag]:
    """Look at codes that source and destination call the same, and that stand for each other's records."""
    yield from _crossed_words(observed, field, frame, [_code(each.held.get(field)) for each in observed])


def _crossed_words(
    observed: Sequence[Observed], field: str, frame: Frame, held: Sequence[str | None]
) -> Iterator[Flag]:
    known = {value for value in held if value}
    if not known or len(known) > FEW:
        return
    for column in _codes(observed):
        if not _is_about(column, field, frame):
            continue
        pairs = [
            (each.key, said, value)
            for each, value in zip(observed, held, strict=True)
            if value and (said := _code(each.main[0].data.get(column) if each.main else None)) in known
        ]
        crossed = [key for key, said, value in pairs if said != value]
        if len({said for _, said, _ in pairs}) > 1 or len(crossed) == len(pairs):
            if len(crossed) >= FEWEST and len(crossed) > len(pairs) * CROSSED:
                text = f"Records that {frame.stream}.{column} calls one thing are called another here."
                keys = tuple(crossed[:EXAMPLES])
                yield Flag("words_crossed", frame.entry, field, text, len(crossed), len(pairs), keys)
                return


def _is_about(column: str, field: str, frame: Frame) -> bool:
    """Tell whether a column says what a field should: the map names it, or they share a name, or it names none."""
    named = frame.lineage.get(field, ())
    mine, theirs = words(field), words(column)
    alike = len(mine & theirs) >= len(mine | theirs) * ALIKE
    return f"{frame.stream}.{column}" in named or alike or not named


def _codes(observed: Sequence[Observed]) -> list[str]:
    """Return the columns of the records' own rows that hold codes: few values, many records of each."""
    values: dict[str, Counter[str]] = {}
    for each in observed:
        for name, value in each.main[0].data.items() if each.main else ():
            code = _code(value)
            if code:
                values.setdefault(name, Counter())[code] += 1
    return [n for n, found in values.items() if 1 < len(found) <= FEW and found.total() >= 2 * len(found)]


def _code(value: JSON) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str) or len(value) > FEW:
        return None
    return value.rpartition("/")[2].replace("_", " ").strip().casefold() or None


def check_one_for_all(observed: Sequence[Observed], field: str, frame: Frame) -> Iterator[Flag]:
    """Look at a field that is the same for all, though the columns it is made of are not."""
    held = Counter(value for each in observed if (value := _whole(each.held.get(field))))
    if len(held) != 1 or held.total() < FEWEST * 2:
        return
    columns = [name for name in frame.lineage.get(field, ()) if name.startswith(f"{frame.stream}.")]
    for column in columns:
        values = Counter(_told_apart(observed, column.rpartition(".")[2], field, frame))
        codes = FEWEST <= len(values) <= FEW and values.total() >= 2 * len(values)
        if codes and values.most_common(1)[0][1] < values.total() * DOMINANT:
            text = f"Every record has the same value, though {column} has {len(values):,}."
            yield Flag("one_for_all", frame.entry, field, text, held.total(), len(observed), _keys(observed))
            return


def _told_apart(observed: Sequence[Observed], name: str, field: str, frame: Frame) -> Iterator[str]:
    """Yield a column's values; of a reference those that lead to a row, and none where the field says yes or no."""
    target = frame.references.get(frame.stream, {}).get(name)
    for each in observed:
        value = each.main[0].data.get(name) if each.main else None
        if target is not None:
            known = any(row.stream == target and row.id == value for row in each.beside)
            value = None if isinstance(each.held.get(field), bool) or not known else value
        if value:
            yield str(value)


def _whole(value: JSON) -> str | None:
    texts = texts_of(value)
    return "\x1f".join(texts) if texts else None


def check_crossed(observed: Sequence[Observed], frame: Frame) -> Iterator[Flag]:
    """Look at fields that hold a column which another field is named after; and links by their words."""
    for field in {n: None for each in observed for n, link in each.links.items() if link[1].startswith("schema:")}:
        held = [_code(link[1]) if (link := each.links.get(field)) else None for each in observed]
        yield from _crossed_words(observed, field, frame, held)
    fields = [name for name in {n: None for each in observed for n in each.held} if name not in frame.keys]
    some = [(each, each.columns()) for each in observed[:: max(1, len(observed) // LOOKED_AT)]]
    followed = {name: _followed(some, name) for name in fields}
    for field, columns in followed.items():
        mine = words(field)
        if not columns or any(mine & words(column) for column in columns):
            continue
        for other in fields:
            theirs = words(other)
            named = [c for c in columns if len(theirs & words(c)) / len(theirs | words(c)) > NAMED]
            if other != field and theirs - GENERAL and named and named[0] not in followed[other]:
                text = f"It holds what the source calls {named[0]}, which {other} is named after."
                count = sum(bool(each.held.get(field)) for each in observed)
                yield Flag("columns_crossed", frame.entry, field, text, count, len(observed), _keys(observed))
                break
    yield from _kinds_crossed(observed, fields, frame)


def _followed(observed: Sequence[tuple[Observed, dict[str, list[JSON]]]], field: str) -> list[str]:
    """Return the source columns whose values stand in a field just as they are, nearly always."""
    same: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for each, columns in observed:
        held = _whole(each.held.get(field))
        if held is not None and 1 < len(held) <= LONGEST:
            there.update(columns.keys())
            same.update(name for name, values in columns.items() if held in values)
    return [name for name, n in same.items() if n >= FEWEST and n >= there[name] * MOSTLY]


def _kinds_crossed(observed: Sequence[Observed], fields: Sequence[str], frame: Frame) -> Iterator[Flag]:
    """Look at fields named after a kind of row (mailing, billing) that hold another though there is one of theirs."""
    kinds = _kinds(observed)
    for field in fields:
        mine = words(field)
        for (stream, name), vocabulary in kinds.items():
            asked = mine & vocabulary
            if len(asked) != 1:
                continue
            of, wrong = 0, list[str]()
            for each in observed:
                held = plain(" ".join(texts_of(each.held.get(field))))
                rows = [row for row in each.folded if row.stream == stream] if held else []
                right = [row for row in rows if str(row.data.get(name)).casefold() in asked]
                if right:
                    of += 1
                    if not any(_stands_in(row, held) for row in right):
                        wrong += [each.key] if any(_stands_in(row, held) for row in rows) else []
            if len(wrong) >= FEWEST and len(wrong) > of * CROSSED:
                text = f"It holds rows of which {stream}.{name} says another kind than {next(iter(asked))}."
                yield Flag("kinds_crossed", frame.entry, field, text, len(wrong), of, tuple(wrong[:EXAMPLES]))


def _kinds(observed: Sequence[Observed]) -> dict[tuple[str, str], set[str]]:
    """Return (stream, column) of gathered rows to its words, where there are few."""
    found: dict[tuple[str, str], set[str]] = {}
    for each in observed:
        for row in each.folded:
            for name, value in row.data.items():
                if isinstance(value, str) and value.isalpha():
                    found.setdefault((row.stream, name), set()).add(value.casefold())
    return {place: kinds for place, kinds in found.items() if 1 < len(kinds) <= FEW}


def _stands_in(row: Row, held: str) -> bool:
    """Tell whether the longest text of a row stands in a field."""
    texts = [
        value
        for name, value in row.data.items()
        if isinstance(value, str) and not is_id(name) and not name.endswith("_at")
    ]
    longest = max(texts, key=len, default="")
    return bool(longest) and plain(longest) in held


def check_names(observed: Sequence[Observed], frame: Frame) -> Iterator[Flag]:
    """Look at whether a family name stands before the first name, where the source has both."""
    backwards: list[str] = []
    of = 0
    for each in observed:
        held = each.held.get("name")
        data = each.main[0].data if each.main else {}
        first, last = data.get("first_name"), data.get("last_name")
        if isinstance(held, str) and isinstance(first, str) and isinstance(last, str) and first not in last:
            if first in held and last in held and last not in first:
                of += 1
                if held.find(last) < held.find(first):
                    backwards.append(each.key)
    if len(backwards) >= FEWEST and len(backwards) > of * MOSTLY:
        text = "The last name stands before the first name."
        yield Flag("names_backwards", frame.entry, "name", text, len(backwards), of, tuple(backwards[:EXAMPLES]))


def _keys(observed: Sequence[Observed]) -> tuple[str, ...]:
    return tuple(each.key for each in observed[:EXAMPLES])
