"""Plants twenty of each kind of defect into a copy of an Open Dental export, and says what the audit should find.

Run by itself it writes such a copy for a look: `python tests/audit/planting.py EXPORT OUT`.
"""

from __future__ import annotations

import csv
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Row: TypeAlias = dict[str, str]
AS_OF = "2026-11-22"
"""The export's own day, which rows planted in the future would shift."""
EACH = 20
NOWHERE = "999999"
FIRST_ID = 900_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of defect.

    :param table: the file it is planted into.
    :param stream, code: of the audit's line that should count it.
    :param change: makes a sound row defective; a number from 0 tells the twenty apart.
    :param twice: the row is written a second time, changed by this.
    :param mangle: spoils the finished row's cells.
    :param also: (stream, code, how often per row) of other lines that count the rows, by the nature of the defect.
    """

    name: str
    table: str
    stream: str
    code: str
    change: Callable[[Row, int], Row] = lambda row, number: row
    twice: Callable[[Row], Row] | None = None
    mangle: Callable[[list[str]], list[str]] | None = None
    also: tuple[tuple[str, str, int], ...] = ()


def _set(**cells: str) -> Callable[[Row, int], Row]:
    return lambda row, number: {**row, **cells}


def _patient(name: str, code: str, stream: str = "patients", **cells: str) -> Kind:
    return Kind(name, "patient", stream, code, _set(**cells))


def _circle(row: Row, number: int) -> Row:
    """Make each two that follow each other one another's guarantor."""
    own = int(row["PatNum"])
    return {**row, "Guarantor": str(own + 1 if number % 2 == 0 else own - 1)}


def _capitals(row: Row, number: int) -> Row:
    return {**row, "LName": row["LName"].upper(), "FName": row["FName"].upper()}


def _in_one_cell(row: Row, number: int) -> Row:
    return {**row, "LName": f"{row['LName']}, {row['FName']}", "FName": ""}


def _again_under_another_id(row: Row) -> Row:
    return {**row, "PatNum": str(int(row["PatNum"]) + 50_000), "Guarantor": str(int(row["PatNum"]) + 50_000)}


NAMELESS = {"LName": "", "FName": "", "MiddleI": "", "Preferred": "", "Salutation": ""}
# An Open Dental patient's row is also an address, two contact points and, of a guarantor, a family.
WAITING = (
    ("addresses", "refers_to_rejected", 1),
    ("contact_points", "refers_to_rejected", 2),
    ("families", "refers_to_rejected", 1),
)
NO_FAMILY = (("patients", "reference_missing", 1),)  # a family is known by its guarantor's row
NO_FILE = (("documents", "document_missing", 1), ("documents", "documents_missing", 1))
PATIENTS = (
    _patient("no birth date", "birth_date_missing", Birthdate=""),
    _patient("placeholder birth date", "birth_date_impossible", Birthdate="1900-01-01"),
    _patient("born tomorrow", "birth_date_impossible", Birthdate="2031-05-06"),
    Kind("name in capitals", "patient", "patients", "name_in_capitals", _capitals),
    Kind("name in one cell", "patient", "patients", "name_in_one_cell", _in_one_cell),
    Kind("ZZ", "patient", "patients", "zz_name", lambda row, _: {**row, "LName": f"ZZ{row['LName']}"}),
    Kind("suffix", "patient", "patients", "suffix_in_name", lambda row, _: {**row, "LName": f"{row['LName']} Jr."}),
    Kind("test", "patient", "patients", "test_person", lambda row, _: {**row, "FName": "TEST"}),
    Kind("nameless", "patient", "patients", "name_missing", lambda row, _: {**row, **NAMELESS}),
    Kind("padded", "patient", "patients", "padded_text", lambda row, _: {**row, "LName": f"  {row['LName']} "},
         also=(("families", "padded_text", 1),)),
    Kind("zero width", "patient", "patients", "invisible_characters",
         lambda row, _: {**row, "FName": f"{row['FName']}\u200b"}),
    Kind("unknown status", "patient", "patients", "unknown_code", _set(PatStatus="Q"), also=WAITING),
    Kind("no such day", "patient", "patients", "bad_date", _set(Birthdate="1980-02-31"), also=WAITING),
    Kind("no id", "patient", "patients", "missing_id", _set(PatNum=""),
         also=(("addresses", "missing_id", 1), ("contact_points", "missing_id", 2))),
    Kind("guarantor gone", "patient", "patients", "reference_missing", _set(Guarantor=NOWHERE), also=NO_FAMILY),
    Kind("guarantors in a circle", "patient", "patients", "guarantor_circle", _circle, also=NO_FAMILY),
    Kind("one id twice", "patient", "patients", "duplicate_id", twice=lambda row: {**row, "LName": "Otherwise"},
         also=(("families", "duplicate_id", 1),)),
    Kind("one row twice", "patient", "patients", "duplicate_row", twice=lambda row: row),
    Kind("one person twice", "patient", "patients", "probable_duplicate", twice=_again_under_another_id),
    Kind("cut short", "patient", "patients", "ragged_row", mangle=lambda cells: cells[:30]),
    _patient("formula", "formula_cell", Preferred="=1+1"),
    _patient("lost zero", "lost_zero", "addresses", Zip="2199"),
    _patient("no such postal code", "invalid_postal_code", "addresses", Zip="12-34", Country="US"),
    _patient("nobody's e-mail", "placeholder_email", "contact_points", Email="none@none.com"),
    _patient("no e-mail address", "invalid_email", "contact_points", Email="call@home"),
    _patient("words in phone", "note_in_phone", "contact_points", WirelessPhone="(312) 555-0143 call wife"),
    _patient("two phones", "two_numbers", "contact_points", WirelessPhone="(312) 555-0144 / (312) 555-0145"),
    _patient("no area code", "local_number", "contact_points", WirelessPhone="555-0147"),
    _patient("extension", "extension", "contact_points", WirelessPhone="312.555.0156x7468"),
    _patient("no phone at all", "invalid_phone", "contact_points", WirelessPhone="12"),
    _patient("deceased", "deceased", PatStatus="5"),
    _patient("large credit", "large_credit", "account_balances", EstBalance="-5000.00", BalTotal="-5000.00"),
    _patient("two balances", "balances_disagree", "account_balances", EstBalance="50.00", BalTotal="70.00",
             Bal_0_30="50.00"),
    _patient("no age of debt", "balance_without_ageing", "account_balances", EstBalance="50.00", BalTotal="50.00"),
    _patient("ages differ", "ageing_differs", "account_balances", EstBalance="50.00", BalTotal="50.00",
             Bal_0_30="20.00"),
)  # fmt: skip


