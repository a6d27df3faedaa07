"""The policies that save writes: notes joined per visit, and patients without activity left out."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flitstack.errors import SettingsError
from flitstack.mapping import find_template, load_template
from flitstack.protocols import LinkRef
from flitstack_dental.policies import is_active, joined_notes, notes_in_order, sole_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.mapping import Desired

MORNING, NOON, NEXT_DAY = datetime(2026, 3, 2, 9, 5), datetime(2026, 3, 2, 12, 30), datetime(2026, 3, 3, 9, 0)


def staged(**data: Any) -> dict[str, Any]:
    """Return a record's values in the form in which the journal holds them."""
    return {
        name: value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
        for name, value in data.items()
    }


def visit(practice: Callable[..., Any], *notes: dict[str, Any]) -> Any:
    """Return a practice of one patient with these notes, in this order, joined per visit."""
    made = practice("full", notes="per_visit").add("patients", "p", first_name="Ida", last_name="Berg")
    made.add("providers", "d1", first_name="Dora", last_name="Lang").add("providers", "d2", last_name="Moss")
    made.add("staff", "s1", name="Ann Poe").add("staff", "s2", name="Bo Quist")
    made.add("appointments", "a", patient_id="p", **staged(status="completed", starts_at=MORNING))
    for number, note in enumerate(notes, 1):
        made.add("clinical_notes", f"n{number}", **staged(**{"patient_id": "p", "text": f"words {number}", **note}))
    return made


def joined(practice: Callable[..., Any], *notes: dict[str, Any]) -> Desired:
    """Return the one note that these become."""
    made = visit(practice, *notes)
    keys = {made.one("clinical_notes", f"n{number}").key for number in range(1, len(notes) + 1)}
    assert len(keys) == 1
    found: Desired = made.one("clinical_notes", "n1")
    return found


def test_notes_of_one_appointment_become_one_note_in_the_order_they_were_written(practice: Callable[..., Any]) -> None:
    later, earlier = ({"appointment_id": "a", "written_at": at, "author_id": "s1"} for at in (NOON, MORNING))

    note = joined(practice, later, earlier)

    content = str(note.fields["content"])
    assert content.index("words 2") < content.index("words 1")
    assert note.fields["add_time"] == "2026-03-02T15:05:00Z"
    assert content.startswith("Visit: 2026-03-02 09:05<br>")
    assert note.key == "dental:visit_notes:p@a"
    assert {(c.stream, c.id) for c in note.contributions} == {("clinical_notes", "n1"), ("clinical_notes", "n2")}


def test_notes_without_an_appointment_are_joined_by_day(practice: Callable[..., Any]) -> None:
    made = visit(practice, {"written_at": MORNING}, {"written_at": NOON}, {"written_at": NEXT_DAY}, {}, {})

    keys = [made.one("clinical_notes", f"n{number}").key for number in range(1, 6)]

    assert keys[0] == keys[1] == "dental:visit_notes:p@2026-03-02"
    assert len(set(keys)) == 4  # another day, and each that has no day, stands alone


def test_notes_of_two_patients_are_never_joined(practice: Callable[..., Any]) -> None:
    made = visit(practice, {"appointment_id": "a"}, {"appointment_id": "a", "patient_id": "q"})

    assert made.one("clinical_notes", "n1").key != made.one("clinical_notes", "n2").key


def test_a_joined_note_has_its_author_when_one_person_wrote_it_all(
    practice: Callable[..., Any], known_users: set[tuple[str, str]]
) -> None:
    known_users.add(("staff", "s1"))

    note = joined(practice, *({"appointment_id": "a", "author_id": "s1", "written_at": at} for at in (MORNING, NOON)))

    assert note.links["user_id"] == LinkRef("user", "dental:staff:s1")
    assert str(note.fields["content"]).count("By Ann Poe, 2026-03-02") == 2


def test_a_joined_note_of_several_people_has_no_author_and_names_each(
    practice: Callable[..., Any], known_users: set[tuple[str, str]]
) -> None:
    known_users.update({("staff", "s1"), ("staff", "s2"), ("providers", "d2")})
    authors = ({"author_id": "s1"}, {"author_id": "s2"}, {"provider_id": "d2"})

    note = joined(practice, *({"appointment_id": "a", "written_at": MORNING, **author} for author in authors))

    assert "user_id" not in note.links
    for name in ("Ann Poe", "Bo Quist", "Moss"):
        assert f"By {name}, 2026-03-02 09:05" in str(note.fields["content"])


