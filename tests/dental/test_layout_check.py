"""A mistake in a layout is told when it is loaded: where it is, and which name was probably meant."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from flitstack.errors import ConfigurationError, SettingsError, UsageError
from flitstack_dental.convert import compile_record
from flitstack_dental.layout import SHIPPED, load_layouts
from flitstack_dental.layout_check import PARSERS
from flitstack_dental.reader import open_export

GOOD: dict[str, Any] = {
    "name": "kartei",
    "title": "Kartei",
    "as_of": [{"stream": "appointments", "field": "starts_at", "when": {"status": "completed"}}],
    "codes": {"status": {1: ["scheduled", "Offen"], 2: ["completed", "Fertig"], 9: ["nonsense", "Unsinn"]}},
    "files": {
        "termine": {
            "names": ["kalender"],
            "require": ["Nr", "Datum"],
            "ignore": ["Farbe"],
            "records": [
                {
                    "stream": "appointments",
                    "id": "T{Nr}",
                    "when": {"column": "Status", "codes": "status", "is_not": [9]},
                    "set": {"original_status": "x"},
                    "fields": {
                        "patient_id": "Kunde",
                        "starts_at": {"columns": ["Datum", "Tag"]},
                        "status": {"column": "Status", "codes": "status"},
                        "note": {"column": "Bemerkung", "parse": "text", "optional": True},
                    },
                    "when_missing": {"patient_id": {"status": "not_appointment"}},
                }
            ],
        },
        "andere": None,
    },
}
HEADER = "Nr;Kunde;Datum;Status;Farbe"


def export(place: Path, layout: Any, header: str = HEADER) -> dict[str, str]:
    """Write an export of that layout; return the settings that name it."""
    (place / "export").mkdir(exist_ok=True)
    (place / "export" / "termine.csv").write_text(f"{header}\n1;7;2024-05-06;2;rot\n", encoding="utf-8")
    text = layout if isinstance(layout, str) else yaml.safe_dump(layout)
    (place / "kartei.yaml").write_text(text, encoding="utf-8")
    return {"layout": str(place / "kartei.yaml")}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the good layout with another value at a path such as `files.termine.records.0.id`."""
    raw = copy.deepcopy(GOOD)
    *parts, last = (int(part) if part.isdecimal() and part != "9" else part for part in path.split("."))
    at: Any = raw
    for part in parts:
        at = at[part]
    at[last] = value
    return raw


def refused(place: Path, layout: Any, header: str = HEADER) -> str:
    given = export(place, layout, header)
    with pytest.raises(ConfigurationError) as caught:
        open_export(str(place / "export"), given)
    return str(caught.value)


def test_the_good_layout_is_good(tmp_path: Path) -> None:
    reader = open_export(str(tmp_path / "export"), export(tmp_path, GOOD))

    assert [item.id for item in reader.read("appointments")] == ["T1"]
    assert [finding.code for finding in reader.findings()] == ["columns_left"]
    reader.close()


RECORD = "files.termine.records.0"