def _visit(name: str, code: str, **cells: str) -> Kind:
    return Kind(name, "appointment", "appointments", code, _set(**cells))


VISITS = (
    _visit("visit of nobody known", "orphan", PatNum=NOWHERE),
    _visit("visit of nobody", "no_patient", PatNum="0"),
    _visit("unknown provider", "reference_missing", ProvNum="777"),
    Kind("long past, open", "appointment", "appointments", "stale_open", _set(AptStatus="1")),
    Kind("done, yet ahead", "appointment", "appointments", "completed_in_future",
         lambda row, n: {**row, "AptDateTime": f"2031-03-{n + 1:02d} 09:00:00"}),
    _visit("no day", "no_day", AptDateTime=""),
    _visit("unknown visit status", "unknown_code", AptStatus="77"),
    _visit("no such visit day", "bad_date", AptDateTime="2025-02-31 09:00:00"),
    Kind("visit at a birth date", "appointment", "appointments", "ancient_date",
         lambda row, n: {**row, "AptDateTime": f"1929-02-03 09:{n:02d}:00"}),
    Kind("two at one minute", "appointment", "appointments", "appointment_twice",
         twice=lambda row: {**row, "AptNum": str(int(row["AptNum"]) + 50_000), "ProvNum": "0"}),
)  # fmt: skip


def _work(name: str, code: str, stream: str = "procedures", **cells: str) -> Kind:
    return Kind(name, "procedurelog", stream, code, _set(**cells))


CHART = (
    _work("work on nobody", "orphan", PatNum=NOWHERE),
    _work("no fee", "missing_fee", ProcFee=""),
    _work("no such tooth", "implausible_tooth", ToothNum="99"),
    _work("no such surface", "implausible_surface", Surf="XQZ"),
    _work("no fee as number", "bad_number", ProcFee="see chart"),
    _work("fee with sign", "amount_as_text", ProcFee="$1,180.00"),
    _work("unknown procedure code", "reference_missing", CodeNum="77777"),
    _work("no code", "missing_code", CodeNum="0"),
    _work("work at a birth date", "ancient_date", DateComplete="1929-02-03", ProcDate="1929-02-03"),
    _work("planned, in no plan", "item_without_plan", "treatment_plan_items", ProcStatus="1"),
)


