"""What the package registers, and that it costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest
from click.testing import CliRunner

import flitstack_dental
from flitstack.protocols import MappingTemplate, SourcePlugin
from flitstack_dental.cli import dental
from flitstack_dental.layout import SHIPPED, load_layouts, stream_schemas
from flitstack_dental.settings import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path


def test_the_source_opens_its_own_demo(tmp_path: Path) -> None:
    found: list[SourcePlugin] = []
    flitstack_dental.flit_register_sources(found.append)
    (source,) = found
    assert source.demo is not None

    reader = source.open(source.demo(str(tmp_path)), {})

    assert {stream.name for stream in reader.streams()} == set(stream_schemas())
    assert set(source.required_streams) <= set(stream_schemas())
    reader.close()


def test_the_template_for_pipedrive_is_registered() -> None:
    found: list[MappingTemplate] = []
    flitstack_dental.flit_register_mapping_templates(found.append)

    assert found == [MappingTemplate("dental", "pipedrive", "dental-to-pipedrive.yaml.j2")]


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, flitstack_dental; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not {"yaml", "jsonschema_rs", "flitstack_dental.reader", "csv", "zipfile"} & set(loaded)


def test_the_settings_are_a_valid_schema_and_each_is_described() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert all(setting["description"] for setting in SCHEMA["properties"].values())


@pytest.mark.parametrize("name", sorted(stream_schemas().keys() - {"practice"}))
def test_each_stream_is_a_valid_schema_that_the_neutral_layout_reads(name: str) -> None:
    schema = dict(stream_schemas()[name])
    jsonschema.Draft202012Validator.check_schema(schema)
    (neutral,) = load_layouts("neutral")

    (record,) = [record for file in neutral.files for record in file.records if record.stream == name]

    assert set(record.fields) == set(schema["properties"]) - {"id"}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_codes_of_a_shipped_layout_mean_what_the_schemas_allow(name: str) -> None:
    (layout,) = load_layouts(name)

    for file in layout.files:
        for record in file.records:
            for field, cell in record.fields.items():
                allowed = stream_schemas()[record.stream]["properties"][field].get("enum")
                if allowed is None or not cell.codes or record.when is not None:
                    continue
                meanings = {meaning for meaning, _ in layout.codes[cell.codes].values()}
                assert meanings - {None} <= set(allowed), (record.stream, field)


def test_the_example_command_writes_a_practice_and_prints_where(tmp_path: Path) -> None:
    out = tmp_path / "practice"

    result = CliRunner().invoke(dental, ["example", "--patients", "5", "--seed", "2", "--out", str(out)])

    assert (result.exit_code, result.stdout.strip()) == (0, str(out))
    assert (out / "patients.csv").is_file()


@pytest.mark.parametrize("command", [[], ["example"], ["streams"]])
def test_each_command_has_help_with_an_example(command: list[str]) -> None:
    assert "Example: flit dental" in CliRunner().invoke(dental, [*command, "--help"]).stdout
