"""Clinical notes: time, author and text, split without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

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


def test_the_author_of_a_note_is_who_wrote_it_and_never_somebody_else(
    practice: Callable[..., Make], known_users: set[tuple[str, str]]
) -> None:
    given = patient(practice).add("staff", "s", name="Bo Lee").add("providers", "p", last_name="Orr")
    given.add("clinical_notes", "a", patient_id="1", author_id="s", provider_id="p", text="x")
    given.add("clinical_notes", "b", patient_id="1", provider_id="p", text="x")
    known_users.add(("providers", "p"))

    by_staff, by_provider = given.one("clinical_notes", "a"), given.one("clinical_notes", "b")
    given.add("staff", "s", name="Bo Lee", provider_id="p")
    by_same_person = given.one("clinical_notes", "a")

    assert ("user_id" in by_staff.links, by_staff.fields["content"]) == (False, "By Bo Lee<br>x")
    assert by_provider.links["user_id"] == LinkRef("user", "dental:providers:p")
    assert by_provider.fields["content"] == "x"
    assert by_same_person.links["user_id"] == LinkRef("user", "dental:providers:p")


def test_of_the_versions_of_a_note_the_newest_counts(practice: Callable[..., Make]) -> None:
    given = patient(practice).add("clinical_notes", "z", patient_id="1", text="other")
    for number, day in (("1", "02"), ("2", "03"), ("3", "01")):
        when = f"2024-01-{day}T10:00:00"
        given.add("clinical_notes", number, patient_id="1", version_of="7", written_at=when, text=number)

    assert given.one("clinical_notes", "2").fields["content"] == "2"
    assert given.one("clinical_notes", "z").fields["content"] == "other"
    assert {given.rule("clinical_notes", number) for number in "13"} == {"skipped older_note_version"}


LONG = "word & wörd " * 500
TEXTS = [
    ("appointments", "appointment_texts", "a", {"status": "completed", "starts_at": "2024-03-04T10:00:00"}),
    ("recalls", "recall_texts", "a", {"due_on": "2027-01-02", "type_name": "Prophy"}),
    ("procedures", "procedure_texts", "a", {"status": "completed", "performed_on": "2024-03-04"}),
    ("communications", "communication_texts", "a", {"kind": "call", "happened_at": "2024-03-04T10:00:00"}),
]


@pytest.mark.parametrize(("stream", "entry", "number", "data"), TEXTS)
@pytest.mark.parametrize("procedures", ["each", "per_visit"])
def test_a_text_too_long_for_an_activity_stands_whole_in_notes(
    practice: Callable[..., Make], stream: str, entry: str, number: str, data: dict[str, Any], procedures: str
) -> None:
    given = practice(note_limit=2000, procedures=procedures)
    given.add("patients", "1", status="patient", first_name="Ada", last_name="Quill")
    given.add(stream, number, patient_id="1", note=LONG, **data)

    activity, notes = given.one(stream, number), given.run(entry, number)

    contents = [str(note.fields["content"]) for note in notes]
    head = contents[0].split("<br>")[0]
    assert LONG.strip().replace("&", "&amp;") in "".join(contents)
    assert str(activity.fields["note"]).startswith(
        f"Too long for an activity; the whole text stands in a note of this person, headed: {head}<br>"
    )
    assert max(len(text.encode()) for text in (*contents, str(activity.fields["note"]))) <= 2000
    assert {note.links["person_id"].key for note in notes} == {"dental:patients:1"}


@pytest.mark.parametrize(("stream", "entry", "number", "data"), TEXTS)
def test_a_text_that_a_note_holds_and_an_activity_does_not_stands_in_one_note(
    practice: Callable[..., Make], stream: str, entry: str, number: str, data: dict[str, Any]
) -> None:
    given = patient(practice).add(stream, number, patient_id="1", note="x" * 70_000, **data)

    assert len(str(given.one(stream, number).fields["note"]).encode()) <= 64_000
    assert len(given.run(entry, number)) == 1


@pytest.mark.parametrize(("stream", "entry", "number", "data"), TEXTS)
def test_a_text_that_fits_makes_no_note(
    practice: Callable[..., Make], stream: str, entry: str, number: str, data: dict[str, Any]
) -> None:
    given = patient(practice).add(stream, number, patient_id="1", note="short", **data)

    assert "short" in given.one(stream, number).fields["note"]
    assert not given.run(entry, number)


def test_an_appointment_that_does_not_move_leaves_no_note_behind(practice: Callable[..., Make]) -> None:
    given = practice(note_limit=1000, cancelled="skip").add("patients", "1", status="patient", last_name="Quill")
    given.add("appointments", "a", patient_id="1", status="cancelled", starts_at="2024-03-04T10:00:00", note=LONG)

    assert given.rule("appointments", "a") == "skipped cancelled_appointment"
    assert given.run("appointment_texts", "a") is None


def test_a_note_lists_the_documents_that_say_more_than_their_name(practice: Callable[..., Make]) -> None:
    given = patient(practice).add("documents", "d", patient_id="1", name="x.pdf", created_at="2024-03-04T00:00:00")

    nothing = given.run("document_lists", "1")
    given.add("documents", "e", patient_id="1", name="y.pdf", category="Consent", description="signed <twice>")
    made = given.one("document_lists", "1")

    assert nothing == []
    assert made.fields == {"content": "Documents<br>x.pdf, 2024-03-04<br>y.pdf, Consent, signed &lt;twice&gt;"}
    assert [(item.id, item.role) for item in made.contributions if item.stream == "documents"] == [
        ("d", "folded"), ("e", "folded"),
    ]  # fmt: skip


def test_a_document_of_a_visit_alone_is_named_in_the_visit(practice: Callable[..., Make]) -> None:
    given = patient(practice).add("documents", "d", appointment_id="a", name="x.pdf", description="bite")
    given.add("appointments", "a", patient_id="1", status="completed", starts_at="2024-03-04T10:00:00")

    assert str(given.one("appointments", "a").fields["note"]).endswith("<br>Documents: x.pdf, bite")
