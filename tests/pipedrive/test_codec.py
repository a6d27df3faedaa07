"""What is written comes back as it was meant, for every kind of field and whatever the value."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.errors import Rejected
from flitstack.protocols import Operation, SchemaItem, full_key, source_key
from flitstack_pipedrive.codec.fieldbook import KEY_FIELD, CustomField, FieldBook
from flitstack_pipedrive.codec.marker import ROOM, split_marker, with_marker
from flitstack_pipedrive.codec.records import Directory, decode, encode
from flitstack_pipedrive.codec.shapes import SHAPES
from flitstack_pipedrive.codec.times import canonical_time, clock_time, version_1_time
from flitstack_pipedrive.codec.values import (
    decode_lead_value,
    decode_value,
    encode_lead_value,
    encode_value,
    number_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.protocols import JSON

ids = st.text(min_size=1, max_size=60)
printable = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=80)
amounts = st.decimals(-99_999_999, 99_999_999, places=2).map(str)
labels = {"Check-up": 11, "Hygiene": 12, "Perio, deep": 13}


# --- the marker


@given(stream=ids, record=ids, part=st.text(max_size=20), text=printable)
def test_a_key_of_any_record_survives_inside_a_text(stream: str, record: str, part: str, text: str) -> None:
    key = source_key("practice", stream, record, part)

    assert split_marker(with_marker(f"<p>{text}</p>", key)) == (f"<p>{text}</p>", key)


@given(record=ids, part=st.text(min_size=1, max_size=20))
def test_key_and_part_are_joined_as_core_joins_them(record: str, part: str) -> None:
    assert full_key(source_key("p", "s", record), part) == source_key("p", "s", record, part)


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("one<p>flit-id: p:s:1</p>", "one"),
        ("<p>one</p>\n<p>flit-id:  p:s:1 </p>\n", "<p>one</p>"),
        ('<p>one</p><div class="x">flit-id: p:s:1<br></div>', "<p>one</p>"),
        ("<p>one</p><p>flit-id: p:s:1</p><p>added by hand</p>", "<p>one</p><p>added by hand</p>"),
        ("<div>one<br>flit-id: p:s:1</div>", "<div>one</div>"),
        ("one\nflit-id: p:s:1", "one"),
        ("flit-id: p:s:1", ""),
        ("<p>flit-id: other</p><p>one</p><p>flit-id: p:s:1</p>", "<p>flit-id: other</p><p>one</p>"),
        ("<p>one</p><p>flit-id:&nbsp;p:s:1</p>", "<p>one</p>"),
        ("<p>one</p><p>flit-id&#58; p&#58;s&#58;1&nbsp;</p>", "<p>one</p>"),
        ('<p>one</p><p><span style="x"><a href="p:s:1">flit-id: p:s:1</a></span></p>', "<p>one</p>"),
        ('<p>one</p><p>flit-id: <a href="p:s:1">p:s:1</a></p>', "<p>one</p>"),
        ("one<br>flit-id: p:s:1<br>added by hand", "oneadded by hand"),
        ("one flit-id: p:s:1", "one"),
        ("oneflit-id: p:s:1", "one"),
    ],
)
def test_the_marker_is_found_in_what_a_sanitiser_or_a_person_made_of_it(stored: str, text: str) -> None:
    rest, key = split_marker(stored)

    assert (rest.replace("<br>", ""), key) == (text, "p:s:1")


@pytest.mark.parametrize("noise", ["\n", " ", "<br>", "<p> <b>", "flit-id: a ", "&nbsp;"])
def test_a_text_of_the_greatest_length_is_searched_for_its_marker_at_once(noise: str) -> None:
    text = noise * (100_000 // len(noise))
    before = time.process_time()

    split_marker(f"{text}x")

    assert time.process_time() - before < 1


def test_a_text_that_only_mentions_the_marker_has_no_key() -> None:
    assert split_marker("they wrote flit-id: p:s:1 here, and more") == (
        "they wrote flit-id: p:s:1 here, and more",
        None,
    )


def test_the_room_kept_for_the_marker_holds_the_longest_key_a_field_takes() -> None:
    assert len(with_marker("", "&" * 190 + "k" * 65)) <= ROOM


# --- values


def field_of(kind: str) -> CustomField:
    return CustomField("person", "ab" * 20, "Field__c", kind, labels if kind in ("enum", "set") else {})


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "varchar": printable,
    "text": printable,
    "phone": printable,
    "double": amounts,
    "date": st.dates().map(str),
    "enum": st.sampled_from(sorted(labels)),
    "set": st.lists(st.sampled_from(sorted(labels)), min_size=1, unique=True).map(sorted),
    "monetary": st.fixed_dictionaries({"value": amounts, "currency": st.sampled_from(["EUR", "USD"])}),
    "address": printable,
    "people": st.integers(1, 10**9).map(str),
}


def same(kind: str, value: Any) -> Any:
    """Return the value with its amounts as numbers, for a comparison by meaning."""
    if kind == "monetary":
        return (Decimal(value["value"]), value["currency"])
    return Decimal(value) if kind == "double" else value


@pytest.mark.parametrize("kind", VALUES)
def test_every_type_comes_back_from_version_2_as_it_went(kind: str) -> None:
    @given(value=VALUES[kind])
    def check(value: JSON) -> None:
        stored = encode_value(field_of(kind), "Field__c", value)
        assert same(kind, decode_value(field_of(kind), stored)) == same(kind, value)

    check()


@pytest.mark.parametrize("kind", VALUES)
def test_every_type_comes_back_from_version_1_as_it_went(kind: str) -> None:
    @given(value=VALUES[kind])
    def check(value: JSON) -> None:
        stored = encode_lead_value(field_of(kind), "Field__c", value)
        assert same(kind, decode_lead_value(field_of(kind), stored)) == same(kind, value)

    check()


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("nothing", [None, "", []], ids=repr)
def test_nothing_clears_a_field_of_any_type(kind: str, nothing: JSON) -> None:
    assert encode_value(field_of(kind), "Field__c", nothing) is None


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("double", "twelve", "value_unfit"),
        ("double", "NaN", "value_unfit"),
        ("monetary", "12", "value_unfit"),
        ("monetary", {"value": "12", "currency": ""}, "value_unfit"),
        ("enum", "Unheard of", "option_unknown"),
        ("set", ["Hygiene", "Unheard of"], "option_unknown"),
        ("varchar", "x" * 256, "value_too_long"),
        ("text", "x" * 65_001, "value_too_long"),
        ("people", "not an id", "value_unfit"),
        ("varchar", ["a list"], "value_unfit"),
    ],
)
def test_a_value_that_does_not_fit_is_rejected_by_field_without_being_shown(kind: str, value: Any, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        encode_value(field_of(kind), "Field__c", value)

    assert (caught.value.code, caught.value.field) == (code, "Field__c")
    assert str(value) not in str(caught.value)


def test_options_are_known_in_spite_of_letter_case_and_spaces() -> None:
    assert encode_value(field_of("set"), "Field__c", ["perio,  DEEP"]) == [13]


def test_amounts_go_as_plain_numbers() -> None:
    assert [number_of(text, "f") for text in ("12.50", "12.00", "0", "-3")] == [12.5, 12, 0, -3]


# --- times


def test_times_of_both_versions_are_one_canonical_time() -> None:
    assert canonical_time("2024-01-02 03:04:05") == "2024-01-02T03:04:05Z"
    assert canonical_time("2024-01-02T03:04:05.678Z") == "2024-01-02T03:04:05Z"
    assert canonical_time("2024-01-02T05:04:05+02:00") == "2024-01-02T03:04:05Z"
    assert version_1_time("2024-01-02T03:04:05Z") == "2024-01-02 03:04:05"
    assert (clock_time("09:30:00"), clock_time("09:30"), clock_time(None)) == ("09:30", "09:30", None)


# --- names of fields


def book_with(*fields: CustomField) -> FieldBook:
    book = FieldBook()
    book.replace_all("person", fields)
    return book


@pytest.mark.parametrize("bound", [(), ("ours",), ("ours", "theirs")], ids=["never", "in a run", "in the next"])
def test_the_source_key_has_a_field_of_its_own_where_its_name_was_taken(bound: tuple[str, ...]) -> None:
    theirs = CustomField("person", "aa" * 20, KEY_FIELD, "enum", {"A": 1})
    ours = CustomField("person", "bb" * 20, f"{KEY_FIELD} (flit)", "varchar")
    book = book_with(theirs, ours)
    for known in [{"ours": ours, "theirs": theirs}[whose] for whose in bound]:
        book.bind("person", known.name, SchemaItem("field", known.name, "person", {"type": known.type}, known.code))

    named = book.named("person")

    assert named[KEY_FIELD].code == ours.code
    assert {known.code for known in named.values()} == {ours.code, theirs.code}


def test_of_two_fields_that_could_hold_the_source_key_the_bound_one_does() -> None:
    first = CustomField("person", "aa" * 20, KEY_FIELD, "varchar")
    second = CustomField("person", "bb" * 20, KEY_FIELD, "varchar")
    book = book_with(first, second)

    book.bind("person", KEY_FIELD, SchemaItem("field", KEY_FIELD, "person", {"type": "varchar"}, second.code))

    assert book.named("person")[KEY_FIELD].code == second.code


def test_a_bound_name_beats_what_the_account_calls_the_field() -> None:
    book = book_with(CustomField("person", "aa" * 20, "Recall (flit)", "text"))

    book.bind("person", "Recall", SchemaItem("field", "Recall (flit)", "person", {"type": "text"}, "aa" * 20))

    assert book.named("person")["Recall"].code == "aa" * 20
    assert "Recall (flit)" not in book.named("person")


def test_of_two_fields_with_one_name_both_stay_readable() -> None:
    book = book_with(
        CustomField("person", "aa" * 20, "Notes", "text"),
        CustomField("person", "bb" * 20, "Notes", "date"),
    )

    assert {name: known.code for name, known in book.named("person").items()} == {
        "Notes": "aa" * 20,
        "Notes (bbbbbbbb)": "bb" * 20,
    }


def test_a_field_that_was_deleted_is_no_longer_known() -> None:
    book = book_with(CustomField("person", "aa" * 20, "Notes", "text"))

    book.remove("aa" * 20)

    assert book.named("person") == {}
    assert book.by_code("aa" * 20) is None


# --- records


@pytest.fixture
def directory() -> Directory:
    """Return an account with a key field everywhere, and one activity type."""
    known = Directory(activity_types={"7": "hygiene"})
    for number, entity in enumerate(("person", "organization", "deal")):
        known.fields.replace_all(
            entity,
            [
                CustomField(entity, f"{number}f" * 20, KEY_FIELD, "varchar"),
                CustomField(entity, f"{number}e" * 20, "Guarantor__c", "people"),
            ],
        )
    return known


def refusal(directory: Directory, operation: Operation) -> Rejected:
    with pytest.raises(Rejected) as caught:
        encode(SHAPES[operation.object], operation, directory)
    return caught.value


def test_a_create_leaves_out_what_is_empty_and_carries_the_key(
    directory: Directory, operation: Callable[..., Operation]
) -> None:
    create = operation("create", "person", {"name": "Ann Example", "phones": [], "Guarantor__c": None}, key="p:s:1")

    assert encode(SHAPES["person"], create, directory) == {
        "name": "Ann Example",
        "custom_fields": {"0f" * 20: "p:s:1"},
    }


def test_an_update_sends_only_what_changes_and_leaves_the_key(
    directory: Directory, operation: Callable[..., Operation]
) -> None:
    update = operation("update", "person", {"Guarantor__c": None}, destination_id="3")

    assert encode(SHAPES["person"], update, directory) == {"custom_fields": {"0e" * 20: None}}


def test_an_empty_set_of_custom_fields_is_never_sent(directory: Directory, operation: Callable[..., Operation]) -> None:
    update = operation("update", "person", {"name": "Bea Example"}, destination_id="3")

    assert "custom_fields" not in encode(SHAPES["person"], update, directory)


def test_exactly_one_phone_is_primary(directory: Directory, operation: Callable[..., Operation]) -> None:
    phones = [{"value": "1", "primary": False}, {"value": "2", "primary": True}, {"value": "3", "primary": True}]
    create = operation("create", "person", {"name": "Ann Example", "phones": phones})

    body = encode(SHAPES["person"], create, directory)

    assert [(one["value"], one["label"], one["primary"]) for one in body["phones"]] == [
        ("1", "work", False),
        ("2", "work", True),
        ("3", "work", False),
    ]


def test_the_person_of_an_activity_goes_as_its_participant(
    directory: Directory, operation: Callable[..., Operation]
) -> None:
    create = operation("create", "activity", {"subject": "Visit"}, links={"person_id": "5", "type": "7"}, key="p:a:1")

    assert encode(SHAPES["activity"], create, directory) == {
        "subject": "Visit",
        "participants": [{"person_id": 5, "primary": True}],
        "type": "hygiene",
        "note": "<p>flit-id: p:a:1</p>",
    }


def test_a_new_text_of_a_note_keeps_its_key_and_another_change_leaves_the_text(
    directory: Directory, operation: Callable[..., Operation]
) -> None:
    text = operation("update", "note", {"content": "new"}, destination_id="4", key="p:n:1", part="2")
    other = operation("update", "note", {"add_time": "2020-01-02T03:04:05Z"}, destination_id="4")

    assert encode(SHAPES["note"], text, directory) == {"content": "new<p>flit-id: p:n:1#2</p>"}
    assert encode(SHAPES["note"], other, directory) == {"add_time": "2020-01-02 03:04:05"}


@pytest.mark.parametrize(
    ("object", "fields", "code"),
    [
        ("person", {"add_time": "2020-01-02T03:04:05Z"}, "not_changeable"),
        ("person", {"name": None}, "cannot_clear"),
        ("activity", {"due_date": None}, "cannot_clear"),
        ("deal", {"expected_close_date": None}, "cannot_clear"),
        ("person", {"Unheard_Of__c": "x"}, "field_unknown"),
        ("activity", {"note": "x" * 65_000}, "value_too_long"),
        ("activity", {"done": "yes"}, "value_unfit"),
        ("note", {"add_time": "yesterday"}, "value_unfit"),
    ],
)
def test_what_the_api_cannot_do_is_rejected_with_its_field(
    object: str, fields: dict[str, JSON], code: str, directory: Directory, operation: Callable[..., Operation]
) -> None:
    rejected = refusal(directory, operation("update", object, fields, destination_id="1"))

    assert (rejected.code, rejected.field) == (code, next(iter(fields)))


def test_times_of_a_deal_that_is_open_again_are_left_to_its_status(
    directory: Directory, operation: Callable[..., Operation]
) -> None:
    update = operation("update", "deal", {"status": "open", "won_time": None}, destination_id="1")

    assert encode(SHAPES["deal"], update, directory) == {"status": "open"}


def test_a_key_longer_than_its_field_is_rejected(directory: Directory, operation: Callable[..., Operation]) -> None:
    rejected = refusal(directory, operation("create", "person", {"name": "Ann Example"}, key="p:s:" + "1" * 252))

    assert (rejected.code, rejected.field) == ("value_too_long", KEY_FIELD)


def test_a_record_without_anything_still_reads(directory: Directory) -> None:
    for shape in SHAPES.values():
        stored = decode(shape, {"id": 1}, directory)
        assert (stored.id, stored.key) == ("1", None)
