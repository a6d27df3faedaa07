"""How texts and times look once stored: zone-free v1 times, RFC 3339 v2 times, safe HTML, keys made of names."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import escape
from html.parser import HTMLParser

V1_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
V2_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
DURATION = re.compile(r"\d{1,3}:[0-5]\d(:[0-5]\d)?")

_KEPT_TAGS = frozenset(
    "a b blockquote br code div em h1 h2 h3 hr i img li ol p pre s span strong sub sup table tbody td th thead tr u "
    "ul".split()
)
_DROPPED_WITH_TEXT = frozenset({"script", "style", "iframe", "object", "noscript", "template"})
_KEPT_ATTRIBUTES = frozenset({"href", "src", "alt", "title", "target", "rel"})
_SAFE_LINK = re.compile(r"\s*(https?:|mailto:|tel:)", re.IGNORECASE)


def v2_time(at: datetime) -> str:
    """Return RFC 3339 in UTC, whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def v1_time(stored: str) -> str:
    """Return a stored v2 time in v1's form, `YYYY-MM-DD HH:MM:SS`, UTC."""
    return f"{stored[:10]} {stored[11:19]}"


def parse_v2_time(text: object, *, whole_seconds: bool = False) -> str | None:
    """Return the time in stored form, or None when it is no RFC 3339 time with a zone."""
    if not isinstance(text, str):
        return None
    match = V2_TIME.fullmatch(text)
    if match is None or (whole_seconds and match[1]):
        return None
    try:
        return v2_time(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def parse_v1_time(text: object) -> str | None:
    """Return the time in stored (v2) form, or None when it is not `YYYY-MM-DD HH:MM:SS`."""
    if not isinstance(text, str) or not V1_TIME.fullmatch(text):
        return None
    try:
        return v2_time(datetime.fromisoformat(text).replace(tzinfo=UTC))
    except ValueError:
        return None


def is_date(text: object) -> bool:
    """Return whether it is a calendar day written `YYYY-MM-DD`."""
    if not isinstance(text, str) or not DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def with_seconds(text: str) -> str:
    """Return `HH:MM` or `HH:MM:SS` as `HH:MM:SS`."""
    return text if text.count(":") == 2 else f"{text}:00"


def key_string(name: str) -> str:
    """Return an activity type's key: lower case, everything but letters and digits an underscore."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "type"


def split_name(name: str) -> tuple[str | None, str | None]:
    """Return first and last name as the account shows them: the first word, and the rest."""
    first, _, last = name.partition(" ")
    return first or None, last.strip() or None


class _Sanitizer(HTMLParser):
    """Collects what is allowed of the HTML it is fed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []
        self._muted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED_WITH_TEXT:
            self._muted += 1
        elif not self._muted and tag in _KEPT_TAGS:
            self.kept.append(f"<{tag}{''.join(_attribute(name, value) for name, value in attrs)}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._muted and tag in _KEPT_TAGS:
            self.kept.append(f"<{tag}{''.join(_attribute(name, value) for name, value in attrs)} />")

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED_WITH_TEXT:
            self._muted = max(0, self._muted - 1)
        elif not self._muted and tag in _KEPT_TAGS:
            self.kept.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._muted:
            self.kept.append(data.replace("<", "&lt;"))

    def handle_entityref(self, name: str) -> None:
        if not self._muted:
            self.kept.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        if not self._muted:
            self.kept.append(f"&#{name};")


def _attribute(name: str, value: str | None) -> str:
    if name not in _KEPT_ATTRIBUTES or value is None:
        return ""
    if name in ("href", "src") and not _SAFE_LINK.match(value):
        return ""
    return f' {name}="{escape(value)}"'


def sanitize_html(content: str) -> str:
    """Return the HTML without scripts, event handlers, comments and tags beyond simple formatting.

    Source: FACTS say only that notes are sanitised; which tags survive is a guess.
    """
    if "<" not in content:
        return content
    parser = _Sanitizer()
    parser.feed(content)
    parser.close()
    return "".join(parser.kept)
