"""What goes wrong on order: each rule names a request by its number and what becomes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flitstack.errors import UsageError

KINDS = ("drop_before", "drop_after", "500_before", "500_after", "429", "html")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `request` counts writes from 1; `kind` is one of `KINDS`."""

    request: int
    kind: str


def read_faults(file: str | Path) -> dict[int, str]:
    """Return number of a write to what becomes of it.

    :raises UsageError: the file is no list of rules.
    """
    try:
        rules: Any = json.loads(Path(file).read_text("utf-8"))
        found = [Fault(int(rule["request"]), str(rule["kind"])) for rule in _list(rules)]
    except (ValueError, KeyError, TypeError) as exc:
        raise UsageError(f'{file}: no list of rules. Write [{{"request": 3, "kind": "drop_after"}}].') from exc
    for fault in found:
        if fault.kind not in KINDS:
            raise UsageError(f'{file}: no fault "{fault.kind}". Use one of {", ".join(KINDS)}.')
    return {fault.request: fault.kind for fault in found}


def _list(rules: Any) -> list[Any]:
    """:raises TypeError: it is no list."""
    if not isinstance(rules, list):
        raise TypeError
    return rules
