"""What one column cannot tell alone: the order of its dates, whether 00:00 is meant; and files and codes that lack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import NotAnExportError
from flitstack.protocols import Record, Rejection
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flitstack.protocols import Finding

PATIENTS = "id,last_name,status\n1,Bell,patient\n"


def read(
    folder: Path, stream: str, settings: Mapping[str, Any] | None = None, **files: str
) -> tuple[list[Any], dict[str, Finding]]:
    """Return the items of a stream and the findings by code, once all streams were read."""
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    reader = open_export(str(folder), {"as_of": "2026-06-30", **(settings or {})})
    try:
        found = {each.name: list(reader.read(each.name)) for each in reader.streams()}
        return found.get(stream, []), {each.code: each for each in reader.findings()}
    finally:
        reader.close()


def births(*cells: str) -> str:
    head = "id,last_name,status,birth_date\n"
    return head + "".join(f"{n},Bell,patient,{cell}\n" for n, cell in enumerate(cells))


def ledger(*cells: str) -> str:
    return "id,patient_id,kind,amount,posted_on\n" + "".join(
        f"{n},0,charge,1.00,{cell}\n" for n, cell in enumerate(cells)
    )


@pytest.mark.parametrize(
    ("elsewhere", "day", "said"),
    [("31/01/2024", "2001-02-01", "day/month"), ("01/31/2024", "2001-01-02", "month/day")],
)
def test_dates_that_can_be_read_two_ways_are_read_as_all_other_columns_show(
    tmp_path: Path, elsewhere: str, day: str, said: str
) -> None:
    items, findings = read(
        tmp_path, "patients", patients=births("1/2/2001", "3/3/2002", ""), ledger=ledger("02/03/2024", elsewhere)
    )

    assert [item.data.get("birth_date") for item in items] == [day, "2002-03-03", None]
    told = findings["date_order_taken"]
    assert (told.severity, told.stream, told.count) == ("warning", "patients", 1)
    assert "patients.csv: birth_date could be read" in told.message
    assert f"read as {said}" in told.message


@pytest.mark.parametrize(
    "elsewhere", [("31/01/2024", "01/31/2024"), ("2024-01-31", "2024-01-02"), ("02/03/2024", "05/04/2024")]
)
def test_dates_stay_refused_where_the_other_columns_disagree_or_do_not_show_it(
    tmp_path: Path, elsewhere: tuple[str, ...]
) -> None:
    items, findings = read(tmp_path, "patients", patients=births("1/2/2001"), ledger=ledger(*elsewhere))

    assert [item.code for item in items] == ["ambiguous_date"]
    assert "date_order_taken" not in findings


def test_a_date_written_by_hand_among_others_neither_shows_an_order_nor_takes_one(tmp_path: Path) -> None:
    days = ("2024-01-02", "2024-01-03")

    items, _ = read(tmp_path, "patients", patients=births("1/2/2001"), ledger=ledger(*days, "31/01/2024"))
    others, _ = read(tmp_path, "ledger", patients=births("31/01/2001"), ledger=ledger(*days, "1/2/2024"))

    assert [item.code for item in items] == ["ambiguous_date"]
    assert [item.code for item in others if isinstance(item, Rejection)] == ["ambiguous_date"]


def test_dates_stay_refused_where_two_columns_each_show_another_order(tmp_path: Path) -> None:
    files = {"patients": births("1/2/2001"), "ledger": ledger("31/01/2024")}
    files["recalls"] = "id,patient_id,due_on\n1,0,01/31/2024\n"

    items, _ = read(tmp_path, "patients", None, **files)

    assert [item.code for item in items] == ["ambiguous_date"]


def test_what_is_said_about_the_order_is_what_holds(tmp_path: Path) -> None:
    items, findings = read(
        tmp_path, "patients", {"date_order": "mdy"}, patients=births("1/2/2001"), ledger=ledger("31/01/2024")
    )

    assert items[0].data["birth_date"] == "2001-01-02"
    assert "date_order_taken" not in findings


@pytest.mark.parametrize(
    ("cells", "meant"),
    [
        (["2024-01-02 00:00", "2024-01-03 09:30"], [True, None]),
        (["2024-01-02 00:00:00", "2024-01-03 00:00:00"], [None, None]),
        (["2024-01-02", "2024-01-03 09:30"], [None, None]),
        (["1/2/2024 12:00 AM", "1/31/2024 12:00 AM"], [None, None]),
        (["1/2/2024 12:00 AM", "1/31/2024 12:30 AM"], [True, None]),
    ],
)
def test_midnight_is_a_time_where_the_column_has_times(
    tmp_path: Path, cells: list[str], meant: list[bool | None]
) -> None:
    rows = "".join(f"{n},1,scheduled,{cell}\n" for n, cell in enumerate(cells))

    items, _ = read(tmp_path, "appointments", patients=PATIENTS, appointments=f"id,patient_id,status,starts_at\n{rows}")

    assert [item.data.get("at_midnight") for item in items] == meant


@pytest.mark.parametrize("content", ["", "\ufeff\r\n"])
def test_an_empty_file_of_a_stream_that_need_not_be_there_counts_as_absent_and_is_told(
    tmp_path: Path, content: str
) -> None:
    items, findings = read(tmp_path, "patients", patients=PATIENTS, recalls=content)

    assert [type(item) for item in items] == [Record]
    assert findings["empty_file"].severity == "warning"
    assert findings["empty_file"].message.startswith("recalls.csv is empty, without even a header. It counts as absent")
    assert not {"columns_not_known", "file_not_known"} & findings.keys()
    reader = open_export(str(tmp_path), {})
    assert [stream.name for stream in reader.streams()] == ["patients"]
    reader.close()


@pytest.mark.parametrize("files", [{"patients": "", "recalls": "id,patient_id\n"}, {"recalls": ""}])
def test_an_empty_file_of_patients_and_an_export_of_nothing_else_are_refused(
    tmp_path: Path, files: dict[str, str]
) -> None:
    with pytest.raises(NotAnExportError, match="the file is empty, without even a header"):
        read(tmp_path, "patients", None, **files)


def test_an_unknown_code_of_a_field_that_can_be_unknown_leaves_the_patient_and_is_counted(tmp_path: Path) -> None:
    rows = "1,Bell,patient,Z,perhaps\n2,Bell,patient,F,married\n3,Bell,patient,,NULL\n"

    items, findings = read(tmp_path, "patients", patients=f"id,last_name,status,sex,marital_status\n{rows}")

    assert [item.data.get("sex") for item in items] == ["unknown", "female", None]
    assert [item.data.get("marital_status") for item in items] == ["unknown", "married", None]
    assert (findings["unknown_codes_kept"].severity, findings["unknown_codes_kept"].count) == ("warning", 1)
    assert "--set source.codes" in findings["unknown_codes_kept"].message


def test_a_code_by_which_something_is_decided_is_never_taken_for_unknown(tmp_path: Path) -> None:
    plans = "id,patient_id,status\n1,1,perhaps\n"

    items, _ = read(tmp_path, "treatment_plans", patients=PATIENTS, treatment_plans=plans)

    assert [(type(item), item.code) for item in items] == [(Rejection, "unknown_code")]
