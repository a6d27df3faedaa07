"""Text quality: what a text holds that another system may show wrongly, take for a formula, or lose."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from flitstack.validators.lines import Lines, Words, streams_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.protocols import Finding, Schema, StagedView

SECTION = "text"
KINDS = {
    "letters_broken": Words(
        "warning",
        "Texts with letters that were decoded wrongly (such as Ã© for é).",
        "They are moved as they are: what they were is not guessed.",
        "Can the export be made again in UTF-8?",
        "moved as they are",
    ),
    "letters_gone": Words(
        "warning",
        "Texts with the sign that stands for a letter that was lost.",
        "They are moved as they are; only the old system knows the letter.",
    ),
    "control_character": Words(
        "warning", "Texts with control characters.", "They are moved where the destination takes them."
    ),
    "rich_text": Words("warning", "Texts stored as rich text (RTF).", "They are moved as written, with their codes."),
    "markup": Words("info", "Texts with HTML in them.", "They are shown as written: nothing in them can run."),
    "formula_cell": Words(
        "info",
        "Texts that a spreadsheet would take for a formula.",
        "They are moved as text; in tables that flit writes they are made harmless.",
    ),
    "right_to_left": Words(
        "info", "Texts in a script that is written from right to left.", "They are moved as they are."
    ),
    "emoji": Words("info", "Texts with emoji.", "They are moved as they are."),
    "line_break": Words("info", "Texts of several lines.", "The lines are kept."),
    "quotation_mark": Words("info", "Texts with quotation marks in them.", "They are kept."),
}

_BROKEN = re.compile("[ÂÃ][\u0080-\u00bf]|â€|ï»¿|ðŸ")
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:amp|lt|gt|nbsp|quot|#\d+);")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_FORMULA = re.compile(r"[=@]\S|[+\-](?=[\w(=@])(?![\d.,]+\Z)")


def check_texts(view: StagedView) -> Iterator[Finding]:
    """Yield, per stream, how many records hold a text of each kind."""
    for stream, schema in streams_with(view):
        fields = _text_fields(schema)
        if not fields:
            continue
        lines = Lines(KINDS, stream, SECTION, view.count(stream))
        for record_id, text in view.texts(stream):
            if text.isascii() and not _is_worth_a_look(text):
                continue
            data = json.loads(text)
            found = {kind for field in fields if isinstance(value := data.get(field), str) for kind in kinds(value)}
            for kind in found:
                lines.add(kind, record_id)
        yield from lines.findings()


def _is_worth_a_look(text: str) -> bool:
    """Tell whether a record's canonical JSON holds what some kind begins with: nearly all do not, so this is quick."""
    return (
        "\\" in text  # a line break, a quotation mark, a backslash, a control character
        or "<" in text
        or "&" in text
        or '":"=' in text
        or '":"-' in text
        or '":"+' in text
        or '":"@' in text
        or "\x7f" in text
    )


def _text_fields(schema: Schema) -> Sequence[str]:
    """Return the fields of free text: no code, id, date, amount or number to call."""
    return [
        name
        for name, each in schema.get("properties", {}).items()
        if name != "id"
        and "string" in (each.get("type") or ())
        and not {"enum", "x-references", "x-type", "format", "pattern"} & each.keys()
        and each.get("x-person") not in ("phones", "reach")
    ]


def kinds(text: str) -> Iterator[str]:
    """Yield what there is to say of one text."""
    if not text.isascii():
        if _BROKEN.search(text):
            yield "letters_broken"
        if "\ufffd" in text:
            yield "letters_gone"
        if _RIGHT_TO_LEFT.search(text):
            yield "right_to_left"
        if _EMOJI.search(text):
            yield "emoji"
    if text.startswith("{\\rtf"):
        yield "rich_text"
    elif _MARKUP.search(text):
        yield "markup"
    if _FORMULA.match(text):
        yield "formula_cell"
    if "\n" in text:
        yield "line_break"
    if '"' in text:
        yield "quotation_mark"
    if _CONTROL.search(text):
        yield "control_character"