@pytest.mark.parametrize(
    ("path", "value", "place", "said"),
    [
        ("titel", "x", "the layout", 'unknown key "titel". Did you mean "title"?'),
        ("files.termine.requires", [], "files.termine", 'unknown key "requires". Did you mean "require"?'),
        (f"{RECORD}.unless_emty", [], "files.termine.records[0]", 'Did you mean "unless_empty"?'),
        (f"{RECORD}.when.isnt", [], "files.termine.records[0].when", 'unknown key "isnt".'),
        (f"{RECORD}.fields.note.colum", "x", "files.termine.records[0].fields.note", 'Did you mean "column"?'),
        (f"{RECORD}.fields.note.parse", "phon", "files.termine.records[0].fields.note", 'Did you mean "phone"?'),
        (f"{RECORD}.fields.status.codes", "stat", "files.termine.records[0].fields.status", 'mean "status"?'),
        (f"{RECORD}.when.codes", "stats", "files.termine.records[0].when", 'Did you mean "status"?'),
        (f"{RECORD}.stream", "appointment", "files.termine.records[0]", 'Did you mean "appointments"?'),
        (f"{RECORD}.fields.start_at", "x", "files.termine.records[0]", 'Did you mean "starts_at"?'),
        (f"{RECORD}.set", {"status": "complete"}, "files.termine.records[0].status", 'Did you mean "completed"?'),
        (f"{RECORD}.when.is_not", [1], "files.termine.records[0].fields.status", '"nonsense" is no meaning of'),
        (f"{RECORD}.fields.status.empty", "skeduled", "files.termine.records[0].fields.status", '"scheduled"?'),
        (f"{RECORD}.when_missing.patient_id", {"status": "none"}, "files.termine.records[0].status", '"none" is no'),
        (f"{RECORD}.id", "T{Nr", "files.termine.records[0].id", "a brace without its column"),
        (f"{RECORD}.fields", ["Nr"], "files.termine.records[0].fields", ""),
        ("as_of.0.field", "start_at", "as_of[0]", 'Did you mean "starts_at"?'),
        ("as_of.0.stream", "visits", "as_of[0]", 'no stream named "visits"'),
        ("codes.status", ["a"], "codes.status", "is not of type"),
        ("files", [], "files", "is not of type"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_nearest_name(
    path: str, value: Any, place: str, said: str, tmp_path: Path
) -> None:
    message = refused(tmp_path, changed(path, value))

    assert message.startswith(f"kartei.yaml, {place}")
    assert said in message


def test_a_file_that_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    assert refused(tmp_path, "name: x\nfiles: [\n").startswith("kartei.yaml line 3: cannot be read as YAML")
    assert "contains itself" in refused(tmp_path, "name: &a [*a]\n")
    assert refused(tmp_path, "just text").startswith("kartei.yaml, the layout: ")


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ("Nr;Kunde;Datumm;Status;Farbe", "files.termine.require: file termine.csv has no column Datum."),
        ("Nr;Kunden;Datum;Status;Farbe", "files.termine.records[0].fields.patient_id: file termine.csv has no column"),
        ("Nr;Kunde;Datum;Lage;Farbe", "files.termine.records[0].when: file termine.csv has no column Status"),
    ],
)
def test_a_column_that_the_file_has_not_is_told_with_those_it_has(header: str, place: str, tmp_path: Path) -> None:
    message = refused(tmp_path, GOOD, header)

    assert message.startswith(f"kartei.yaml, {place}")
    assert f"Its columns are {header.replace(';', ', ')}." in message
    assert "optional: true" in message


def test_the_nearest_column_is_named(tmp_path: Path) -> None:
    assert 'Did you mean "Datumm"?' in refused(tmp_path, GOOD, "Nr;Kunde;Datumm;Status;Farbe")


def test_every_parser_that_may_be_named_exists(tmp_path: Path) -> None:
    for parser in PARSERS:
        reader = open_export(str(tmp_path / "export"), export(tmp_path, changed(f"{RECORD}.fields.note.parse", parser)))
        (table,) = reader._tables.values()
        assert compile_record(table.records[0], table._look())
        reader.close()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_layout_passes_its_own_checks(name: str) -> None:
    assert load_layouts(name)[0].file == ""


def test_a_layout_of_the_users_own_that_is_not_there_is_told() -> None:
    with pytest.raises(SettingsError, match=r"source\.layout"):
        load_layouts("/nowhere/mine.yaml")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "Nr", "status", "{", "{Nr}", "same"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["column", "codes", "is"]), inner),
    max_leaves=4,
)


def _places(raw: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    return [path, *(place for key, value in items for place in _places(value, (*path, key)))]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_places(GOOD)[1:]), ODD)
def test_no_layout_ends_in_a_traceback(path: tuple[Any, ...], value: Any) -> None:
    raw = copy.deepcopy(GOOD)
    at: Any = raw
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    with tempfile.TemporaryDirectory() as folder:
        try:
            reader = open_export(str(Path(folder, "export")), export(Path(folder), raw))
        except (UsageError, SettingsError):
            return
        for stream in reader.streams():
            list(reader.read(stream.name))
        reader.close()
