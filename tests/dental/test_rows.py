"""What is wrong inside a file costs the line it is on, and no other."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from flitstack_dental.dialect import Dialect
from flitstack_dental.rows import LIMIT_LINES, BadRow, Row, Tally, read_rows


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
    good = "".join(f"{number},b,y\n" for number in range(2, LIMIT_LINES * 3))

    rows, _ = read(f'1,"abc,x\n{good}')

    assert isinstance(rows[0], BadRow)
    assert [row.line for row in rows[1:]] == list(range(2, LIMIT_LINES * 3))


def test_a_file_cut_inside_a_cell_says_so_and_keeps_the_rows_before() -> None:
    rows, _ = read('1,"whole",x\n2,"a note\nwith lines\nand then not')

    assert rows[0] == Row(1, ["1", "whole", "x"])
    assert len(rows) == 2
    assert isinstance(rows[1], BadRow)
    assert (rows[1].line, rows[1].code) == (2, "truncated_file")


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
