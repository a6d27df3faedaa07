"""Exports as vendors, browsers and spreadsheets really make them are drafted without surprise, or refused plainly."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from flitstack.cli import cli
from flitstack.mapping.proposing import Matcher, custom_fields
from flitstack.protocols import Proposal, Record, SampledColumn, SampledExport, SampledFile
from flitstack_dental.dialect import normalise
from flitstack_dental.draft import write_draft
from flitstack_dental.lexicon import lexicon
from flitstack_dental.proposing import check, targets
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

pytestmark = pytest.mark.usefixtures("folder")
MATCHER = Matcher(targets(), lexicon())
NAMES = ("PatNum", "LName", "Zip")
PATIENT = tuple(SampledColumn(name, tuple(map(str, range(20))), 20, whole=True) for name in NAMES)


def write(name: str, *rows: Sequence[object], delimiter: str = ",", encoding: str = "utf-8") -> None:
    with Path("export", name).open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def flit(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["map", *words], prog_name="flit")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def drafted() -> tuple[str, dict[str, dict[str, str]]]:
    """Return the draft, sound by `flit map check`, and per stream the fields with their columns as it maps them."""
    code, _, err = flit("propose", "--input", "export", "--out", "draft.yaml")
    assert code == 0, err
    assert flit("check", "draft.yaml")[0] == 0
    text = Path("draft.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for file in yaml.safe_load(text)["files"].values():
        for record in file.get("records", ()):
            for field, cell in (record["fields"] or {}).items():
                columns = cell if isinstance(cell, str) else cell.get("column") or " + ".join(cell["columns"])
                kind = record.get("set", {}).get("kind", "")
                found.setdefault(record["stream"], {})[f"{kind}.{field}" if kind else field] = columns
            found[record["stream"]]["id"] = record["id"]
    return text, found


def records(stream: str) -> Iterable[Record]:
    reader = open_export("export", {"layout": "draft.yaml"})
    rows = [row for row in reader.read(stream) if isinstance(row, Record)]
    reader.close()
    return rows


def german() -> None:
    header = ["Patientennummer", "Anrede", "Nachname", "Vorname", "Geb.-Datum", "Geschlecht", "Straße", "PLZ", "Ort",
              "Telefon privat", "Mobiltelefon", "E-Mail", "Status"]  # fmt: skip
    rows = [
        [str(1000 + n), "Frau", "Quill", "Ida", f"{n:02}.02.1980", "mw"[n % 2], f"Weg {n}", f"8{n:04}", "Meadow",
         f"089 55501{n:02}", f"0171 55501{n:02}", f"q{n}@example.org", ("aktiv", "inaktiv")[n % 2]]
        for n in range(1, 21)
    ]  # fmt: skip
    write("Patienten.csv", header, *rows, delimiter=";", encoding="cp1252")
    visits = [
        [str(n), str(1000 + n), f"{n:02}.05.2026", "08:30", "09:00", "30", ("geplant", "abgesagt")[n % 2]]
        for n in range(1, 21)
    ]
    write("Termine.csv", ["Termin-ID", "Patientennr", "Datum", "Uhrzeit von", "Uhrzeit bis", "Dauer (Min)", "Status"],
          *visits, delimiter=";", encoding="cp1252")  # fmt: skip


def test_a_german_export_with_semicolons_is_drafted_and_read() -> None:
    german()

    text, found = drafted()

    assert found["patients"] == {
        "id": "Patientennummer", "title": "Anrede", "last_name": "Nachname", "first_name": "Vorname",
        "birth_date": "Geb.-Datum", "sex": "Geschlecht", "status": "Status",
    }  # fmt: skip
    assert found["contact_points"].keys() >= {"mobile.value", "home.value", "email.value"}
    assert found["addresses"]["mailing.postal_code"] == "PLZ"
    assert found["appointments"]["patient_id"] == "Patientennr"
    assert '"w": female' in text
    assert '"abgesagt": cancelled' in text
    assert {row.data["sex"] for row in records("patients")} == {"male", "female"}


def test_of_two_columns_of_times_the_one_headed_as_the_start_is_joined_to_the_day() -> None:
    german()

    text, found = drafted()

    assert found["appointments"]["starts_at"] == "Datum + Uhrzeit von"
    assert "nothing found for Uhrzeit bis" in text
    assert "nothing found for Uhrzeit von" not in text
    assert all("T08:30" in str(row.data["starts_at"]) for row in records("appointments"))


def test_a_start_without_a_time_of_day_is_not_ticked_and_says_so() -> None:
    write("patients.csv", ["PatNum", "LName"], *([n, "Bell"] for n in range(1, 21)))
    write("appts.csv", ["ApptId", "PatNum", "ApptDate", "ApptStatus"],
          *([n, n, f"2026-05-{n:02}", "scheduled"] for n in range(1, 21)))  # fmt: skip

    text, _ = drafted()

    line = next(line for line in text.splitlines() if "starts_at: ApptDate" in line)
    assert "its cells say no time of day: midnight is read. [ ]" in line


def test_an_m_beside_an_h_is_not_taken_for_a_man() -> None:
    header = ["Nº Historia", "Nombre", "Apellidos", "Fecha de nacimiento", "Sexo", "Correo electrónico"]
    rows = [[n, "Eva", "Roca", f"{n:02}/02/1980", "HM"[n % 2], f"r{n}@example.org"] for n in range(1, 21)]
    write("pacientes.csv", header, *rows, delimiter=";", encoding="utf-8-sig")

    text, found = drafted()

    assert found["patients"]["sex"] == "Sexo"
    assert found["patients"]["birth_date"] == "Fecha de nacimiento"
    assert '# [ ] "M": what it means' in text
    assert '# [ ] "H": what it means' in text


def test_a_header_that_is_another_files_id_points_there() -> None:
    write("Patient List.csv", ["Acct #", "Last Name", "DOB"], *([f"A-{n}", "Bell", "1980-02-03"] for n in range(1, 21)))
    write("Appointments.csv", ["Appt #", "Acct #", "Appt Date/Time", "Stat"],
          *([n, f"A-{n}", f"2026-05-{n:02} 09:30", "scheduled"] for n in range(1, 21)))  # fmt: skip

    text, found = drafted()

    assert found["patients"]["id"] == "Acct #"
    assert found["appointments"]["patient_id"] == "Acct #"
    assert "%, it has the same header as the id of patients; 100% of the cells are ids of patients" in text


def test_names_of_people_are_never_proposed_as_an_id() -> None:
    write("patients.csv", ["Patient", "DOB", "Cell"],
          *([f"Bell, Bo {n}", "1980-02-03", f"555-555-01{n:02}"] for n in range(1, 21)))  # fmt: skip

    code, text, _ = flit("propose", "--input", "export")

    assert code == 0
    assert "no column is an id of patients" in text
    assert "Bell" not in text


def test_a_hundred_and_fifty_columns_and_doubled_headers_are_told_apart() -> None:
    junk = [f"udf_{n}" for n in range(137)]
    header = ["Patient ID", "First Name", "Last Name", "DOB", "Email", "Email", "", " ", "1", "2023", *junk]
    rows = [[f"P{n}", "Bo", "Bell", "1980-02-03", f"a{n}@example.org", f"b{n}@example.org", "x", "", 1, 2,
             *["a"] * len(junk)] for n in range(1, 21)]  # fmt: skip
    write("dump.csv", header, *rows)

    text, found = drafted()

    assert "of columns headed alike only the first is read; left out, by place: 6" in text
    assert set(found) == {"patients", "contact_points"}
    assert found["patients"].keys() == {"id", "first_name", "last_name", "birth_date"}
    assert next(row.data["value"] for row in records("contact_points")) == "a1@example.org"


def test_fields_of_ones_own_have_an_id_that_tells_patients_apart() -> None:
    write("Patient List.csv", ["Acct #", "Last Name", "DOB", "Shoe size"],
          *([f"A-{n}", "Bell", "1980-02-03", "40"] for n in range(1, 21)))  # fmt: skip
    text, _ = drafted()

    Path("draft.yaml").write_text(
        text.replace("    #  - {stream: custom_columns", "      - {stream: custom_columns"), encoding="utf-8"
    )

    assert len({row.data["id"] for row in records("custom_columns")}) == 20


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"1,Bell,Al,1985-06-11\n2,Bell,Bo,1985-06-12\n", "its first line seems to be data"),
        (b"1,2,3,4\n5,6,7,8\n", "its first line seems to be data"),
        (b"PK\x03\x04 a workbook under another name", "it is an Excel workbook"),
        (b"", "it is empty"),
        (b"only a line\nand another\n", "one column only"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_what_to_do_and_without_a_value(content: bytes, says: str) -> None:
    Path("export", "patients.csv").write_bytes(content)

    code, out, err = flit("propose", "--input", "export")

    assert code == 2
    assert "No table here that could be mapped. patients.csv: " in err
    assert says in err
    assert "Bell" not in out + err


def test_a_first_line_of_data_never_reaches_the_draft_of_the_other_files() -> None:
    write("patients.csv", ["PatNum", "LName"], *([n, "Aldous"] for n in range(1, 21)))
    write("leads.csv", [1, "Zebedee", "zebedee@example.org"], [2, "Quill", "quill@example.org"])

    text, _ = drafted()
    _, told, _ = flit("propose", "--input", "export", "--json")

    assert "leads: {}  # [ ] its first line seems to be data" in text
    assert "ebedee" not in text + told


def test_a_second_download_of_a_file_is_left_out_because_its_name_is_the_same() -> None:
    write("patients.csv", ["PatNum", "LName"], *([n, "Aldous"] for n in range(1, 21)))
    write("patients (1).csv", ["PatNum", "LName"], *([n, "Aldous"] for n in range(1, 21)))

    text, found = drafted()

    assert '"patients (1)": {}  # [ ] a layout cannot tell it from patients.csv by its name' in text
    assert found["patients"] == {"id": "PatNum", "last_name": "LName"}


def test_headers_with_line_breaks_and_quotes_do_not_break_the_draft() -> None:
    write("patients.csv", ["PatNum", "LName", "What\nof: this", 'a "quoted" # one'],
          *([n, "Aldous", "x", "y"] for n in range(1, 21)))  # fmt: skip

    text, _ = drafted()

    assert "# What of: this: one of 1: x" in text


@given(
    st.lists(st.text(max_size=20).filter(normalise), min_size=2, max_size=6, unique_by=normalise),
    st.lists(st.text(max_size=12), max_size=12),
    st.sampled_from(["patients.csv", "null.csv", "#a: b.csv"]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_headers_and_cells_there_are_the_draft_is_sound(
    headers: list[str], cells: list[str], name: str
) -> None:
    columns = (*(SampledColumn(header, tuple(cells), len(cells)) for header in headers), *PATIENT)
    export = SampledExport((SampledFile(name, columns, note=f"({headers[0]})"),))
    files = tuple(MATCHER.propose(export))
    customs = custom_fields([(name, column) for column in columns], None)

    text = write_draft(Proposal("dental", "", files, customs), export)

    with TemporaryDirectory() as place:
        for draft in (text, text.replace("    #  - {stream: custom_columns", "      - {stream: custom_columns")):
            path = Path(place) / "draft.yaml"
            path.write_text(draft, encoding="utf-8")
            problems = check(path)
            if files[0].stream:
                assert problems == ()
            else:  # an odd header may speak for another stream as loudly as these do for patients
                assert [problem.partition(",")[0] for problem in problems] == ["draft.yaml: it reads no file"]


def test_check_shows_no_line_of_a_data_file() -> None:
    Path("patients.csv").write_text("id;name\n1;Zebedee\n", encoding="utf-8")

    code, out, _ = flit("check", "patients.csv")

    assert code == 4
    assert "neither a layout nor a mapping spec" in out
    assert "Zebedee" not in out


def test_check_names_the_nearest_stream_in_a_spec() -> None:
    entry = {"entry": "a", "from": "patient", "as": "p", "object": "person", "key": "p.id", "fields": {}}
    spec = {"template": "t", "spec": 1, "skip_streams": {"apointments": "left"}, "entries": [entry]}
    Path("spec.yaml").write_text(json.dumps(spec, indent=1), encoding="utf-8")

    code, out, _ = flit("check", "spec.yaml")

    assert code == 4
    assert 'unknown stream "patient". Did you mean "patients"?' in out
    assert 'unknown stream "apointments". Did you mean "appointments"?' in out


def test_a_place_that_cannot_be_written_is_told() -> None:
    write("patients.csv", ["PatNum", "LName"], [1, "Aldous"], [2, "Bell"])

    code, _, err = flit("propose", "--input", "export", "--out", "nowhere/draft.yaml")

    assert code == 2
    assert "cannot be written" in err


def test_the_account_says_what_a_column_without_a_field_may_be() -> None:
    users = ("alex.admin@practice.example", "ALEX.ADMIN@practice.example")
    write("patients.csv", ["PatNum", "LName", "Coordinator", "Shoe"],
          *([n, "Aldous", users[n % 2], 40 + n % 3] for n in range(1, 21)))  # fmt: skip

    code, text, err = flit("propose", "--input", "export", "--dest", "pipedrive", "--account",
                           "--set", "dest.base_url=sandbox:account.db?plan=growth&seats=3")  # fmt: skip

    assert code == 0, err
    assert "1 of these the account may know already" in err
    line = next(line for line in text.splitlines() if "# Coordinator: " in line)
    assert line.endswith("1 of its 1 words are users of the account: an owner?.")


def test_what_is_remembered_of_an_older_version_breaks_nothing(folder: Path) -> None:
    write("kunden.csv", ["PatNum", "LName", "Foo"], *([n, "Aldous", "x"] for n in range(1, 21)))
    (folder / "memory").mkdir()
    columns = [
        {"file": "kunden", "stream": stream, "column": column, "target": target}
        for stream, column, target in (
            ("patients", "PatNum", "patients.id"), ("patients", "LName", "patients.gone"), ("gone", "Foo", "gone.id")
        )
    ]  # fmt: skip
    kept = {"source": "dental", "name": "old.yaml", "confirmed_on": "2026-01-01", "columns": columns}
    (folder / "memory" / "0123456789ab.json").write_text(json.dumps(kept), encoding="utf-8")
    (folder / "memory" / "broken.json").write_text("{", encoding="utf-8")

    _, found = drafted()

    assert found["patients"] == {"id": "PatNum", "last_name": "LName"}
