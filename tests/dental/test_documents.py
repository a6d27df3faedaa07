"""A document is found by the whole path that its row states, in every form an export comes in, and by nothing less."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import ConfigurationError, Rejected, UsageError
from flitstack.protocols import Finding, Record
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "patients.csv": "id,last_name,status\n1,Aldous,patient\n2,Bell,patient\n",
    "documents.csv": (
        "id,patient_id,name,path\n"
        "D1,1,xray.png,files/P1/xray.png\n"
        "D2,2,xray.png,files/P2/xray.png\n"
        "D3,2,letter.pdf,Files\\P2\\LETTER.pdf\n"
        "D4,1,plan.pdf,plan.pdf\n"
    ),
    "files/P1/xray.png": "of one",
    "files/P2/xray.png": "of two",
    "files/P2/letter.pdf": "letter",
    "plan.pdf": "plan",
}
FORMS = {"folder": "", "nested": "Practice/Export 2026/", "zip": "", "zip with top folder": "export/"}


def write(form: str, files: dict[str, str], place: Path) -> Path:
    """Write an export in one of the forms; return what a person would give as the input."""
    named = {f"{FORMS[form]}{name}": text for name, text in files.items()}
    if form.startswith("zip"):
        with zipfile.ZipFile(place / "export.zip", "w") as archive:
            for name, text in named.items():
                archive.writestr(name, text)
        return place / "export.zip"
    for name, text in named.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place


def documents(path: Path, **settings: Any) -> tuple[dict[str, str | None], list[Finding]]:
    """Return document id to the hash of its bytes, and the findings."""
    reader = open_export(str(path), settings)
    try:
        records = [item for item in reader.read("documents") if isinstance(item, Record)]
        for record in records:
            if record.data.get("sha256"):
                with reader.open_attachment(str(record.data["path"])) as stream:
                    assert hashlib.sha256(stream.read()).hexdigest() == record.data["sha256"]
        return {record.id: record.data.get("sha256") for record in records}, list(reader.findings())  # type: ignore[misc]
    finally:
        reader.close()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("form", FORMS)
def test_documents_are_found_from_the_folder_of_their_table_in_every_form(form: str, tmp_path: Path) -> None:
    found, findings = documents(write(form, FILES, tmp_path))

    assert found == {"D1": digest("of one"), "D2": digest("of two"), "D3": digest("letter"), "D4": digest("plan")}
    assert findings == []


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_the_same_name_elsewhere_is_never_taken(form: str, tmp_path: Path) -> None:
    files = {name: text for name, text in FILES.items() if name not in ("files/P1/xray.png", "plan.pdf")}
    files["files/P2/plan.pdf"] = "of another patient"
    path = write(form, files, tmp_path)

    found, _ = documents(path)

    assert found == {"D1": None, "D2": digest("of two"), "D3": digest("letter"), "D4": None}
    reader = open_export(str(path), {})
    with pytest.raises(Rejected, match=r"source\.documents") as caught:
        reader.open_attachment("files/P1/xray.png")
    assert caught.value.code == "document_missing"
    reader.close()


def test_a_bare_name_is_looked_for_in_all_folders_only_by_a_setting_and_only_if_one_file_has_it(tmp_path: Path) -> None:
    listed = "id,patient_id,name,path\nD1,1,a,xray.png\nD2,2,b,letter.pdf\nD3,2,c,nowhere/letter.pdf\n"
    path = write("nested", {**FILES, "documents.csv": listed}, tmp_path)

    assert documents(path)[0] == {"D1": None, "D2": None, "D3": None}
    assert documents(path, documents_by_name=True)[0] == {"D1": None, "D2": digest("letter"), "D3": None}


def test_two_files_that_differ_in_case_alone_are_not_guessed_between(tmp_path: Path) -> None:
    listed = "id,patient_id,name,path\nD1,1,a,SCAN.png\nD2,1,b,scan.png\n"
    path = write("folder", {**FILES, "documents.csv": listed, "scan.png": "one", "Scan.png": "two"}, tmp_path)

    assert documents(path)[0] == {"D1": None, "D2": digest("one")}


@pytest.mark.parametrize("form", FORMS)
def test_the_folder_of_the_documents_can_be_named_in_the_export(form: str, tmp_path: Path) -> None:
    files = {name.replace("files/", "scans/all/files/"): text for name, text in FILES.items()}
    files["documents.csv"] = FILES["documents.csv"]

    found, _ = documents(write(form, files, tmp_path), documents="scans/all")

    assert found == {"D1": digest("of one"), "D2": digest("of two"), "D3": digest("letter"), "D4": None}


def test_the_folder_of_the_documents_can_be_outside_and_must_be_there(tmp_path: Path) -> None:
    for name in ("export", "scans/files/P1"):
        (tmp_path / name).mkdir(parents=True)
    path = write("folder", {name: FILES[name] for name in ("patients.csv", "documents.csv")}, tmp_path / "export")
    (tmp_path / "scans/files/P1/xray.png").write_text("of one", encoding="utf-8")

    assert documents(path, documents=str(tmp_path / "scans"))[0]["D1"] == digest("of one")
    with pytest.raises(ConfigurationError, match=r"source\.documents: no such folder"):
        open_export(str(path), {"documents": str(tmp_path / "nowhere")})


def test_when_most_documents_are_missing_one_warning_says_so_and_names_the_setting(tmp_path: Path) -> None:
    kept = ("patients.csv", "documents.csv", "plan.pdf")
    path = write("folder", {name: FILES[name] for name in kept}, tmp_path)

    _, findings = documents(path)

    (found,) = findings
    assert (found.code, found.severity, found.count) == ("documents_missing", "warning", 3)
    assert "3 of 4 documents" in found.message
    assert "source.documents=" in found.message


def test_a_document_that_cannot_be_unpacked_says_that_the_zip_is_damaged(tmp_path: Path) -> None:
    path = write("zip", FILES, tmp_path)
    whole = path.read_bytes()
    assert whole.count(b"of one") == 1
    path.write_bytes(whole.replace(b"of one", b"of own"))

    with pytest.raises(UsageError, match="damaged or cut; copy it again"):
        documents(path)
