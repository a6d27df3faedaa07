"""The pages for those who write layouts: the list of streams is current, and the worked example works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flitstack.errors import ConfigurationError
from flitstack.protocols import Record
from flitstack_dental.layout import stream_schemas
from flitstack_dental.layout_check import PARSERS
from flitstack_dental.reader import open_export
from flitstack_dental.stream_page import stream_page

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def page() -> str:
    """Return the page on layouts."""
    return (DOCS / "layouts.md").read_text(encoding="utf-8")


def test_the_page_of_streams_is_what_the_command_prints() -> None:
    assert (DOCS / "streams.md").read_text(encoding="utf-8") == stream_page(), "flit dental streams > docs/streams.md"


def test_the_page_of_streams_names_every_field_and_meaning() -> None:
    text = stream_page()

    for name, schema in stream_schemas().items():
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        words = [word for rule in schema["properties"].values() for word in rule.get("enum", ()) if word is not None]
        assert not [each for each in (*schema["properties"], *words) if f"`{each}`" not in section], name
        assert section.count("**`") == len(schema["required"])


def test_every_parser_is_documented(page: str) -> None:
    assert not [name for name in PARSERS if f"`{name}`" not in page]


def _write_example(page: str, place: Path) -> Path:
    (place / "export").mkdir()
    files = re.findall(r"`(\w+\.csv)`:\n\n```csv\n(.*?)```", page, re.DOTALL)
    for name, text in files:
        (place / "export" / name).write_text(text, encoding="utf-8")
    layout = re.search(r"`kartei\.yaml`:\n\n```yaml\n(.*?)```", page, re.DOTALL)
    assert len(files) == 3
    assert layout is not None
    (place / "kartei.yaml").write_text(layout[1], encoding="utf-8")
    return place / "export"


def test_the_worked_example_is_read_as_the_page_says(page: str, tmp_path: Path) -> None:
    reader = open_export(str(_write_example(page, tmp_path)), {"layout": str(tmp_path / "kartei.yaml")})

    found = {stream.name: list(reader.read(stream.name)) for stream in reader.streams()}

    assert {stream: len(items) for stream, items in found.items()} == {
        "appointments": 3,
        "contact_points": 1,
        "patients": 2,
        "providers": 1,
    }
    assert all(isinstance(item, Record) for items in found.values() for item in items)
    (first, second) = (item.data for item in found["patients"] if isinstance(item, Record))
    assert first == {
        "id": "7",
        "last_name": "Aldous",
        "first_name": "Ann",
        "status": "patient",
        "original_status": "Active",
        "birth_date": "1980-02-03",
    }
    assert second["status"] == "inactive"
    assert str(reader.as_of()) == "2026-05-04"
    assert [finding.code for finding in reader.findings()] == ["columns_left"]
    reader.close()


def test_the_message_on_the_page_is_the_one_that_is_shown(page: str, tmp_path: Path) -> None:
    path = _write_example(page, tmp_path)
    layout = tmp_path / "kartei.yaml"
    layout.write_text(layout.read_text("utf-8").replace("starts_at: Beginn", "starts_at: Begin"), encoding="utf-8")
    said = re.search(r"```text\n(kartei\.yaml.*?)\n```", page, re.DOTALL)

    with pytest.raises(ConfigurationError) as caught:
        open_export(str(path), {"layout": str(layout)})

    assert said is not None
    assert said[1] == str(caught.value).splitlines()[0]
