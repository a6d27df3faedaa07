"""`flit map`: proposes a draft that works once edited, says what is wrong in a file, remembers and forgets."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.errors import NotAnExportError
from flitstack.journal import Journal
from flitstack.mapping.template import shipped_templates
from flitstack.protocols import Record
from flitstack.registry import load_plugins
from flitstack.stages.proposal.propose import propose_map
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from types import ModuleType

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLITSTACK_MEMORY", str(tmp_path / "memory"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def export(folder: Path) -> Path:
    out = folder / "export"
    out.mkdir()
    people = [f"{n},Bell{n},Bo,198{n % 10}-02-0{n % 9 + 1},{'MF'[n % 2]},555-555-01{n:02},bo{n}@example.org,"
              f"{('red', 'blue')[n % 2]},123-45-67{n:02}" for n in range(1, 31)]  # fmt: skip
    header = "CustNr,Surname,Forename,DOB,Gender,Cell,Mail,Shirt,SSN"
    (out / "Kunden.csv").write_text("\n".join([header, *people]), encoding="utf-8")
    visits = [f"{100 + n},{n},2026-05-{n % 28 + 1:02} 09:30,30,{('Booked', 'Done', '7')[n % 3]}" for n in range(1, 31)]
    (out / "Termine.csv").write_text(
        "\n".join(["TerminNr,CustNr,Start Time,Duration,Status", *visits]), encoding="utf-8"
    )
    return out


def flit(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["map", *words], prog_name="flit")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def drafted(export: Path, *words: str) -> Path:
    code, _, err = flit("propose", "--input", str(export), "--out", "draft.yaml", *words)
    assert code == 0, err
    return Path("draft.yaml")


def test_the_draft_is_a_layout_that_reads_the_export(export: Path) -> None:
    draft = drafted(export)

    code, out, _ = flit("check", str(draft))
    assert (code, out) == (0, f"{draft}: a layout, and nothing is wrong in it.\n")
    reader = open_export(str(export), {"layout": str(draft)})
    patients = [row for row in reader.read("patients") if isinstance(row, Record)]
    phones = [row for row in reader.read("contact_points") if isinstance(row, Record)]
    visits = list(reader.read("appointments"))
    reader.close()
    assert len(patients) == 30
    assert patients[0].data["last_name"] == "Bell1"
    assert {row.data["kind"] for row in phones} == {"mobile", "email"}
    # Two of three codes were known words; what 7 means a person has to say, and until then its rows do not move.
    assert sum(isinstance(row, Record) for row in visits) == 20


def test_the_draft_shows_what_is_sure_and_what_else_it_might_be(export: Path) -> None:
    text = drafted(export).read_text(encoding="utf-8")

    assert "[x]" in text
    assert "[ ]" in text
    assert "Else: " in text
    assert "# nothing found for Shirt" in text
    assert '# [ ] "7": what it means, one of scheduled' in text


def test_no_cell_of_a_person_is_in_draft_or_output(export: Path) -> None:
    draft = drafted(export).read_text(encoding="utf-8")
    _, out, err = flit("propose", "--input", str(export), "--json")

    for text in (draft, out, err):
        assert "Bell" not in text
        assert "example.org" not in text
        assert "123-45" not in text


def test_a_day_and_a_time_in_two_columns_become_one_moment(folder: Path) -> None:
    out = folder / "split"
    out.mkdir()
    patients = [f"{n},Bell,Bo" for n in range(1, 13)]
    (out / "patients.csv").write_text("\n".join(["PatNum,LName,FName", *patients]), encoding="utf-8")
    visits = [f"{100 + n},{n},2026-05-{n:02},09:30,scheduled" for n in range(1, 13)]
    (out / "appts.csv").write_text("\n".join(["ApptId,PatNum,ApptDate,ApptTime,ApptStatus", *visits]), encoding="utf-8")

    draft = drafted(out)

    assert "starts_at: {columns: [ApptDate, ApptTime], join: ' '}" in draft.read_text(encoding="utf-8")
    reader = open_export(str(out), {"layout": str(draft)})
    first = next(row for row in reader.read("appointments") if isinstance(row, Record))
    reader.close()
    assert str(first.data["starts_at"]).startswith("2026-05-01T09:30")


def test_a_file_that_is_no_stream_plainly_is_not_read(export: Path) -> None:
    (export / "zipcodes.csv").write_text("ZipNum,Digits,IsFrequent\n1,01234,0\n2,01235,1\n", encoding="utf-8")

    text = drafted(export).read_text(encoding="utf-8")

    assert "zipcodes: {}  # [ ] no stream is plainly meant; not read." in text


def test_a_draft_never_overwrites_a_file(export: Path) -> None:
    draft = drafted(export)

    code, _, err = flit("propose", "--input", str(export), "--out", str(draft))

    assert code == 2
    assert "is there already" in err


def test_json_has_every_column_with_confidence_reasons_and_alternatives(export: Path) -> None:
    code, out, _ = flit("propose", "--input", str(export), "--json")

    told = json.loads(out)
    columns = {column["column"]: column for column in told["files"][0]["columns"]}
    assert code == 0
    assert told["files"][0]["stream"] == "patients"
    assert columns["Surname"]["proposal"]["target"] == "patients.last_name"
    assert columns["Surname"]["proposal"]["reasons"]
    assert columns["Shirt"]["proposal"] is None
    assert told["custom_fields"][0] | {"fits": None} == {
        "file": "Kunden.csv", "column": "Shirt", "type": "one of", "options": ["blue", "red"], "fill": 1.0,
        "fits": None, "account": None,
    }  # fmt: skip


def test_custom_columns_are_held_against_the_plans_cap(export: Path) -> None:
    code, out, err = flit("propose", "--input", str(export), "--plan", "lite", "--json")

    assert code == 0
    assert json.loads(out)["room"]["custom_fields"] == 0
    assert json.loads(out)["custom_fields"][0]["fits"] is False
    assert "plan lite: 30 custom fields in all, of which the whole map takes" in err
    assert json.loads(flit("propose", "--input", str(export), "--plan", "growth", "--json")[1])["custom_fields"][0][
        "fits"
    ]
    assert flit("propose", "--input", str(export), "--plan", "gigantic")[0] == 2


def test_a_known_layout_only_offers_its_unread_columns(folder: Path) -> None:
    out = folder / "neutral"
    out.mkdir()
    rows = [f"{n},Bell,patient,{('red', 'blue')[n % 2]}" for n in range(20)]
    (out / "patients.csv").write_text("\n".join(["id,last_name,status,shirt", *rows]), encoding="utf-8")

    draft = drafted(out)

    text = draft.read_text(encoding="utf-8")
    assert "name: neutral" in text
    assert "# shirt: one of 2: blue, red; 100% of the rows have it." in text
    assert flit("check", str(draft))[0] == 0
    uncommented = text.replace("    #  - {stream: custom_columns", "      - {stream: custom_columns")
    draft.write_text(uncommented, encoding="utf-8")
    reader = open_export(str(out), {"layout": str(draft)})
    customs = [row for row in reader.read("custom_columns") if isinstance(row, Record)]
    reader.close()
    assert len(customs) == 20
    assert customs[0].data["name"] == "shirt"


def test_a_confirmed_layout_is_proposed_for_the_next_practice(export: Path, folder: Path) -> None:
    draft = drafted(export)
    edited = draft.read_text(encoding="utf-8").replace("ignore: [Shirt", "ignore: [SSN").replace(
        "fields:\n", "fields:\n          chart_number: Shirt\n", 1)  # fmt: skip
    Path("confirmed.yaml").write_text(edited, encoding="utf-8")

    assert flit("remember", "confirmed.yaml")[0] == 0

    _, out, _ = flit("propose", "--input", str(export), "--json")
    column = next(c for c in json.loads(out)["files"][0]["columns"] if c["column"] == "Shirt")
    assert column["proposal"]["target"] == "patients.chart_number"
    assert column["proposal"]["reasons"] == ["confirmed before for these headers"]
    _, without, _ = flit("propose", "--input", str(export), "--json", "--no-memory")
    assert next(c for c in json.loads(without)["files"][0]["columns"] if c["column"] == "Shirt")["proposal"] is None


def test_the_memory_holds_names_of_columns_only_and_can_be_forgotten(export: Path, folder: Path) -> None:
    flit("remember", str(drafted(export)))

    (kept,) = (folder / "memory").iterdir()
    assert "Bell" not in kept.read_text(encoding="utf-8")
    if sys.platform != "win32":
        assert kept.stat().st_mode & 0o777 == 0o600
    _, out, _ = flit("memory", "list", "--json")
    (listed,) = json.loads(out)["maps"]
    assert listed["name"] == "draft.yaml"
    assert flit("memory", "forget", "nothing")[0] == 2
    assert flit("memory", "forget")[0] == 2
    assert flit("memory", "forget", listed["id"])[1] == "Forgotten: 1.\n"
    assert flit("memory", "list")[1] == "No map is remembered.\n"


def test_a_draft_in_which_nothing_could_be_placed_is_no_sound_layout(folder: Path) -> None:
    odd = folder / "odd"
    odd.mkdir()
    (odd / "Zorblax.csv").write_text("Qux,Wibble\n" + "".join(f"{n},{n % 3}\n" for n in range(30)), encoding="utf-8")

    code, out, _ = flit("check", str(drafted(odd)))

    assert code == 4
    assert "draft.yaml: it reads no file" in out
    with pytest.raises(NotAnExportError, match='the layout "draft" reads none of its 1 text file'):
        open_export(str(odd), {"layout": "draft.yaml"})


def test_a_spanish_list_of_clients_is_one_of_patients(folder: Path) -> None:
    out = folder / "consulta"
    out.mkdir()
    rows = [f"{n};Ana;Moss{n};{n % 28 + 1:02}/0{n % 9 + 1}/198{n % 10};{'HM'[n % 2]}" for n in range(1, 51)]
    (out / "clientes.csv").write_text("\n".join(["NumCliente;Nombre;Apellidos;FechaNac;Sexo", *rows]), encoding="utf-8")

    draft = yaml.safe_load(drafted(out).read_text(encoding="utf-8"))

    (record,) = draft["files"]["clientes"]["records"]
    assert (record["stream"], record["id"]) == ("patients", "NumCliente")
    assert record["fields"].keys() == {"first_name", "last_name", "birth_date", "sex"}


def test_check_names_line_place_and_nearest_name_of_every_problem(folder: Path) -> None:
    Path("bad.yaml").write_text(
        "name: bad\ntitle: Bad\nfiles:\n  kunden:\n    records:\n      - stream: patients\n        id: Nr\n"
        "        fields:\n          last_nam: Name\n          birth_dat: Born\n",
        encoding="utf-8",
    )

    code, out, _ = flit("check", "bad.yaml")

    assert code == 4
    assert 'bad.yaml line 6, files.kunden.records[0]: stream patients has no field "last_nam"' in out
    assert 'Did you mean "last_name"?' in out
    assert 'Did you mean "birth_date"?' in out


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "spec.yaml",
            "template: t\nentries:\n  - {entry: a, from: patients, as: p, objekt: person}\n",
            "spec.yaml line 3",
        ),
        ("t.yaml.j2", "template: t\nsorce: dental\n---\nbody\n", "t.yaml.j2 line 2"),
        ("broken.yaml", "name: [\n", "broken.yaml line"),
    ],
)
def test_check_understands_specs_templates_and_broken_files(name: str, text: str, says: str) -> None:
    Path(name).write_text(text, encoding="utf-8")

    code, out, _ = flit("check", name)

    assert code == 4
    assert says in out


TEMPLATE = """\
template: mine
source: {source}
destination: pipedrive
variables:
  type: object
  properties:
    profile: {{type: string, enum: [small, large], description: How much.}}
