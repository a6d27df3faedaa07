"""Clinical notes: time, author and text, split without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.protocols import LinkRef

if TYPE_CHECKING:
    from collections.abc import Callable

Make = Any


def patient(make: Callable[..., Make], **data: Any) -> Make:
    """Return a practice with one patient, Ada Quill, id 1."""
    given = {"status": "patient", "first_name": "Ada", "last_name": "Quill", **data}
    return make().add("patients", "1", **given)


def test_a_clinical_note_keeps_time_author_and_text(
    practice: Callable[..., Make], known_users: set[tuple[str, str]]
) -> None:
    given = patient(practice).add("staff", "s", name="Bo Lee")
    given.add(
        "clinical_notes", "n", patient_id="1", author_id="s", written_at="2024-07-01T10:00:00", text="<b>x</b>\ny & z"
    )

    unmatched = given.one("clinical_notes", "n")
    known_users.add(("staff", "s"))
    matched = given.one("clinical_notes", "n")

    assert unmatched.fields == {
        "content": "By Bo Lee, 2024-07-01<br>&lt;b&gt;x&lt;/b&gt;<br>y &amp; z", "add_time": "2024-07-01T15:00:00Z",
    }  # fmt: skip
    assert "user_id" not in unmatched.links
    assert matched.fields["content"] == "&lt;b&gt;x&lt;/b&gt;<br>y &amp; z"
    assert matched.links["user_id"] == LinkRef("user", "dental:staff:s")
    assert matched.links["person_id"] == LinkRef("person", "dental:patients:1", required=True)


def test_a_long_note_is_split_without_loss(practice: Callable[..., Make]) -> None:
    text = "word & word " * 400
    given = practice(note_limit=1000).add("patients", "1", status="patient", last_name="Quill")
    given.add("clinical_notes", "n", patient_id="1", text=text)

    parts = given.run("clinical_notes", "n")

    contents = [str(part.fields["content"]) for part in parts]
    assert [part.part for part in parts] == ["", *(str(at) for at in range(2, len(parts) + 1))]
    assert max(map(len, contents)) <= 1000
    assert "".join(contents) == text.replace("&", "&amp;")


def test_a_blank_note_is_left_out(practice: Callable[..., Make]) -> None:
    given = patient(practice).add("clinical_notes", "n", patient_id="1", text=" \n ")

    assert given.rule("clinical_notes", "n") == "skipped empty_note"
