"""What is wrong inside a file costs the line it is on, and no other."""

from __future__ import annotations

import csv
import io
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flitstack_dental.dialect import Dialect
from flitstack_dental.rows import LIMIT_CHARS, BadRow, Row, Tally, read_rows


def read(text: str, width: int = 3, dialect: Dialect | None = None) -> tuple[list[Row | BadRow], Tally]:
    tally = Tally()
    stream = io.BytesIO(text.encode())
    return list(read_rows(stream, "utf-8", dialect or Dialect(","), width, tally)), tally


def test_quotes_inside_a_text_that_nobody_doubled_are_read_as_text() -> None:
    rows, tally = read('1,"he said "ow" loudly",x\n2,"fine",y\n')

    assert rows == [Row(1, ["1", 'he said "ow" loudly', "x"]), Row(2, ["2", "fine", "y"])]
    assert tally.repaired_quotes == 1


def test_a_stray_opening_quote_costs_one_line_only() -> None:
    rows, _ = read('1,"abc,x\n2,b,y\n3,"c",z\n4,d,w\n')

    assert [type(row) for row in rows] == [BadRow, Row, Row, Row]
    assert [row.line for row in rows] == [1, 2, 3, 4]


def test_a_stray_opening_quote_before_a_quoted_row_costs_one_line_only() -> None:
    rows, _ = read('1,"abc,x\n2,"c",z\n3,d,w\n')

    assert [type(row) for row in rows] == [BadRow, Row, Row]


def test_two_stray_quotes_far_apart_do_not_swallow_what_lies_between() -> None:
    between = "".join(f"{number},b,y\n" for number in range(2, 50))

    rows, _ = read(f'1,"abc,x\n{between}50,c",z\n51,d,w\n')

    assert [row.line for row in rows if isinstance(row, Row)] == [*range(2, 51), 51]
    assert [row.line for row in rows if isinstance(row, BadRow)] == [1]


def test_a_quote_never_closed_in_a_long_file_costs_one_line_and_little_memory() -> None:
    good = "".join(f"{number},b,y\n" for number in range(2, 6_000))

    rows, _ = read(f'1,"abc,x\n{good}')

    assert isinstance(rows[0], BadRow)
    assert [row.line for row in rows[1:]] == list(range(2, 6_000))


def test_a_file_cut_inside_a_cell_says_so_and_keeps_the_rows_before() -> None:
    rows, _ = read('1,"whole",x\n2,"a note\nwith lines\nand then not')

    assert rows[0] == Row(1, ["1", "whole", "x"])
    assert [(row.line, row.code) for row in rows if isinstance(row, BadRow)] == [
        (2, "truncated_file"),
        (3, "truncated_file"),
        (4, "truncated_file"),
    ]


def test_a_ragged_row_with_a_cell_of_many_lines_stays_one_row() -> None:
    rows, _ = read('1,"two\nlines",x,extra\n2,b,y\n')

    assert rows == [Row(1, ["1", "two\nlines", "x", "extra"]), Row(3, ["2", "b", "y"])]


def test_nul_bytes_and_invisible_characters_are_left_out() -> None:
    rows, _ = read("1,a\0b,\u200bx\ufeff\n2,c,d\n\x1a")

    assert [row.cells for row in rows if isinstance(row, Row)][:2] == [["1", "ab", "x"], ["2", "c", "d"]]


def test_a_stray_character_before_the_quotes_of_each_line_is_left_out() -> None:
    rows, tally = read("x~1~,~a~,~b~\nx~2~,~c~,~d~\n", dialect=Dialect(",", "~", stray=True))

    assert [row.cells for row in rows if isinstance(row, Row)] == [["1", "a", "b"], ["2", "c", "d"]]
    assert tally.stray_characters == 2


def test_a_note_longer_than_the_csv_module_likes_is_read() -> None:
    rows, _ = read(f'1,"{"long text " * 30_000}",x\n')

    assert isinstance(rows[0], Row)
    assert len(rows[0].cells[1]) == 300_000


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('ab1,"\n\r ~;'), max_size=80))
def test_no_line_of_any_text_is_passed_over(text: str) -> None:
    rows, _ = read(text)

    starts = [row.line for row in rows]
    assert starts == sorted(set(starts))
    held = "".join("".join(row.cells) for row in rows if isinstance(row, Row))
    if not any(isinstance(row, BadRow) for row in rows):
        assert sum(map(held.count, "ab1")) == sum(map(text.count, "ab1"))