---
spec: 1
template: mine
values: {{profile: {{{{ profile }}}}}}
entries:
  - entry: people
    object: person
    from: {stream}
    as: one
    fields: {{name: {name}}}
"""


@pytest.mark.parametrize("name", ["mine.yaml.j2", "mine.yaml"])
def test_check_looks_at_what_comes_of_a_template_whatever_its_files_name(name: str) -> None:
    Path(name).write_text(TEMPLATE.format(source="dental", stream="patients", name="one.last_nam"), encoding="utf-8")
    code, out, _ = flit("check", name)
    assert code == 4
    assert f'{name} line 17, entries.0.fields.name: a record of patients has no "last_nam"' in out

    Path(name).write_text(TEMPLATE.format(source="dental", stream="patients", name="one.last_name"), encoding="utf-8")
    assert flit("check", name)[0] == 0


def test_check_knows_a_plugin_in_one_file_and_its_fields_by_an_export(folder: Path) -> None:
    page = (EXAMPLES.parent / "folder-plugins.md").read_text(encoding="utf-8")
    (folder / "flit_plugins").mkdir()
    place = folder / "flit_plugins" / "handlist.py"
    place.write_text(page.split("```python\n")[1].split("```")[0], encoding="utf-8")
    said = CliRunner().invoke(cli, ["plugins", "confirm", "handlist", "--by", "Ada"], prog_name="flit")
    assert said.exit_code == 0, said.output
    (folder / "list.csv").write_text("no,name,phone\n1,Ada Invented,\n", encoding="utf-8")
    Path("mine.yaml").write_text(TEMPLATE.format(source="handlist", stream="people", name="one.nam"), encoding="utf-8")

    code, out, _ = flit("check", "mine.yaml", "--input", "list.csv")
    assert (code, 'has no "nam". Did you mean "name"?' in out) == (4, True)
    code, out, _ = flit("check", "mine.yaml")
    assert (code, "Give one with --input." in out) == (0, True)


@pytest.mark.parametrize("name", sorted(path.name for path in shipped_templates().glob("*.yaml.j2")))
def test_nothing_is_wrong_in_a_shipped_template(name: str) -> None:
    code, out, _ = flit("check", str(shipped_templates() / name))

    assert code == 0, out


def test_show_without_a_journal_says_what_to_do() -> None:
    code, _, err = flit("show")

    assert code == 4
    assert "--journal" in err


SPEC = """\
template: meadow
entries:
  - entry: people
    from: patients
    as: p
    object: person
    key: p.id
    fields: {name: "p.first_name ~ ' ' ~ p.last_name"}
    links: {org_id: {object: organization, stream: clinics, id: p.clinic_id}}
