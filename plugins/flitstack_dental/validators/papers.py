"""Notes, prescriptions and documents: how long texts are, what is empty, and which files are not in the export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.validators.lines import Lines, Words, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.protocols import Finding, StagedView

NOTES = {
    "oversize_note": Words(
        "warning", "Notes longer than 100,000 characters.", "They are moved in several parts, each marked as such."
    ),
    "note_without_day": Words("warning", "Notes without a day and time.", "They are moved without one."),
}
DRUGS = {
    "controlled_drug": Words("info", "Prescriptions of controlled drugs.", "They are moved as the others are."),
    "no_drug": Words("warning", "Prescriptions without a drug.", "They are moved without one."),
}
TALKS = {
    "talk_without_day": Words(
        "error", "Calls, letters and messages without a day.", "They stay behind: no day is invented."
    ),
}
DOCUMENTS = {
    "document_missing": Words(
        "error",
        "Documents whose file is not in the export.",
        "They stay behind, and are listed.",
        "Where are the files (--set source.documents=FOLDER)?",
        "they stay behind",
    ),
    "document_of_nobody": Words("warning", "Documents without a patient.", "They stay behind."),
    "large_document": Words("info", "Documents of more than 25 MB.", "They are moved where the account takes them."),
}
SIZES = ((100, "up to 100"), (500, "to 500"), (2_000, "to 2,000"), (10_000, "to 10,000"), (100_000, "to 100,000"))
BEYOND = "longer"
OVERSIZE = 100_000
LARGE_BYTES = 25 * 1024 * 1024


def check_papers(view: StagedView) -> Iterator[Finding]:
    """Yield the sizes of notes, and what notes, prescriptions and documents lack."""
    here = view.streams()
    if "clinical_notes" in here:
        yield from _notes(view)
    if "prescriptions" in here:
        lines = Lines(DRUGS, "prescriptions", "notes", view.count("prescriptions"))
        for record in view.records("prescriptions"):
            if record.data.get("controlled"):
                lines.add("controlled_drug", record.id)
            if not record.data.get("drug"):
                lines.add("no_drug", record.id)
        yield from lines.findings()
    if "communications" in here:
        lines = Lines(TALKS, "communications", "notes", view.count("communications"))
        for record in view.records("communications"):
            if not record.data.get("happened_at"):
                lines.add("talk_without_day", record.id)
        yield from lines.findings()
    if "documents" in here:
        lines = Lines(DOCUMENTS, "documents", "notes", view.count("documents"))
        for record in view.records("documents"):
            size = record.data.get("size")
            if not record.data.get("sha256"):
                lines.add("document_missing", record.id)
            if not record.data.get("patient_id"):
                lines.add("document_of_nobody", record.id)
            if isinstance(size, int) and size > LARGE_BYTES:
                lines.add("large_document", record.id)
        yield from lines.findings()


def _notes(view: StagedView) -> Iterator[Finding]:
    of = view.count("clinical_notes")
    lines = Lines(NOTES, "clinical_notes", "notes", of)
    sizes = dict.fromkeys((*(words for _, words in SIZES), BEYOND), 0)
    for record in view.records("clinical_notes"):
        length = len(str(record.data.get("text") or ""))
        sizes[next((words for most, words in SIZES if length <= most), BEYOND)] += 1
        if length > OVERSIZE:
            lines.add("oversize_note", record.id)
        if not record.data.get("written_at"):
            lines.add("note_without_day", record.id)
    words = Words("info", "Notes by their length in characters.")
    yield line("note_sizes", words, "clinical_notes", "notes", of, spread=tuple(sizes.items()))
    yield from lines.findings()
