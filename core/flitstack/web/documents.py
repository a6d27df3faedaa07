"""A document's bytes are held against its record before they are sent."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flitstack.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from flitstack.protocols import JSON


def check_document(open_attachment: Callable[[str], BinaryIO], fields: Mapping[str, JSON]) -> str:
    """Return the path of a document whose bytes are what its record states.

    :param fields: `path`, and where the record states them `size` (bytes) and `sha256` (hexadecimal).
    :raises Rejected: the bytes are missing or others.
    """
    path = str(fields.get("path") or "")
    try:
        size, sha256 = _measure(open_attachment, path)
    except (OSError, KeyError, ValueError) as exc:
        raise Rejected(
            "attachment_missing",
            "The export names this document, but does not hold its bytes.",
            "Put the file where the record says, then retry the rejected records.",
            "path",
        ) from exc
    stated_size, stated_sum = fields.get("size"), fields.get("sha256")
    if stated_size not in (None, size) or stated_sum not in (None, "", sha256):
        raise Rejected(
            "attachment_differs",
            "The document's bytes are not those the record describes.",
            "Export it again, then retry the rejected records.",
            "sha256" if stated_sum not in (None, "", sha256) else "size",
        )
    return path


def _measure(open_attachment: Callable[[str], BinaryIO], path: str) -> tuple[int, str]:
    """Return size and SHA-256 of a document, read in pieces."""
    size, digest = 0, hashlib.sha256()
    with open_attachment(path) as stream:
        while piece := stream.read(1 << 20):
            size += len(piece)
            digest.update(piece)
    return size, digest.hexdigest()