skip_streams: {ledger: left_by_profile}
"""


def test_show_prints_every_field_with_what_it_comes_from(folder: Path) -> None:
    with Journal(folder / "flit.db") as journal:
        journal.records.keep_spec("a" * 64, SPEC, {}, "2026-01-01T00:00:00Z", {})

    code, out, _ = flit("show")
    _, told, _ = flit("show", "--json")

    assert code == 0
    assert "person.name" in out
    assert "approved by nobody yet" in out
    assert "ledger is left out: left_by_profile." in out
    assert json.loads(told)["fields"] == [
        {"entry": "people", "stream": "patients", "object": "person", "field": "name",
         "from": "p.first_name ~ ' ' ~ p.last_name"},
        {"entry": "people", "stream": "patients", "object": "person", "field": "org_id",
         "from": "link to organization clinics p.clinic_id"},
    ]  # fmt: skip


def example() -> ModuleType:
    import importlib.util

    spec = importlib.util.spec_from_file_location("tiny_proposer", EXAMPLES / "tiny_proposer.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_a_plugin_may_propose_and_is_never_ticked(export: Path) -> None:
    import flitstack_dental

    registry = load_plugins([], {"dental": flitstack_dental, "tiny": example()})

    proposal, draft = propose_map(registry, registry.source("dental"), str(export), {}, None, None)

    shirt = next(c for c in proposal.files[0].columns if c.column == "Shirt")
    assert shirt.chosen is not None
    assert shirt.chosen.target == "patients.preferred_name"
    assert shirt.chosen.reasons[0] == "proposed by glossary"
    assert not shirt.ticked
    assert yaml.safe_load(draft)["files"]["Kunden"]["records"][0]["fields"]["preferred_name"] == "Shirt"


def test_a_proposer_that_fails_is_named_without_its_words(export: Path) -> None:
    import flitstack_dental
    from flitstack.errors import PluginError
    from flitstack.hookspecs import hookimpl
    from flitstack.protocols import Proposer

    def fails(question: Any) -> Any:
        raise ValueError(question.file.columns[1].values[0])

    class Plugin:
        @hookimpl
        def flit_register_proposers(self, register: Any) -> None:
            register(Proposer("oracle", fails))

    registry = load_plugins([], {"dental": flitstack_dental, "oracle": Plugin()})

    with pytest.raises(PluginError, match="oracle") as caught:
        propose_map(registry, registry.source("dental"), str(export), {}, None, None)

    assert "Bell" not in str(caught.value)
