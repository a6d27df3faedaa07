"""Tables and lines on a terminal of eighty columns, or sixty."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from flitstack.journal import BUCKETS, Journal
from flitstack.reports.final import print_final
from flitstack.reports.tables import add_counts, plain_table, say
from flitstack.stages.final.report import ObjectCount, gather_report

if TYPE_CHECKING:
    from pathlib import Path


def test_the_widest_summary_of_a_run_cuts_no_word_and_no_number_at_eighty_columns() -> None:
    table = plain_table("Source records, each in one bucket", footer=True)
    table.add_column("stream", "total", overflow="fold")
    for bucket in ("read", *BUCKETS[:6]):
        add_counts(table, bucket, "123,456")
    table.add_row("insurance_subscriptions", *["12,345"] * 7)
    out = StringIO()

    Console(file=out, width=80).print(table)

    printed = out.getvalue()
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) <= 80
    words = printed.split()
    assert {word for name in ("read", *BUCKETS[:6]) for word in name.split("_")} <= set(words)
    assert printed.count("123,456") == printed.count("12,345") == 7


def test_what_people_copy_is_not_broken_by_a_narrow_terminal() -> None:
    console = Console(file=StringIO(), width=60)
    head = f"Audit log of 1,086 lines, head 1086:{'f7c74592' * 8}"
    command = "Each with its file and line: flit rejects list --journal ./a/folder/of/some/length/flit.db"

    for line in (head, command, "a line of words that is longer than sixty characters is broken as usual"):
        say(console, line)

    assert isinstance(console.file, StringIO)
    told = console.file.getvalue().splitlines()
    assert told[:2] == [head, command]
    assert len(told) == 4


def test_the_final_tables_headings_are_whole_on_sixty_columns(tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=60)
    with Journal(tmp_path / "flit.db") as journal:
        found = gather_report(journal)

    print_final(replace(found, objects=(ObjectCount("activity_type", 12_345, 12_345, 0, checked=12_345),)), console)

    assert isinstance(console.file, StringIO)
    headings = console.file.getvalue().splitlines()[1]
    assert headings.split() == ["object", "source", "there", "missing", "read", "back", "differ"]