IDS = {
    "numbers": lambda number: str(number + 1),
    "UUIDs": lambda number: str(uuid.UUID(int=(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128))),
    "mixed": lambda number: (f"P{number}", f"{number}", f"X-{number}-{number * 7}", f"{number:x}k")[number % 4],
}


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize(
    "broken", ['"{},L5,F,patient', '{},"L5,F,patient', '{},L5,F,"patient', '{},L5,F",patient', '"{},L5,F,"patient']
)
@pytest.mark.parametrize("before", [0, 4])
def test_a_stray_quote_before_a_thousand_rows_costs_its_own_line_alone(kind: str, broken: str, before: int) -> None:
    lines = ["id,last_name,first_name,status"]
    lines += [f"{IDS[kind](number)},L{number},F,patient" for number in range(before)]
    lines += [broken.format(IDS[kind](before))]
    lines += [f"{IDS[kind](number)},L{number},F,patient" for number in range(before + 1, before + 1001)]

    rows, _ = read("\n".join(lines) + "\n", width=4)

    assert [row.line for row in rows] == list(range(1, before + 1003))
    good = {row.line: row.cells for row in rows if isinstance(row, Row)}
    assert {number: line.split(",") for number, line in enumerate(lines, 1) if number != before + 2}.items() <= (
        good.items()
    )


def test_the_broken_rows_id_may_be_of_another_shape_than_all_others() -> None:
    good = [f"{number},b,y" for number in range(1, 500)]

    rows, _ = read("\n".join(["id,a,b", *good[:3], '"OLD-7/b,b,y', *good[3:]]))

    assert [row.line for row in rows if isinstance(row, BadRow)] == [5]
    assert sum(isinstance(row, Row) for row in rows) == 500


def test_a_stray_quote_before_rows_whose_ids_change_their_shape_costs_one_line() -> None:
    rows, _ = read("id,a,b\n" + "".join(f"{n},b,y\n" for n in range(9)) + '9,"b,y\n' + "X-a,b,y\n" * 300)

    assert [row.line for row in rows if isinstance(row, BadRow)] == [11]
    assert sum(isinstance(row, Row) for row in rows) == 310


@pytest.mark.parametrize("note", ["word, and word\n" * 2_500, "long line without an end " * 60_000])
def test_a_long_cell_is_read_and_costs_no_row_after_it(note: str) -> None:
    good = "".join(f"{number},b,y\n" for number in range(2, 502))

    rows, _ = read(f'id,note,x\n1,"{note}",x\n{good}')

    assert all(isinstance(row, Row) for row in rows)
    assert rows[1].cells == ["1", note, "x"] if isinstance(rows[1], Row) else False
    assert len(rows) == 502


def test_a_cell_beyond_every_limit_is_given_up_line_by_line_under_its_own_code() -> None:
    line = "a long line of a note " * 4_000
    held = LIMIT_CHARS // len(line)
    good = "".join(f"{number},b,y\n" for number in range(2, 502))

    rows, _ = read(f'id,note,x\n1,"{(line + chr(10)) * (held + 3)}",x\n{good}')

    codes = [row.code for row in rows if isinstance(row, BadRow)]
    assert set(codes[:-1]) == {"row_too_long"}
    assert codes[-1] == "broken_quotes"  # of the line with the closing quote, which by itself opens a cell
    assert [row.cells[0] for row in rows if isinstance(row, Row) and len(row.cells) == 3][1:] == [
        str(number) for number in range(2, 502)
    ]
    starts = [row.line for row in rows]
    assert starts[: held + 2] == list(range(1, held + 3))


CELLS = st.one_of(
    st.sampled_from(["", "b", "word", "2020-01-02", "-", "told\non two lines", "told,\non three\nlines"]),
    st.text(st.sampled_from('ab ,"'), max_size=12),
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["numbers", "UUIDs"]),
    st.lists(st.tuples(CELLS, CELLS, CELLS, st.booleans()), min_size=2, max_size=30),
    st.integers(0),
)
def test_one_stray_quote_costs_the_lines_of_its_own_row_alone(
    kind: str, notes: list[tuple[str, str, str, bool]], place: int
) -> None:
    text, records = "id,a,b,c\n", []
    for number, (*cells, all_quoted) in enumerate(notes):
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL)
        writer.writerow([IDS[kind](number), *cells])
        records.append((len(text), text.count("\n") + 1, [IDS[kind](number), *cells]))
        text += out.getvalue()
    at = records[0][0] + place % (len(text) - records[0][0])
    broken = max(index for index, (start, _, _) in enumerate(records) if start <= at)

    rows, _ = read(text[:at] + '"' + text[at:], width=4)

    found = {row.line: row.cells for row in rows if isinstance(row, Row)}
    lost = [line for index, (_, line, cells) in enumerate(records) if index != broken and found.get(line) != cells]
    assert not lost
    assert {line for _, line, _ in records} <= {row.line for row in rows}
