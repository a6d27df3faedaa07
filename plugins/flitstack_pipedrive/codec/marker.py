"""The source key inside a text: activities and notes have no custom fields, so the key is their last short line.

<p>Patient asked for a morning slot.</p><p>flit-id: dental:appointments:17</p>
"""

from __future__ import annotations

import html
import re

LABEL = "flit-id:"
LONGEST_BREAK = 10
ROOM = 1_500  # characters of a text's limit that are kept for the marker

_SPACE = r"(?:\s|&nbsp;|&#160;|&#xa0;)"
_INLINE = rf"(?:{_SPACE}|</?(?:a|b|i|u|em|strong|span|font)\b[^>]*>)*"
_MARKER = rf"flit-id(?::|&#58;|&colon;){_INLINE}((?:(?!{_SPACE})[^<])+)"
_BREAK = r"<br\s*/?>"

# What a sanitiser may have made of the paragraph: another block, with tags of its own inside; a line between breaks;
# or, where it knows no such tags at all, the last words of the text.
_PARAGRAPH = re.compile(rf"<(p|div)(?:\s[^>]*)?>{_INLINE}{_MARKER}{_INLINE}(?:{_BREAK}\s*)?</\1>\s*", re.IGNORECASE)
_WORDS = re.compile(_MARKER, re.IGNORECASE)
_LINE_END = re.compile(rf"{_SPACE}*?(?:<|\n|$)", re.IGNORECASE)
_TEXT_END = re.compile(rf"(?:{_SPACE}|<[^>]*>)*$", re.IGNORECASE)
_LAST_BREAK = re.compile(rf"{_BREAK}$", re.IGNORECASE)


def with_marker(text: str, key: str) -> str:
    """Return the HTML with the key as its last paragraph."""
    return f"{text}<p>{LABEL} {html.escape(key, quote=False)}</p>"


def split_marker(text: str) -> tuple[str, str | None]:
    """Return the HTML without its marker, and the key; the last marker counts. None when there is none."""
    found = [(place, place.group(2)) for place in _PARAGRAPH.finditer(text)]
    found = found or [(place, place.group(1)) for place in _WORDS.finditer(text) if _stands_alone(text, place)]
    if not found:
        return text, None
    last, key = found[-1]
    return _without_breaks(text[: last.start()]) + text[last.end() :], html.unescape(key)


def _stands_alone(text: str, found: re.Match[str]) -> bool:
    """Return whether the words are a line of their own, or the last of the text."""
    before = text[: found.start()].rstrip(" \t\xa0").removesuffix("&nbsp;")
    is_line = not before or before[-1] in ">\n"
    if is_line and _LINE_END.match(text, found.end()):
        return True
    return _TEXT_END.match(text, found.end()) is not None


def _without_breaks(text: str) -> str:
    """Return the HTML without the line breaks at its end."""
    text = text.rstrip()
    while found := _LAST_BREAK.search(text, max(len(text) - LONGEST_BREAK, 0)):
        text = text[: found.start()].rstrip()
    return text
