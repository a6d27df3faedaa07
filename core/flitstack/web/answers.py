"""One HTTP answer as plugins pass it on, whatever library brought it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class LostError(Exception):
    """The request left, or may have; no whole answer came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def parsed(self) -> dict[str, Any] | None:
        """Return the JSON object in it, or None when there is none."""
        try:
            value = json.loads(self.content)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None
