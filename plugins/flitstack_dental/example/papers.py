"""The example's documents: tiny but real PDF, PNG and text files, the same bytes on every platform."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack_dental.example.practice import patient_id

if TYPE_CHECKING:
    import random
    from pathlib import Path

OWN_FILES = 300
"""Patients, counted from the first, whose documents are files of their own; all others share a pool, so that a large
practice does not fill the disk with copies."""

_POOL = 24
_KINDS = (
    ("consent.pdf", "Forms", "Consent, signed"),
    ("x-ray.png", "Radiographs", "Picture taken at the visit"),
    ("letter.txt", "Letters", "Letter to the patient"),
    ("plan.pdf", "Forms", "Treatment plan as printed"),
    ("photo.png", "Photos", "Smile, from the front"),
)


@dataclass(frozen=True, slots=True)
class Paper:
    """One document: its name for people, its path in the export, and what it is."""

    name: str
    path: str
    category: str
    wording: str


def write_pool(out: Path) -> None:
    """Write the files that the patients of a large practice share."""
    for slot in range(_POOL):
        for name, _, _ in _KINDS:
            _write(out / f"files/shared/{slot:02d}-{name}", f"shared-{slot}")


def write_paper(out: Path, patient: int, number: int, rng: random.Random) -> Paper:
    """Return what one document's row says; write its file unless it is one of the pool.

    The first documents of two patients bear the same name in two folders: only the path tells them apart.
    """
    name, category, wording = _KINDS[number % len(_KINDS)]
    stem, _, ending = name.rpartition(".")
    shown = name if number < len(_KINDS) else f"{stem}-{number // len(_KINDS) + 1}.{ending}"
    if patient > OWN_FILES:
        return Paper(shown, f"files/shared/{rng.randrange(_POOL):02d}-{name}", category, wording)
    path = f"files/{patient_id(patient)}/{shown}"
    _write(out / path, f"{patient}-{number}")
    return Paper(shown, path, category, wording)


def _write(target: Path, mark: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(_BYTES[target.suffix](mark))


def pdf(mark: str) -> bytes:
    """Return a one-page PDF that shows the mark."""
    stream = f"BT /F1 18 Tf 40 100 Td (Example document {mark}) Tj ET".encode("ascii")
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    content, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, len(content))
    return content + head + table + tail


def png(mark: str) -> bytes:
    """Return a grey picture of eight by eight, with the mark as its comment.

    Its data are stored, not compressed: compressors differ between versions of zlib.
    """
    shade = sum(mark.encode("ascii")) % 256
    raw = (b"\x00" + bytes([shade]) * 8) * 8
    stored = (
        b"\x78\x01\x01" + struct.pack("<HH", len(raw), len(raw) ^ 0xFFFF) + raw + struct.pack(">I", zlib.adler32(raw))
    )
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)),
        (b"tEXt", b"Comment\x00Example " + mark.encode("ascii")),
        (b"IDAT", stored),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def text(mark: str) -> bytes:
    """Return a short letter."""
    return f"Example letter {mark}\n\nThank you for your visit. Grüße from the whole team.\n".encode()


_BYTES = {".pdf": pdf, ".png": png, ".txt": text}
