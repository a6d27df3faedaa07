"""The source key inside a text: activities and notes have no custom fields, so the key is their last short line.

<p>Patient asked for a morning slot.</p><p>flit-id: dental:appointments:17</p>
"""

from __future__ import annotations

import html
import re

LABEL = "flit-id:"
ROOM = 1_500  # characters of a text's limit that are kept for the marker

# The paragraph as written, or what a sanitiser may have made of it: another block, or a bare line at the end.
_PARAGRAPH = re.compile(rf"\s*<(p|div)(?:\s[^>]*)?>\s*{LABEL}\s*([^\s<]+)\s*(?:<br\s*/?>\s*)?</\1>\s*", re.IGNORECASE)
_LAST_LINE = re.compile(rf"(?:^|(?<=>)|\n)\s*(?:<br\s*/?>\s*)*{LABEL}\s*([^\s<]+)\s*((?:</\w+>\s*)*)$", re.IGNORECASE)


def with_marker(text: str, key: str) -> str:
    """Return the HTML with the key as its last paragraph."""
    return f"{text}<p>{LABEL} {html.escape(key, quote=False)}</p>"


def split_marker(text: str) -> tuple[str, str | None]:
    """Return the HTML without its marker, and the key; the last marker counts. None when there is none."""
    found = list(_PARAGRAPH.finditer(text))
    if found:
        last = found[-1]
        return text[: last.start()] + text[last.end() :], html.unescape(last.group(2))
    line = _LAST_LINE.search(text)
    if line is None:
        return text, None
    return text[: line.start()] + line.group(2), html.unescape(line.group(1))