def _recall(name: str, code: str, **cells: str) -> Kind:
    return Kind(name, "recall", "recalls", code, _set(**cells))


RECALLS = (
    Kind("recall of nobody", "recall", "recalls", "orphan", lambda row, n: {**row, "PatNum": f"9990{n:02d}"}),
    _recall("never due", "no_due_day", DateDue="", DateDueCalc=""),
    _recall("long overdue", "long_overdue", DateDue="2019-03-04"),
    _recall("switched off", "recall_disabled", IsDisabled="t"),
    _recall("unknown recall kind", "reference_missing", RecallTypeNum="77"),
    Kind("one recall twice", "recall", "recalls", "recall_twice",
         twice=lambda row: {**row, "RecallNum": str(int(row["RecallNum"]) + 50_000)}),
)  # fmt: skip


def _letter(name: str, code: str, text: str | None = None, **cells: str) -> Kind:
    if text is None:
        return Kind(name, "commlog", "communications", code, _set(**cells))
    return Kind(name, "commlog", "communications", code, lambda row, number: {**row, "Note": text.format(number)})


TEXTS = (
    _letter("letter to nobody", "orphan", PatNum=NOWHERE),
    _letter("formula in a note", "formula_cell", "=HYPERLINK({})"),
    _letter("markup", "markup", "<p>Seen <b>today</b></p>"),
    _letter("rich text", "rich_text", r"{{\rtf1\ansi seen}}"),
    _letter("emoji", "emoji", "Very happy \U0001f600 {}"),
    _letter("right to left", "right_to_left", "المريض بخير {}"),
    _letter("decoded wrongly", "letters_broken", "CafÃ© {}"),
    _letter("letter lost", "letters_gone", "Caf\ufffd {}"),
    _letter("control", "control_character", "bell \x07 {}"),
    _letter("NUL", "control_characters", "nothing \x00 {}"),
    _letter("several lines", "line_break", "one\ntwo {}"),
    _letter("quotation marks", "quotation_mark", 'said "no" {}'),
    _letter("secret", "secret_values_removed", "SSN 666-12-3456 on file {}"),
    _letter("unknown kind of letter", "unknown_code", Mode_="77"),
)

COVER = (
    Kind("cover of nobody", "patplan", "patient_insurance", "orphan", _set(PatNum=NOWHERE)),
    Kind("subscription gone", "patplan", "patient_insurance", "reference_missing", _set(InsSubNum=NOWHERE)),
    Kind("second without first", "patplan", "patient_insurance", "second_without_first", _set(Ordinal="2")),
    Kind("not verified", "patplan", "patient_insurance", "cover_unverified", _set(IsPending="t")),
    Kind("paper of nobody known", "document", "documents", "orphan", _set(PatNum=NOWHERE), also=NO_FILE),
    Kind("paper of nobody", "document", "documents", "document_of_nobody", _set(PatNum="0"), also=NO_FILE),
    Kind("payment of nobody", "payment", "ledger", "orphan", _set(PatNum=NOWHERE)),
    Kind("payment in words", "payment", "ledger", "amount_as_text", _set(PayAmt="(45.00)")),
    Kind("no amount", "payment", "ledger", "no_amount", _set(PayAmt="")),
    Kind("referral of nobody", "refattach", "patient_referrals", "orphan", _set(PatNum=NOWHERE)),
    Kind("unknown source", "refattach", "patient_referrals", "reference_missing", _set(ReferralNum="77")),
)  # fmt: skip
KINDS = (*PATIENTS, *VISITS, *CHART, *RECALLS, *TEXTS, *COVER)
KEYS = {
    "patient": "PatNum", "appointment": "AptNum", "procedurelog": "ProcNum", "recall": "RecallNum",
    "commlog": "CommlogNum", "patplan": "PatPlanNum", "document": "DocNum", "payment": "PayNum",
    "refattach": "RefAttachNum",
}  # fmt: skip


