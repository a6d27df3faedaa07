"""Tables on a terminal of eighty columns."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from flitstack.journal import BUCKETS
from flitstack.reports.tables import add_counts, plain_table


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
