"""The matcher proposes fields for columns, says how sure it is, and leaves alone what it cannot place."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from flitstack.mapping.proposing import Matcher, infer_type
from flitstack.mapping.proposing.assignment import assign
from flitstack.mapping.proposing.calibration import confidence
from flitstack.mapping.proposing.names import Vocabulary
from flitstack.protocols import FileProposal, Lexicon, SampledColumn, SampledExport, SampledFile, Target
from flitstack_dental.lexicon import lexicon
from flitstack_dental.proposing import targets

MATCHER = Matcher(targets(), lexicon())


def column(name: str, *values: str) -> SampledColumn:
    return SampledColumn(name, values, len(values), whole=True)


def propose(name: str, *columns: SampledColumn) -> FileProposal:
    return MATCHER.propose(SampledExport((SampledFile(name, columns),)))[0]


def chosen(proposal: FileProposal) -> dict[str, str | None]:
    return {each.column: each.chosen.target if each.chosen else None for each in proposal.columns}


def test_headers_of_a_vendor_nobody_described_find_their_fields() -> None:
    found = propose(
        "kunden.csv",
        column("PatNr", *map(str, range(1, 21))),
        column("LNAME", *["Bell", "Aldous"] * 10),
        column("Vorname", *["Bo", "Ann"] * 10),
        column("DOB", *["1980-02-01"] * 20),
        column("CellPhone", *["555-555-0100"] * 20),
    )

    assert found.stream == "patients"
    assert chosen(found) == {
        "PatNr": "patients.id",
        "LNAME": "patients.last_name",
        "Vorname": "patients.first_name",
        "DOB": "patients.birth_date",
        "CellPhone": "contact_points.value (mobile)",
    }
    assert all(each.ticked for each in found.columns)


def test_a_column_whose_cells_are_no_dates_is_no_birth_date() -> None:
    found = propose("patients.csv", column("PatNum", *map(str, range(20))), column("Birthdate", *["n/a yet"] * 20))

    assert chosen(found)["Birthdate"] is None


def test_a_column_that_means_nothing_is_left_unmapped_with_its_alternatives() -> None:
    found = propose("patients.csv", column("PatNum", *map(str, range(20))), column("Wombat", *["x"] * 20))

    assert chosen(found)["Wombat"] is None
    assert not found.columns[1].ticked
    assert len(found.columns[1].others) <= 5


def test_two_columns_never_get_the_same_field() -> None:
    found = propose("patients.csv", column("LastName", "Bell"), column("Surname", "Bell"), column("LName", "Bell"))

    placed = [target for target in chosen(found).values() if target is not None]
    assert len(placed) == len(set(placed))


def test_when_two_columns_could_be_one_field_neither_is_ticked() -> None:
    found = propose("patients.csv", column("PatNum", "1"), column("LastName", "Bell"), column("Surname", "Bell"))

    assert [each.ticked for each in found.columns[1:]] == [False, False]


def test_what_points_to_another_file_is_proved_by_its_ids() -> None:
    ids = [f"P{n}" for n in range(30)]
    patients = SampledFile("patients.csv", (column("PatNum", *ids), column("LName", *["Bell"] * 30)))
    rows = [f"{n}" for n in range(60)]
    right = SampledFile(
        "appointments.csv",
        (column("AptNum", *rows), column("PatNum", *ids, *ids), column("AptStatus", *["scheduled"] * 60)),
    )

    found = MATCHER.propose(SampledExport((patients, right)))[1]

    by_name = {each.column: each for each in found.columns}
    assert by_name["PatNum"].chosen is not None
    assert by_name["PatNum"].chosen.target == "appointments.patient_id"
    assert "100% of the cells are ids of patients" in by_name["PatNum"].chosen.reasons
    assert by_name["PatNum"].ticked


def test_no_reason_holds_a_cell() -> None:
    found = propose("patients.csv", column("PatNum", "4711"), column("Email", "zebedee@example.org"))

    told = str(found)
    assert "zebedee" not in told
    assert "4711" not in told


@given(st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), st.floats(0.01, 1.0), max_size=14))
@settings(max_examples=150, deadline=None)
def test_the_assignment_is_worth_as_much_as_the_best_of_all(worth: dict[tuple[int, int], float]) -> None:
    found = assign(worth)

    rows = range(5)
    best = max(
        sum(worth.get((row, column), 0.0) for row, column in zip(rows, columns, strict=True))
        for columns in permutations(range(5))
    )
    assert len(set(found.values())) == len(found)
    assert abs(sum(worth[pair] for pair in found.items()) - best) < 1e-6


@given(st.floats(0, 1.4), st.floats(0, 1.4), st.floats(-1, 1))
def test_a_better_score_is_never_less_sure(one: float, other: float, lead: float) -> None:
    low, high = sorted((one, other))

    assert 0 <= confidence(low, lead, True) <= confidence(high, lead, True) <= 1


def test_words_run_together_are_told_apart_by_the_lexicon() -> None:
    words = Vocabulary(Lexicon({"last name": ("lname",), "patient": ("pat",)}), ["home phone"])

    assert words.words("PatLName") == ("patient", "last", "name")
    assert words.words("HOMEPHONE") == ("home", "phone")
    assert words.words("Größe (cm)") == ("grosse", "cm")


@given(st.text(max_size=30))
def test_any_header_can_be_read(header: str) -> None:
    MATCHER.scorer.vocabulary.words(header)
    propose("x.csv", column(header or "a", "1"))


def test_types_are_inferred_and_options_are_only_words_that_recur() -> None:
    assert infer_type(column("colour", *["red", "blue", "green"] * 5)) == ("one of", ("blue", "green", "red"))
    assert infer_type(column("who", *["red"] * 9, "Zebedee Bell")) == ("text", ())
    assert infer_type(column("day", *["2024-01-02"] * 10)) == ("date", ())
    assert infer_type(column("size", "1", "2.5", "3", "4", "5", "6", "7", "8", "9", "10")) == ("number", ())
    assert infer_type(column("zip", *["01234"] * 3, "09999")) == ("text", ())
    assert infer_type(column("vip", *["Y", "N"] * 6)) == ("yes or no", ())
    assert infer_type(column("story", "long " * 40, "more")) == ("long text", ())
    assert infer_type(column("empty")) == ("text", ())


def test_the_matcher_knows_only_the_targets_it_is_given() -> None:
    meadow = Matcher([Target("flocks", "id"), Target("flocks", "colour", names=("shade",))], Lexicon())

    found = meadow.propose(SampledExport((SampledFile("flocks.csv", (column("id", "1"), column("Shade", "grey"))),)))

    assert chosen(found[0]) == {"id": "flocks.id", "Shade": "flocks.colour"}
