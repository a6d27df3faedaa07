"""Rejected rows go out into sheets, come back corrected, and move through the same reading, gates and engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import UsageError
from flitstack.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rejects.conftest import Practice

PATIENTS = """\
id,last_name,first_name,status,birth_date,ssn
1,Aldous,Ann,patient,1980-02-03,666-12-3456
"""
FIRST = {
    "dental:patients:2": "bad_date",
    "dental:patients:3": "missing_name",
    "dental:appointments:A2": "orphan",
    "dental:appointments:@appointments.csv%3A5": "ragged_row",
}


def setting(column: str, value: str, **where: str) -> Callable[[dict[str, str]], dict[str, str]]:
    """Return a change of one column in the rows that have these cells."""

    def change(row: dict[str, str]) -> dict[str, str]:
        return {**row, column: value} if all(row[name] == cell for name, cell in where.items()) else row

    return change


def test_what_cannot_move_is_rejected_at_every_stage(practice: Practice) -> None:
    assert practice.rejected() == FIRST
    assert practice.names() == {"Aldous"}


def test_sheets_show_the_rows_as_their_files_have_them_and_no_secret(practice: Practice) -> None:
    folder = practice.sheets()

    patients = (folder / "patients.csv").read_bytes().decode("utf-8-sig").split("\r\n")
    assert patients[0] == "code,reason,what_to_do,file,line,key,mark,id,last_name,first_name,status,birth_date"
    assert patients[1].startswith("bad_date,birth_date: ")
    assert patients[1].endswith(",2,Bell,'=1+1,patient,1980-02-31")
    assert '"two\nlines, and a comma"' in (folder / "appointments.csv").read_bytes().decode("utf-8-sig")
    assert "666-" not in "".join(path.read_text("utf-8") for path in folder.iterdir())
    assert "ragged_row" in (folder / "index.csv").read_text("utf-8")


def test_corrected_rows_move_and_the_others_stay_rejected(practice: Practice) -> None:
    practice.sheets()
    practice.edit("patients.csv", setting("birth_date", "1980-02-28", id="2"), delimiter=";")
    practice.edit("appointments.csv", setting("patient_id", "1", id="A2"))

    taken = practice.retry(practice.folder / "rejected")
    report = practice.run()

    assert (taken.corrected, taken.cells, taken.unchanged, taken.left, taken.rewritten) == (2, 2, 2, 0, 0)
    assert practice.names() == {"Aldous", "Bell"}
    assert {each.fields["phone"] for each in practice.account.of("contact")} == {"Ann", "=1+1"}
    assert practice.rejected().keys() == FIRST.keys() - {"dental:patients:2", "dental:appointments:A2"}
    assert [f.count for f in report.findings if f.code == "rows_corrected"] == [2]
    assert report.verification is not None
    assert report.verification.mismatched == 0


def test_a_row_with_too_many_cells_is_put_right_in_its_sheet(practice: Practice) -> None:
    practice.sheets()
    practice.edit(
        "appointments.csv",
        lambda row: {**row, "note": "a comma too many", "(cell 6)": ""} if row["(cell 6)"] else row,
    )

    practice.retry(practice.folder / "rejected" / "appointments.csv")
    practice.run()

    assert "a comma too many" in {str(each.fields["note"]) for each in practice.account.of("visit")}
    assert "ragged_row" not in practice.rejected().values()


def test_a_line_with_broken_quotes_is_mended_as_a_line(practice: Practice) -> None:
    good = "".join(f'B{n},1,complete,2026-01-02 09:00,"well, {n}"\n' for n in range(2, 9))
    bad = 'B1,1,complete,2026-01-02 09:00,"ill, "so\n'
    practice.write(appointments=f"id,patient_id,status,starts_at,note\n{bad}{good}")
    practice.run()
    practice.sheets()
    assert "broken_quotes" in practice.rejected().values()

    line = 'B1,1,complete,2026-01-02 09:00,"ill, so"'
    practice.edit(
        "appointments.csv", lambda row: {**row, "(line as it stands)": line} if row["(line as it stands)"] else None
    )
    practice.retry(practice.folder / "rejected" / "appointments.csv")
    practice.run()

    assert "broken_quotes" not in practice.rejected().values()
    assert "ill, so" in {str(each.fields["note"]) for each in practice.account.of("visit")}


def test_a_row_whose_cells_cannot_be_told_apart_is_not_shown_where_there_are_secrets(practice: Practice) -> None:
    practice.write(patients=PATIENTS + "4,Cole,Cy,patient,1980-02-04,extra,666-12-3459\n")
    practice.run()
    sheet = practice.sheets() / "patients.csv"

    assert "666-12" not in sheet.read_text("utf-8")
    assert "Cole" not in sheet.read_text("utf-8")
    assert "mend it in the export itself" in sheet.read_text("utf-8")
    header, *rows = sheet.read_text("utf-8-sig").splitlines()
    sheet.write_text(
        "\n".join([f"{header},last_name", *(f"{row},Cole" for row in rows if row.startswith("ragged_row"))]), "utf-8"
    )
    with pytest.raises(UsageError, match=r"patients\.csv line 3 cannot be corrected here"):
        practice.retry(sheet)


def test_a_row_that_is_still_bad_is_rejected_again_with_its_new_reason(practice: Practice) -> None:
    practice.sheets()
    practice.edit("patients.csv", setting("status", "no such status", id="2"))
    practice.retry(practice.folder / "rejected")
    practice.edit("patients.csv", setting("birth_date", "1980-02-28", id="2"))
    practice.retry(practice.folder / "rejected")

    practice.run()

    assert practice.rejected()["dental:patients:2"] == "unknown_code"
    practice.sheets()
    shown = (practice.folder / "rejected" / "patients.csv").read_text("utf-8-sig")
    assert ",2,Bell,'=1+1,no such status,1980-02-28" in shown


def test_a_row_corrected_twice_keeps_both_corrections(practice: Practice) -> None:
    practice.sheets()
    practice.edit("patients.csv", setting("birth_date", "no day", id="2"))
    practice.retry(practice.folder / "rejected")
    practice.run()
    practice.sheets()
    practice.edit("patients.csv", setting("last_name", "Ball", id="2"))
    practice.edit("patients.csv", setting("birth_date", "1980-02-28", id="2"))

    practice.retry(practice.folder / "rejected")
    practice.run()

    assert practice.names() == {"Aldous", "Ball"}


def test_a_row_removed_from_its_sheet_stays_rejected(practice: Practice) -> None:
    practice.sheets()
    practice.edit("patients.csv", lambda row: None if row["id"] == "2" else row)

    taken = practice.retry(practice.folder / "rejected" / "patients.csv")
    practice.run()

    assert (taken.corrected, taken.unchanged, taken.left) == (0, 1, 3)
    assert practice.rejected() == FIRST


def test_a_later_export_with_the_same_bad_row_elsewhere_does_not_undo_its_correction(practice: Practice) -> None:
    practice.sheets()
    practice.edit("patients.csv", setting("birth_date", "1980-02-28", id="2"))
    practice.retry(practice.folder / "rejected")
    practice.run()
    practice.write(
        patients="last_name,id,first_name,status,birth_date,ssn,email\n"
        "Zorn,9,Zoe,patient,1990-01-01,,\nBell,2,=1+1,patient,1980-02-31,666-12-3457,\nAldous,1,Ann,patient,1980-02-03,,\n"
    )

    report = practice.run()

    assert practice.names() == {"Aldous", "Bell", "Zorn"}
    assert "dental:patients:2" not in practice.rejected()
    assert [f.count for f in report.findings if f.code == "rows_corrected"] == [1]


def test_a_row_that_says_something_else_later_is_read_as_it_stands_and_told(practice: Practice) -> None:
    practice.sheets()
    practice.edit("patients.csv", setting("birth_date", "1980-02-28", id="2"))
    practice.retry(practice.folder / "rejected")
    practice.run()
    practice.write(
        patients="id,last_name,first_name,status,birth_date\n1,Aldous,Ann,patient,1980-02-03\n2,Bellini,Bo,patient,1980-02-27\n"
    )

    report = practice.run()

    assert practice.names() == {"Aldous", "Bellini"}
    assert [f.keys for f in report.findings if f.code == "corrections_set_aside"] == [("dental:patients:2",)]
    with Journal.existing(practice.journal) as journal:
        assert [each.state for each in journal.corrections.kept()] == ["set_aside"]


def test_what_the_destination_refused_is_listed_and_sent_again(practice: Practice) -> None:
    practice.write(patients=practice.export.joinpath("patients.csv").read_text("utf-8") + "7,Nope,No,patient,,\n")
    practice.account.refuse = lambda operation: operation.fields.get("name") == "Nope"
    practice.run()
    assert practice.rejected()["dental:patients:7"] == "refused"
    practice.sheets()

    practice.account.refuse = lambda operation: False
    practice.run()
    assert "Nope" not in practice.names()
    taken = practice.retry(practice.folder / "rejected" / "patients.csv")
    practice.run()

    assert (taken.corrected, taken.again) == (0, 1)
    assert "Nope" in practice.names()
    assert "dental:patients:7" not in practice.rejected()


def test_what_the_destination_refused_moves_once_it_is_corrected(practice: Practice) -> None:
    practice.write(patients=practice.export.joinpath("patients.csv").read_text("utf-8") + "7,Nope,No,patient,,\n")
    practice.account.refuse = lambda operation: operation.fields.get("name") == "Nope"
    practice.run()
    practice.sheets()
    practice.edit("patients.csv", setting("last_name", "Yes", id="7"))

    practice.retry(practice.folder / "rejected")
    practice.run()

    assert "Yes" in practice.names()
    assert "dental:patients:7" not in practice.rejected()


def test_dates_and_zeros_that_a_spreadsheet_rewrote_change_nothing(practice: Practice) -> None:
    practice.sheets()
    practice.edit("appointments.csv", lambda row: {**row, "starts_at": "1/3/2026 9:00", "patient_id": "1"}, ";")

    taken = practice.retry(practice.folder / "rejected" / "appointments.csv")
    practice.run()

    assert taken.rewritten == 1
    with Journal.existing(practice.journal) as journal:
        (kept,) = [each for each in journal.corrections.kept() if each.keys == ("dental:appointments:A2",)]
        assert kept.cells == {"patient_id": "1"}


def test_an_unknown_key_is_refused_by_name_and_nothing_is_taken(practice: Practice) -> None:
    practice.sheets()
    practice.edit("patients.csv", setting("birth_date", "1980-02-28", id="2"))
    sheet = practice.folder / "rejected" / "patients.csv"
    sheet.write_text(sheet.read_text("utf-8").replace("dental:patients:3", "dental:patients:33"), "utf-8")

    with pytest.raises(UsageError, match=r"no record has the key dental:patients:33\."):
        practice.retry(practice.folder / "rejected")

    with Journal.existing(practice.journal) as journal:
        assert journal.corrections.kept() == []


def test_a_sheet_from_before_the_row_changed_is_refused(practice: Practice) -> None:
    practice.sheets()
    practice.write(patients="id,last_name,first_name,status,birth_date\n2,Ball,Bo,patient,1980-02-30\n")
    practice.run()
    practice.edit("patients.csv", setting("birth_date", "1980-02-28", id="2"))

    with pytest.raises(UsageError, match=r"patients\.csv line 2 has changed since this was exported"):
        practice.retry(practice.folder / "rejected" / "patients.csv")


def test_a_row_that_is_rejected_no_more_is_left_alone(practice: Practice) -> None:
    practice.sheets()
    practice.write(patients="id,last_name,first_name,status,birth_date\n2,Bell,Bo,patient,1980-02-28\n")
    practice.run()
    practice.edit("patients.csv", lambda row: {**row, "birth_date": "1999-01-01"} if row["id"] == "2" else None)

    taken = practice.retry(practice.folder / "rejected" / "patients.csv")

    assert (taken.corrected, taken.not_rejected) == (0, 1)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda text: text.replace("code,", "kode,", 1), "its first columns must be code, reason"),
        (lambda text: text.replace(",birth_date", ",birthday", 1), 'has no column "birthday"'),
        (lambda text: text.replace(",birth_date", ",id", 1), "two have the same"),
        (lambda text: text.replace("dental:patients:2,", ",", 1), "row 2: its key is empty"),
        (lambda text: text + text.splitlines()[1] + "\n", "line 3 is there twice"),
        (lambda text: text.replace("2,Bell,'=1+1,patient,1980-02-31", ",,,,"), "line 3 is empty"),
    ],
)
def test_a_spoilt_sheet_gets_one_clear_message(practice: Practice, spoil: Callable[[str], str], told: str) -> None:
    sheet = practice.sheets() / "patients.csv"
    sheet.write_bytes(spoil(sheet.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")).encode())

    with pytest.raises(UsageError, match=told):
        practice.retry(sheet)


def test_a_sheet_that_is_not_utf_8_is_refused(practice: Practice) -> None:
    sheet = practice.sheets() / "patients.csv"
    sheet.write_bytes(sheet.read_bytes().decode("utf-8-sig").replace("Bell", "Béll").encode("cp1252"))

    with pytest.raises(UsageError, match=r"not UTF-8\. Save it as CSV UTF-8"):
        practice.retry(sheet)


def test_sheets_that_somebody_may_have_edited_are_not_written_over(practice: Practice) -> None:
    from flitstack.stages.rejects.export import export_rejected

    folder = practice.sheets()
    with Journal.existing(practice.journal) as journal, pytest.raises(UsageError, match="is there already"):
        export_rejected(journal, folder)
    with Journal.existing(practice.journal) as journal, pytest.raises(UsageError, match="rows of 2 files"):
        export_rejected(journal, folder / "all.csv")


def test_corrections_are_in_the_audit_log_without_values(practice: Practice) -> None:
    practice.sheets()
    practice.edit("patients.csv", setting("birth_date", "1980-02-28", id="2"))
    practice.retry(practice.folder / "rejected")

    with Journal.existing(practice.journal) as journal:
        *_, (_, _, event, _) = journal.audit.events()
    assert json.loads(event) == {
        "outcome": "row_corrected", "by": "Dana Cho", "keys": ["dental:patients:2"], "file": "patients.csv", "line": 3,
        "fields": ["birth_date"],
    }  # fmt: skip


def test_a_withdrawn_correction_lets_the_row_be_rejected_again(practice: Practice) -> None:
    from flitstack.stages.rejects.retry import withdraw_corrections

    practice.sheets()
    practice.edit("patients.csv", setting("birth_date", "1980-02-28", id="2"))
    practice.retry(practice.folder / "rejected")
    with Journal.existing(practice.journal) as journal:
        assert withdraw_corrections(journal, ["dental:patients:2"], "2026-07-02T10:00:00.000+00:00") == 1
        with pytest.raises(UsageError, match="no correction is kept for this key"):
            withdraw_corrections(journal, ["dental:patients:2"], "2026-07-02T10:00:00.000+00:00")

    practice.run()

    assert practice.rejected() == FIRST


def test_a_sheet_saved_in_a_character_set_without_its_letters_is_refused(practice: Practice) -> None:
    practice.write(patients=PATIENTS + "2,बेल,Bo,patient,1980-02-31,\n")
    practice.run()
    practice.sheets()
    practice.edit("patients.csv", setting("last_name", "???", id="2"))

    with pytest.raises(UsageError, match=r'column "last_name" came back with question marks.* CSV UTF-8') as refused:
        practice.retry(practice.folder / "rejected")

    assert "बेल" not in str(refused.value)
    with Journal.existing(practice.journal) as journal:
        assert list(journal.corrections.kept()) == []


def test_what_programs_leave_in_the_folder_is_no_sheet_and_an_ending_in_capitals_is_one(practice: Practice) -> None:
    folder = practice.sheets()
    practice.edit("patients.csv", setting("birth_date", "1980-02-28", id="2"))
    (folder / "patients.csv").rename(folder / "Patients mended.CSV")
    for name in ("._patients.csv", "~$patients.csv", ".~lock.patients.csv#"):
        (folder / name).write_bytes(b"\x00\x05\x16\x07")

    assert practice.retry(folder).corrected == 1
