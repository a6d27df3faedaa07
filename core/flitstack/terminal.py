"""Makes text fit for a terminal: what a column or a person is called must not steer it."""

from __future__ import annotations

import re

# All control characters but tab and line feed, those that turn the direction of writing round, and halves of
# characters, as which Python reads bytes of a file's name that are no UTF-8: these cannot be written at all.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """Return a text with every character that would steer a terminal shown as U+FFFD."""
    return _STEERING.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return a text on one line, with nothing that would steer a terminal: what a list prints of one record."""
    return visible(" ".join(text.split("\n")))
