"""The example's documents: real small files, where their rows say, and some whose bytes are missing."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

from flitstack_dental.example import papers

if TYPE_CHECKING:
    from tests.dental_example.conftest import Example


def test_each_documents_bytes_are_there_unless_the_ledger_says_they_are_missing(any_size: Example) -> None:
    missing = {entry["id"] for entry in any_size.ledger if entry["code_or_rule"] == "document_missing"}

    for record in any_size.records("documents"):
        assert (any_size.out / record["path"]).is_file() == (record["id"] not in missing)


def test_no_two_documents_of_one_patient_bear_the_same_name(any_size: Example) -> None:
    names = [(record["patient_id"], record["name"]) for record in any_size.records("documents")]
    planted = {entry["id"] for entry in any_size.ledger if entry["kind"] == "orphan"}

    own = [n for n, record in zip(names, any_size.records("documents"), strict=True) if record["id"] not in planted]

    assert len(own) == len(set(own))


def test_two_patients_have_a_document_of_the_same_name_with_other_bytes(demo: Example) -> None:
    consents = [record for record in demo.records("documents") if record["name"] == "consent.pdf"]
    present = [demo.out / record["path"] for record in consents if (demo.out / record["path"]).exists()]

    assert len({record["patient_id"] for record in consents}) > 1
    assert len({path.read_bytes() for path in present}) == len(present) > 1


def test_some_documents_hang_on_an_appointment_of_their_patient(demo: Example) -> None:
    owners = {record["id"]: record["patient_id"] for record in demo.records("appointments")}
    orphans = {entry["id"] for entry in demo.ledger if entry["kind"] == "orphan"}
    hanging = [r for r in demo.records("documents") if r["appointment_id"] and r["id"] not in orphans]

    assert hanging
    assert all(owners[record["appointment_id"]] == record["patient_id"] for record in hanging)


def test_a_large_practice_shares_a_pool_of_files(town: Example) -> None:
    files = [path for path in (town.out / "files").rglob("*") if path.is_file()]

    assert len(files) < len(town.records("documents")) / 2


def test_a_pdfs_cross_reference_points_at_its_objects() -> None:
    content = papers.pdf("1-0")

    start = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n", 1)[0])
    offsets = [int(found) for found in re.findall(rb"(\d{10}) 00000 n", content)]

    assert content.startswith(b"%PDF-1.4\n")
    assert content[start : start + 4] == b"xref"
    assert [content[offset : offset + 7] for offset in offsets] == [b"%d 0 obj" % n for n in range(1, len(offsets) + 1)]


def test_a_pngs_chunks_are_sound_and_its_picture_unpacks() -> None:
    content = papers.png("1-1")

    chunks, at = {}, 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + data)
        chunks[kind] = data
        at += 12 + length

    assert list(chunks) == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]
    assert len(zlib.decompress(chunks[b"IDAT"])) == 8 * 9
