"""Accounts with a past, as files; `practice.json` is the one that is shipped, with what its people do meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flitstack.errors import UsageError

_HERE = Path(__file__).parent


def seed_file(source: str | Path, suffix: str = "") -> Path:
    """Return the file that a name stands for, or the path itself.

    :raises UsageError: it is neither the name of a shipped file nor a file.
    """
    shipped = _HERE / f"{source}{suffix}.json"
    if isinstance(source, str) and source.isidentifier() and shipped.exists():
        return shipped
    if Path(source).is_file():
        return Path(source)
    raise UsageError(f'{source}: no such file. Name one, or "practice".')


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    :raises UsageError: it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path}: cannot be read as JSON ({exc}).") from exc
