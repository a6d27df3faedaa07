"""Runs a suite's own tests on an object, in process, and says which ids fail."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.testing.kit.levels import check_of

if TYPE_CHECKING:
    from pathlib import Path


def ids_that_fail(suite: type, folder: Path, only: str = "", **fixtures: Any) -> dict[str, str]:
    """Return id to message of the standard tests that fail; those alone that the suite of its kind holds.

    :param only: try the tests of this id; "" for all. :param fixtures: what tests may ask for, by name.
    """
    home = next(base for base in suite.__mro__ if "kind" in vars(base))
    failed: dict[str, str] = {}
    for number, (name, function) in enumerate(vars(home).items()):
        found = check_of(function)
        if found is None or only not in ("", found.id):
            continue
        asked = inspect.signature(function).parameters
        given: dict[str, Any] = {fixture: fixtures[fixture] for fixture in fixtures if fixture in asked}
        if "tmp_path" in asked:
            given["tmp_path"] = folder / str(number)
            given["tmp_path"].mkdir(parents=True)
        try:
            getattr(suite(), name)(**given)
        except pytest.skip.Exception:
            continue
        except (Exception, pytest.fail.Exception) as exc:  # noqa: BLE001 - whatever broken plugins raise
            failed.setdefault(found.id, f"{type(exc).__name__}: {exc}")
    return failed
