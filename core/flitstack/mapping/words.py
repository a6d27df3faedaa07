"""Says what is wrong in a mapping, where, and which known name comes nearest."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from flitstack.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_PROBLEMS = 20
SHOWN_NAMES = 12


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence that names the known name nearest to `name`, or what is known; "" when nothing is."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f' Did you mean "{close[0]}"?'
    if not names:
        return ""
    more = ", ..." if len(names) > SHOWN_NAMES else ""
    return f" Known: {', '.join(names[:SHOWN_NAMES])}{more}."


class Problems:
    """Collects what is wrong in one file, so that an author sees everything at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, path: str, message: str) -> None:
        """Note one problem; `path` is where in the file, as keys joined by dots."""
        place = f"{self.file} line {line}"
        self._found.append((line, f"{place}, {path}: {message}" if path else f"{place}: {message}"))

    def check(self) -> None:
        """Return when nothing was found.

        :raises MappingError: something was; one line a problem, in the file's order, at most `SHOWN_PROBLEMS`.
        """
        if not self._found:
            return
        ordered = list(dict.fromkeys(text for _, text in sorted(self._found)))
        left = len(ordered) - SHOWN_PROBLEMS
        shown = ordered[:SHOWN_PROBLEMS] + ([f"... and {left} more."] if left > 0 else [])
        raise MappingError("\n".join(shown))