def test_empty_notes_and_older_versions_are_in_no_joined_note(practice: Callable[..., Any]) -> None:
    same = {"appointment_id": "a", "version_of": "v"}
    made = visit(
        practice,
        {**same, "written_at": NOON},
        {**same, "written_at": MORNING},
        {"appointment_id": "a", "text": " "},
        {"appointment_id": "a", "written_at": NEXT_DAY},
    )

    content = str(made.one("clinical_notes", "n1").fields["content"])

    assert made.rule("clinical_notes", "n2") == "skipped older_note_version"
    assert made.rule("clinical_notes", "n3") == "skipped empty_note"
    assert "words 1" in content
    assert "words 4" in content
    assert "words 2" not in content


def test_a_long_visit_is_split_and_nothing_is_lost(practice: Callable[..., Any]) -> None:
    notes = [{"appointment_id": "a", "text": f"<{number}>" * 9000} for number in range(6)]

    parts = visit(practice, *notes).run("clinical_notes", "n1")

    assert len(parts) > 1
    assert [desired.part for desired in parts] == ["", *map(str, range(2, len(parts) + 1))]
    whole = "".join(str(desired.fields["content"]) for desired in parts)
    assert all(whole.count(f"&lt;{number}&gt;") == 9000 for number in range(6))


@given(
    notes=st.lists(
        st.fixed_dictionaries(
            {
                "patient_id": st.sampled_from(["p", "q"]),
                "appointment_id": st.sampled_from([None, "a", "b", "2026-03-02"]),
                "written_at": st.sampled_from([None, MORNING, NOON, NEXT_DAY]),
                "author_id": st.sampled_from([None, "s1", "s2"]),
                "text": st.sampled_from(["one", "two", "", "three"]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_note_with_words_is_in_exactly_one_joined_note(
    practice: Callable[..., Any], notes: list[dict[str, Any]]
) -> None:
    made = visit(practice, *notes)

    outcomes = [made.run("clinical_notes", f"n{number}") for number in range(1, len(notes) + 1)]

    groups = {each.key: each for outcome in outcomes if isinstance(outcome, list) for each in outcome}
    members = Counter(c.id for each in groups.values() for c in each.contributions)
    assert members == Counter(f"n{number}" for number, note in enumerate(notes, 1) if note["text"])
    for each in groups.values():
        assert len({notes[int(c.id[1:]) - 1]["patient_id"] for c in each.contributions}) == 1


def test_the_order_of_notes_puts_those_without_a_time_last() -> None:
    undated, noon, morning = {"id": "u"}, {"id": "n", "written_at": NOON}, {"id": "m", "written_at": MORNING}

    assert [note["id"] for note in notes_in_order([undated, noon, morning])] == ["m", "n", "u"]


def test_notes_of_nobody_named_have_no_sole_writer() -> None:
    assert sole_writer([{"id": "1"}, {"id": "2"}]) is None


def test_a_joined_text_says_what_each_note_hangs_on() -> None:
    procedure = {"code": "D2740", "description": "Crown", "tooth": "14"}
    texts = joined_notes([{"text": "a", "category": "Chart", "procedure": procedure}, {"text": "b"}])

    assert texts == ["Category: Chart\nProcedure: D2740 Crown (tooth 14)\na\n", "b"]


# --- active_since -----------------------------------------------------------------------------------------------------

SINCE, BEFORE, AFTER = "2024-01-01", datetime(2023, 12, 31, 23, 59), datetime(2024, 1, 1, 0, 0)
ACTIVITY: list[tuple[str, dict[str, Any], bool]] = [
    ("appointments", {"status": "completed", "starts_at": AFTER}, True),
    ("appointments", {"status": "scheduled", "starts_at": datetime(2027, 1, 5, 8, 0)}, True),
    ("appointments", {"status": "completed", "starts_at": BEFORE}, False),
    ("appointments", {"status": "cancelled", "starts_at": AFTER}, False),
    ("appointments", {"status": "unscheduled", "starts_at": None}, False),
    ("procedures", {"status": "completed", "performed_on": date(2024, 1, 1)}, True),
    ("procedures", {"status": "completed", "performed_on": date(2023, 12, 31)}, False),
    ("procedures", {"status": "deleted", "performed_on": date(2025, 1, 1)}, False),
    ("treatment_plans", {"status": "accepted"}, True),
    ("treatment_plans", {"status": "completed"}, False),
    ("treatment_plan_items", {"status": "planned", "plan_id": None}, True),
    ("treatment_plan_items", {"status": "completed", "plan_id": None}, False),
    ("account_balances", {"balance": Decimal("-0.01")}, True),
    ("account_balances", {"balance": Decimal("0.00"), "outstanding": None}, False),
    ("account_balances", {"outstanding": Decimal("12.00")}, True),
]


@pytest.mark.parametrize(("stream", "data", "active"), ACTIVITY)
@pytest.mark.parametrize("profile", ["full", "engagement"])
def test_a_patient_stays_behind_without_activity(
    practice: Callable[..., Any], profile: str, stream: str, data: dict[str, Any], active: bool
) -> None:
    made = practice(profile, active_since=SINCE).add("patients", "p", last_name="Berg", status="patient")
    made.add(stream, "x", patient_id="p", **staged(**data))

    if active:
        assert made.one("patients", "p").object == "person"
    else:
        assert made.rule("patients", "p") == "skipped inactive"


@pytest.mark.parametrize("field", ["last_visit_date", "created_at"])
def test_a_stated_visit_or_a_new_entry_is_activity(practice: Callable[..., Any], field: str) -> None:
    moments = {"created_at": (BEFORE, AFTER), "last_visit_date": (BEFORE.date(), AFTER.date())}[field]
    made = practice("full", active_since=SINCE)
    made.add("patients", "old", last_name="Berg", **staged(**{field: moments[0]}))
    made.add("patients", "new", last_name="Dahl", **staged(**{field: moments[1]}))

    assert made.rule("patients", "old") == "skipped inactive"
    assert made.one("patients", "new").object == "person"


def test_only_the_newest_balance_counts() -> None:
    settled = [
        {"balance": Decimal(0), "balance_on": date(2026, 1, 1)},
        {"balance": Decimal(9), "balance_on": date(2020, 1, 1)},
    ]

    assert not is_active({}, SINCE, (), (), (), (), settled)
    assert is_active({}, SINCE, (), (), (), (), settled[1:])


def test_an_item_of_a_plan_that_was_closed_is_no_open_plan() -> None:
    item = {"status": "planned", "plan_id": "t"}

    assert not is_active({}, SINCE, (), (), [{"id": "t", "status": "rejected"}], [item], ())
    assert is_active({}, SINCE, (), (), [{"id": "t", "status": "unknown"}], [item], ())


@pytest.mark.parametrize("entry", ["document_lists", "patient_notes", "chart_notes", "prospective_patients"])
def test_an_inactive_patient_has_nothing_beside_the_person(practice: Callable[..., Any], entry: str) -> None:
    made = practice("full", active_since=SINCE).add(
        "patients", "p", last_name="Berg", status="prospective", medical_alert="Latex"
    )

    assert made.run(entry, "p") is None


def test_without_the_policy_nobody_is_inactive(practice: Callable[..., Any]) -> None:
    assert practice("full").add("patients", "p", last_name="Berg").one("patients", "p").object == "person"


@pytest.mark.parametrize("value", ["2024", "2024-13-01", "01/02/2024", "yesterday"])
def test_what_is_no_day_is_refused(value: str) -> None:
    template = load_template(find_template("dental-to-pipedrive"))

    with pytest.raises(SettingsError, match="active_since"):
        template.resolve(
            {"profile": "full", "active_since": value}, {"currency": "USD", "time_zone": "UTC", "activity_zone": "UTC"}
        )


def test_every_policy_names_a_value_of_its_variable_and_says_what_it_gives_up() -> None:
    template = load_template(find_template("dental-to-pipedrive"))

    assert set(template.policies) == {"procedures", "notes", "active_since", "stale_open"}
    for policy in template.policies.values():
        for value in policy.offers(date(2026, 6, 30)):
            given = {"profile": "full", policy.variable: value}
            facts = {"currency": "USD", "time_zone": "UTC", "activity_zone": "UTC"}
            assert template.resolve(given, facts)[policy.variable] == value
        assert policy.gives_up.strip()
    assert template.policies["active_since"].offers(date(2026, 6, 30)) == ["2024-06-30"]
