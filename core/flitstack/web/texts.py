"""What a reader sees of HTML, so that two texts with other tags can be compared."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

_BLOCKS = frozenset(
    "address article blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre table td th tr ul".split()
)


def visible_text(html: str) -> str | None:
    """Return what a reader sees of HTML, as one line: composed characters, white space joined; None when nothing."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    return " ".join(unicodedata.normalize("NFC", "".join(reader.parts)).split()) or None


class _TextReader(HTMLParser):
    """Collects the text between tags; a tag that starts a new line counts as white space."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._space(tag)

    def handle_endtag(self, tag: str) -> None:
        self._space(tag)

    def _space(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append(" ")
