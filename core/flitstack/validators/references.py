"""References: records whose person, type or other counterpart is not in the export, or cannot move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.validators.lines import KEYS, Words, in_words, line, section_of, streams_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.protocols import Finding, Schema, StagedView


def check_references(view: StagedView) -> Iterator[Finding]:
    """Yield, per stream and field, the records that refer to nothing, and those that refer to what cannot move."""
    for stream, schema in streams_with(view):
        counts: dict[tuple[str, str | None], int] = {}
        ids: dict[tuple[str, str | None], list[str]] = {}
        for record_id, field, state in view.broken_references(stream):
            kind = field, state
            counts[kind] = counts.get(kind, 0) + 1
            if counts[kind] <= KEYS:
                ids.setdefault(kind, []).append(record_id)
        of = view.count(stream) if counts else 0
        for (field, state), count in sorted(counts.items(), key=lambda item: (item[0][0], item[0][1] or "")):
            code, words = _words(view, stream, schema, field, state)
            yield line(code, words, stream, section_of(schema), count, tuple(ids[field, state]), of)


def _words(view: StagedView, stream: str, schema: Schema, field: str, state: str | None) -> tuple[str, Words]:
    target = schema["properties"][field]["x-references"]
    records, other = in_words(stream), in_words(target)
    of_a_person = bool(view.schema(target).get("x-people")) and target != stream
    needed = field in schema.get("required", ()) or of_a_person
    if state == "rejected":
        return "refers_to_rejected", Words(
            "warning", f"Of {records}: their entry among {other} ({field}) cannot be read, so they wait for it.",
            "They stay behind until that row is mended; then they follow by themselves.",
        )  # fmt: skip
    if state == "skipped":
        return "refers_to_skipped", Words(
            "info", f"Of {records}: their entry among {other} ({field}) is left out by a rule.",
            "They are moved without it, or stay behind with it.",
        )  # fmt: skip
    if needed:
        return "orphan", Words(
            "error", f"Of {records}: the one they belong to ({field}) is not among {other}.",
            "They cannot move: nobody is invented for them.",
            f"Are {other} missing from the export?", "they stay behind",
        )  # fmt: skip
    return "reference_missing", Words(
        "warning", f"Of {records}: what they name as {in_words(field)} ({field}) is not among {other}.",
        "They move without it.",
    )  # fmt: skip