class _Sound:
    """Makes sound rows: each like the table's own, and unlike every other where that matters."""

    def __init__(self, export: Path) -> None:
        rows = {table: _read(export / f"{table}.csv")[1] for table in KEYS}
        self._first = {table: of[0] for table, of in rows.items()}
        everybody = [row["PatNum"] for row in rows["patient"] if row["PatStatus"] == "0"]
        self._without = {
            table: iter([one for one in everybody if one not in {row["PatNum"] for row in rows[table]}])
            for table in ("recall", "patplan")
        }
        self._random = random.Random(7)  # noqa: S311 - repeatable test data, no secret
        self._number = FIRST_ID

    def row(self, table: str) -> Row:
        """Return a row that has no defect, with an id of its own, of a patient of its own."""
        self._number += 1
        row = {**self._first[table], KEYS[table]: str(self._number)}
        return {**row, **getattr(self, f"_{table}")(self._number)}

    def _word(self) -> str:
        letters = "".join(self._random.choice("bcdfghjklmnprstvwz") + self._random.choice("aeiou") for _ in range(5))
        return letters.capitalize()

    def _patient(self, number: int) -> Row:
        year, month, day = 1950 + self._random.randrange(50), 1 + self._random.randrange(12), 1 + number % 28
        return {
            "LName": self._word(), "FName": self._word(), "MiddleI": "", "Preferred": "", "Salutation": "",
            "PatStatus": "0", "Birthdate": f"{year}-{month:02d}-{day:02d}", "Guarantor": str(number),
            "Address": f"{number} {self._word()} Way", "City": self._word(), "Zip": f"{number % 80_000 + 10_000}",
            "HmPhone": "", "WkPhone": "",
            "WirelessPhone": f"({self._random.randrange(200, 990)}) 222-{number % 10_000:04d}",
            "Email": f"person{number}@mail.example", "EstBalance": "", "BalTotal": "", "Country": "", "AddrNote": "",
        }  # fmt: skip

    def _appointment(self, number: int) -> Row:
        offset = number - FIRST_ID
        when = f"20{10 + offset // 336:02d}-{1 + offset // 28 % 12:02d}-{1 + offset % 28:02d} 11:00:00"
        return {"PatNum": "3", "AptStatus": "2", "AptDateTime": when, "Pattern": "XX", "ProvNum": "11", "Note": ""}

    def _procedurelog(self, number: int) -> Row:
        return {"PatNum": "3", "ProcStatus": "2", "ProcFee": "75", "AptNum": "0", "ToothNum": "7", "Surf": "MO"}

    def _recall(self, number: int) -> Row:
        return {"PatNum": next(self._without["recall"]), "DateDue": "2027-04-25", "IsDisabled": "f",
                "RecallTypeNum": "4", "RecallInterval": "6"}  # fmt: skip

    def _commlog(self, number: int) -> Row:
        return {"PatNum": "3", "Note": "Due for recall", "CommType": "0"}

    def _patplan(self, number: int) -> Row:
        return {"PatNum": next(self._without["patplan"]), "Ordinal": "1", "IsPending": "f", "PatID": f"P{number}"}

    def _document(self, number: int) -> Row:
        return {"PatNum": "3", "FileName": f"{number}.pdf", "DocCategory": "0"}

    def _payment(self, number: int) -> Row:
        return {"PatNum": "3", "PayAmt": f"{number - FIRST_ID}.25", "PayDate": "2026-01-05", "PayType": "0"}

    def _refattach(self, number: int) -> Row:
        return {"PatNum": "3"}


@dataclass(frozen=True, slots=True)
class Planted:
    """What was planted of one kind: the ids of the rows, as the audit should name them."""

    kind: Kind
    ids: tuple[str, ...]


def plant(export: Path, out: Path, kinds: tuple[Kind, ...] = KINDS) -> list[Planted]:
    """Write a copy of an export with twenty more rows of each kind, each with that defect; return what was planted."""
    shutil.copytree(export, out)
    sound, planted = _Sound(export), []
    for kind in kinds:
        header, _ = _read(out / f"{kind.table}.csv")
        ids = []
        with (out / f"{kind.table}.csv").open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            for number in range(EACH):
                row = kind.change(sound.row(kind.table), number)
                rows = [row] if kind.twice is None else [row, kind.twice(row)]
                for each in rows:
                    cells = [each[name] for name in header]
                    writer.writerow(kind.mangle(cells) if kind.mangle else cells)
                ids.append(rows[-1][KEYS[kind.table]])
        planted.append(Planted(kind, tuple(ids)))
    return planted


def _read(path: Path) -> tuple[list[str], list[Row]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or ()), list(reader)


if __name__ == "__main__":
    plant(Path(sys.argv[1]), Path(sys.argv[2]))
