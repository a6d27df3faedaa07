"""Report pages: every value is escaped, charts are drawn to scale, and files are their owner's alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from flitstack.reports.html import number, percent, render, write_report
from flitstack.reports.html.charts import bars, histogram, shares

NASTY = "<script>alert('x')</script>&"


def test_bars_are_drawn_to_the_longest_and_labels_are_escaped() -> None:
    drawn = str(bars([(NASTY, 3), ("b", 12)]))

    assert "<script>" not in drawn
    assert re.findall(r'class="fill" width="([\d.]+)%"', drawn) == ["25", "100"]
    assert "3</span>" in drawn


def test_a_histogram_has_a_column_per_bin_and_few_labels() -> None:
    drawn = str(histogram([(str(year), year - 1989) for year in range(1990, 2010)], "Years"))

    assert drawn.count("<rect") == 20
    assert drawn.count("left:") == 5
    assert "highest: 20" in drawn
    assert histogram([]) == ""


def test_shares_add_up_and_leave_out_what_is_empty() -> None:
    drawn = str(shares([("a", 3), ("none", 0), (NASTY, 1)]))

    assert re.findall(r'x="[\d.]+%" width="([\d.]+)%"', drawn) == ["75", "25"]
    assert "none" not in drawn
    assert "<script>" not in drawn


def test_no_shares_of_nothing() -> None:
    assert "<rect" not in str(shares([("a", 0)]))


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, ""),
        (0.0, "0.0 %"),
        (0.0004, "< 0.1 %"),
        (0.034, "3.4 %"),
        (0.5, "50 %"),
        (0.9999, "> 99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_never_hides_that_something_is_there_or_lacks(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_numbers_have_their_thousands_set_off() -> None:
    assert (number(1234567), number(1234.5)) == ("1,234,567", "1,234.50")


def test_a_name_that_a_template_misses_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("audit.html.j2", {})


def test_a_report_replaces_an_earlier_one_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "flit-reports"
    folder.mkdir()
    (folder / "a.html").write_text("old", encoding="utf-8")
    (folder / "a.html").chmod(0o644)

    path = write_report(folder, "a.html", "new")

    assert path.read_text(encoding="utf-8") == "new"
    assert path.stat().st_mode & 0o077 == 0


def test_no_template_fetches_or_runs_anything() -> None:
    from flitstack.reports import html

    for path in Path(str(html.__file__)).parent.glob("*.*"):
        text = path.read_text(encoding="utf-8")
        if path.suffix in {".j2", ".css"}:
            assert "http" not in text.replace("http-equiv", ""), path.name
            assert "<script" not in text, path.name
            assert "url(" not in text, path.name
