"""Finds a file's encoding by reading all of it once, and its size and SHA-256 on the way."""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

ERRORS = "flitstack-cp1252"
_BLOCK = 1 << 20
_NO_FILES = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "unicode_escape"})
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with BOM"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Decode the bytes that are no UTF-8 as Windows-1252, its five unused bytes as Latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(_ODD_BYTES.get(byte) or bytes((byte,)).decode("cp1252") for byte in bad), error.end


_ODD_BYTES = {byte: chr(byte) for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}
codecs.register_error(ERRORS, _as_windows_1252)


@dataclass(frozen=True, slots=True)
class Encoded:
    """What one pass over a file's bytes says.

    :param encoding: a codec's name, to be used with the error handler `ERRORS`.
    :param described: the same for people.
    :param mixed: most of it is UTF-8 but some bytes are not (parts from different systems).
    """

    size: int
    sha256: str
    encoding: str
    described: str
    mixed: bool = False
    empty: bool = False


def examine(stream: BinaryIO, encoding: str = "") -> Encoded:
    """Return size, hash and encoding of a file.

    :param encoding: what the operator says; then only size and hash are found out.
    :raises LookupError: there is no such encoding, or none in which files are written.
    """
    if encoding and not _is_usable(encoding):
        raise LookupError("no encoding of text files")
    digest = hashlib.sha256()
    size = 0
    head = b""
    blank = True
    checker = _Utf8Checker()
    for block in _blocks(stream):
        digest.update(block)
        head = head or block[:4096]
        size += len(block)
        blank = blank and not block.strip(b"\x00\x1a\xef\xbb\xbf\xff\xfe \t\r\n")
        checker.feed(block)
    name, described, mixed = (encoding, encoding, False) if encoding else _decide(head, checker)
    return Encoded(size, digest.hexdigest(), name, described, mixed, blank)


def _is_usable(encoding: str) -> bool:
    """Say whether text files are written so; Python also has codecs for domain names, for escapes and for none."""
    try:
        return codecs.lookup(encoding).name not in _NO_FILES and isinstance(b"a,b\n".decode(encoding, ERRORS), str)
    except (UnicodeError, ValueError):
        return False


def _decide(head: bytes, checker: _Utf8Checker) -> tuple[str, str, bool]:
    for bom, name, described in _BOMS:
        if head.startswith(bom):
            return name, described, False
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > 0.3 * len(head) / 2 and min(even, odd) * 10 < max(even, odd):
        return ("utf-16-le", "UTF-16", False) if odd > even else ("utf-16-be", "UTF-16", False)
    good, bad = checker.finish()
    if not bad:
        return "utf-8", "UTF-8", False
    # Windows-1252 text has hardly ever two letters beyond ASCII that happen to form valid UTF-8.
    if good > bad:
        return "utf-8", "UTF-8 with some Windows-1252", True
    return "cp1252", "Windows-1252", False


class _Utf8Checker:
    """Counts what lies beyond ASCII: sequences that are UTF-8, and bytes that are not."""

    def __init__(self) -> None:
        self._bad = 0
        self._good = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, block: bytes) -> None:
        if block.isascii() and not self._decoder.getstate()[0]:
            return
        self._count(self._decoder.decode(block))

    def finish(self) -> tuple[int, int]:
        """Return (good, bad); a sequence cut off by the end of the file is not held against it."""
        return self._good, self._bad

    def _count(self, text: str) -> None:
        bad = text.count("\ufffd")
        self._bad += bad
        self._good += len(text) - len(text.encode("ascii", "ignore")) - bad


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block
