"""References: records whose person, type or other counterpart is not in the export, or cannot move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.validators.lines import Lines, Words, in_words, section_of, streams_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.protocols import Finding, Schema, StagedView


def check_references(view: StagedView) -> Iterator[Finding]:
    """Yield, per stream and field, the records that refer to nothing, and those that refer to what cannot move."""
    for stream, schema in streams_with(view):
        codes: dict[str, str] = {}
        lines: dict[str, Lines] = {}
        for record_id, field, state in _broken(view, stream, schema):
            kind = f"{field} {state}"
            if kind not in lines:
                code, words = _words(view, stream, schema, field, state)
                lines[kind] = Lines({code: words}, stream, _section(schema, field), view.count(stream))
                codes[kind] = code
            lines[kind].add(codes[kind], record_id)
        for kind in sorted(lines):
            yield from lines[kind].findings()


def _broken(view: StagedView, stream: str, schema: Schema) -> Iterator[tuple[str, str, str | None]]:
    """Yield the broken references; of two fields that may both name the counterpart (`x-or`), where neither does."""
    either = {name: str(each["x-or"]) for name, each in schema["properties"].items() if "x-or" in each}
    found = view.broken_references(stream)
    if not either:
        yield from found
        return
    broken = list(found)
    places = {(record_id, field) for record_id, field, _ in broken}
    named = {record.id: record.data for record in view.records(stream)} if places else {}
    for record_id, field, state in broken:
        other = either.get(field)
        if other is None or not named.get(record_id, {}).get(other):
            yield record_id, field, state
        elif (record_id, other) in places and field in schema.get("required", ()):
            yield record_id, field, state


def _section(schema: Schema, field: str) -> str:
    """Return the field's own section, else its stream's."""
    return str(schema["properties"][field].get("x-section", section_of(schema)))


def _words(view: StagedView, stream: str, schema: Schema, field: str, state: str | None) -> tuple[str, Words]:
    """Return the code, and what is said of it."""
    each = schema["properties"][field]
    target = each["x-references"]
    other = each.get("x-as") or in_words(field)
    # What is told of a person belongs to it (`member` among `members`); a guarantor or referrer is somebody beside.
    of_a_person = bool(view.schema(target).get("x-people")) and target.startswith(other[:-1])
    if state == "rejected":
        return "refers_to_rejected", Words(
            "warning",
            f"Their {in_words(other)} ({field}) has a row that cannot move.",
            "They wait for it; once that row is mended they follow by themselves.",
        )
    if state == "skipped":
        return "refers_to_skipped", Words(
            "info",
            f"Their {in_words(other)} ({field}) has a row that is left out by a rule.",
            "They are moved without it, or stay behind with it.",
        )
    if field in schema.get("required", ()) or of_a_person:
        return "orphan", Words(
            "error",
            f"The {in_words(other)} they belong to ({field}) is not in the export.",
            "They stay behind: nobody is invented for them.",
            f"Are {in_words(target)} missing from the export?",
            "what belongs to nobody stays behind",
        )
    return "reference_missing", Words(
        "warning",
        f"What they name as {in_words(other)} ({field}) is not among {in_words(target)}.",
        "They are moved without it.",
    )
