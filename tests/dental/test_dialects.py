"""Random rows written in random dialects are read back equal, with the physical lines on which they begin."""

from __future__ import annotations

import csv
import io
import re
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flitstack_dental.dialect import find_dialect, normalise
from flitstack_dental.encoding import examine
from flitstack_dental.rows import BadRow, Row, Tally, read_rows

HEADER = ["id", "patient_id", "last_name", "note"]
KNOWN = frozenset(map(normalise, HEADER))

# A cell keeps its outer blanks only inside quotes, and a quote character that another candidate could claim would
# make two readings equally right: both stay out of what must be read back to the letter, and so do those letters of
# Windows-1252 that after another would be good UTF-8.
WORDS = st.text(st.sampled_from("abcXYZ019 .-+#Äéñß"), max_size=12).map(str.strip)


@st.composite
def written_files(draw: st.DrawFn) -> tuple[list[list[str]], bytes, str]:
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    quote = draw(st.sampled_from(['"', "~", "'"]))
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    spice = st.sampled_from([delimiter, quote * 2, ending, f"{ending}{ending}", " "])
    cell = st.lists(st.one_of(WORDS, spice), max_size=4).map("".join).map(str.strip)
    rows = draw(st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=12))
    numbered = [[f"r{number}", *row] for number, row in enumerate(rows, 1)]
    out = io.StringIO()
    always: Literal[0, 1] = 1 if draw(st.booleans()) else 0  # csv.QUOTE_ALL, csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=delimiter, quotechar=quote, lineterminator=ending, quoting=always)
    writer.writerows([HEADER, *numbered])
    return numbered, out.getvalue().encode(encoding), ending


def read_bytes(content: bytes) -> tuple[list[Row], list[BadRow], Tally]:
    encoded = examine(io.BytesIO(content))
    sample = content.decode(encoded.encoding, "replace").lstrip("\ufeff")
    dialect = find_dialect(sample, KNOWN)
    tally = Tally()
    found = list(read_rows(io.BytesIO(content), encoded.encoding, dialect, len(HEADER), tally))
    return [row for row in found if isinstance(row, Row)], [row for row in found if isinstance(row, BadRow)], tally


@settings(max_examples=200, deadline=None)
@given(written_files())
def test_rows_in_any_dialect_are_read_back_with_their_physical_lines(
    written: tuple[list[list[str]], bytes, str],
) -> None:
    rows, content, _ending = written

    found, bad, _ = read_bytes(content)

    assert bad == []
    assert [row.cells for row in found] == [HEADER, *rows]
    line = 1
    for row in found:
        assert row.line == line
        line += 1 + sum(len(re.findall(r"\r\n|\r|\n", cell)) for cell in row.cells)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_the_encoding_is_found_from_the_bytes(encoding: str) -> None:
    content = "id,last_name\r\n1,Müller-Žák\r\n".encode(encoding)

    found = examine(io.BytesIO(content))

    assert content.decode(found.encoding).lstrip("\ufeff").endswith("Müller-Žák\r\n")
    assert found.size == len(content)


def test_a_windows_byte_late_in_a_long_file_is_noticed() -> None:
    content = b"id,last_name\n" + b"1,Miller\n" * 400_000 + b"2,M\xfcller\n"

    assert examine(io.BytesIO(content)).encoding == "cp1252"


def test_parts_from_two_systems_are_read_each_in_its_encoding() -> None:
    content = "id,patient_id,last_name,note\n1,1,Müller,ééé\n".encode() + b"2,2,M\xfcller,\n"

    rows, _, _ = read_bytes(content)

    assert [row.cells[2] for row in rows[1:]] == ["Müller", "Müller"]
    assert examine(io.BytesIO(content)).mixed


@pytest.mark.parametrize(
    ("text", "delimiter", "quote"),
    [
        ("id;patient_id;last_name;note\n1;2;a,b;c,d\n", ";", '"'),
        ("sep=;\r\nid;patient_id;last_name;note\r\n1;2;a;b\r\n", ";", '"'),
        ('"sep=|"\nid|patient_id|last_name|note\n1|2|a|b\n', "|", '"'),
        ("~id~,~patient_id~,~last_name~,~note~\n~1~,~2~,~a,b~,~c~\n", ",", "~"),
        ("'id'\t'patient_id'\t'last_name'\t'note'\n'1'\t'2'\t'a'\t'b'\n", "\t", "'"),
        ("id,patient_id,last_name,note\nx~1~,~2~,~a,b~,~c~\nx~2~,~2~,~a~,~c~\n", ",", "~"),
        ("id,patient_id,last_name,note\n1,2,O'Hara,'tis ~ 5 mm\n", ",", '"'),
    ],
)
def test_delimiter_and_quote_are_found(text: str, delimiter: str, quote: str) -> None:
    rows, bad, _ = read_bytes(text.encode())

    found = find_dialect(text, KNOWN)
    assert (found.delimiter, found.quote) == (delimiter, quote)
    assert bad == []
    assert rows[0].cells == HEADER
    assert len(rows[1].cells) == len(HEADER)


def test_a_sep_line_counts_as_a_physical_line() -> None:
    rows, _, _ = read_bytes(b"sep=;\nid;patient_id;last_name;note\n1;2;a;b\n")

    assert [row.line for row in rows] == [2, 3]


def test_backslash_escapes_of_a_database_dump_are_undone() -> None:
    rows, bad, _ = read_bytes(b'id,patient_id,last_name,note\n"1","2","a","he said \\"ow\\" twice"\n')

    assert bad == []
    assert rows[1].cells[3] == 'he said "ow" twice'


TITLES = {
    "of a report": "Bright Practice;\r\nPatients report\r\nPrinted 06/30/2026 10:15 AM\r\n\r\n",
    "as a spreadsheet saves them": "Bright Practice;;;\r\n;;;\r\nFrom;01.01.2026;;\r\n;;;\r\n",
    "of several lines in quotes": '"Bright Practice\r\nPatients";;;\r\n',
    "after a sep line": "sep=;\r\nBright Practice\r\n",
}


@pytest.mark.parametrize("titles", TITLES.values(), ids=TITLES)
@pytest.mark.parametrize("rows", [2, 3])
def test_titles_above_a_header_are_no_header(titles: str, rows: int) -> None:
    lines = ["id;patient_id;last_name;note", "1;7;Aldous;12,50", "2;8;Bell;", "3;9;Cole;a, b"][: rows + 1]
    content = (titles + "\r\n".join(lines) + "\r\n").encode()

    found, bad, _ = read_bytes(content)

    assert [row.cells for row in found] == [line.split(";") for line in lines]
    assert found[0].line == titles.count("\n") + 1
    assert not bad


@pytest.mark.parametrize(
    "lines",
    [
        ["id;;;", "1;7;Aldous;x", "2;8;Bell;y"],
        ["Bright Practice", "1;7;Aldous;x", "2;8;Bell;y"],
        ["id;name", "1;Aldous", "2;Bell"],
        ["note;id;;;;", "a;b;c;d;e;f"],
    ],
    ids=["a header of few names", "a title above data", "few columns", "a header above one row"],
)
def test_what_may_be_the_header_is_not_taken_for_a_title(lines: list[str]) -> None:
    assert find_dialect("\n".join([*lines, ""]), KNOWN).skip_lines == 0
