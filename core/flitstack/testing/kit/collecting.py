"""The pytest plugin by which a run of the kit is collected: which standard tests ran, and what became of each."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.testing.kit.levels import Check, check_of
from flitstack.testing.kit.suite import DOES_NOT_APPLY, LACKING

if TYPE_CHECKING:
    from collections.abc import Sequence


RESULT_VARIABLE = "FLITSTACK_KIT_RESULT"
IDS_VARIABLE = "FLITSTACK_KIT_IDS"
FIRST_VARIABLE = "FLITSTACK_KIT_FIRST"
LONGEST = 600

_CHECKS: dict[str, tuple[str, Check]] = {}
_RESULTS: dict[str, dict[str, Any]] = {}
_FAILED: set[str] = set()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the ids that were asked for, suite by suite, in the order in which they were asked for."""
    wanted = list(filter(None, os.environ.get(IDS_VARIABLE, "").split(",")))  # `W3`, or `TestMine:W3`
    for item in items:
        found = check_of(getattr(getattr(item, "cls", None), getattr(item, "originalname", item.name), None))
        if found is not None:
            _CHECKS[item.nodeid] = (item.cls.kind, found)  # type: ignore[attr-defined]
    if wanted:
        left = [item for item in items if not _names(item) & set(wanted)]
        suites = list(dict.fromkeys(item.cls for item in items if item not in left))  # type: ignore[attr-defined]
        places = {
            item: min(wanted.index(name) for name in _names(item) & set(wanted)) for item in items if item not in left
        }
        items[:] = sorted(places, key=lambda item: (suites.index(item.cls), places[item]))  # type: ignore[attr-defined]
        config.hook.pytest_deselected(items=left)


def _names(item: pytest.Item) -> set[str]:
    if item.nodeid not in _CHECKS:
        return set()
    id_ = _CHECKS[item.nodeid][1].id
    return {id_, f"{item.cls.__name__}:{id_}"}  # type: ignore[attr-defined]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out the rest of a suite once one of its tests failed, where that is all that is asked."""
    if os.environ.get(FIRST_VARIABLE) and item.cls.__name__ in _FAILED:  # type: ignore[attr-defined]
        pytest.skip("another test of this suite failed")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what became of a phase of a test; the worst of its phases is the test's."""
    kind, found = _CHECKS.get(report.nodeid, ("", None))
    entry = _RESULTS.setdefault(
        report.nodeid,
        {
            "id": found.id if found else "",
            "level": found.level if found else "",
            "kind": kind,
            "suite": report.nodeid.split("::")[-2] if "::" in report.nodeid else "",
            "test": report.nodeid.rpartition("::")[2],
            "title": found.title if found else "",
            "outcome": "passed",
            "reason": "",
            "seconds": 0.0,
        },
    )
    entry["seconds"] += report.duration
    if report.failed:
        _FAILED.add(entry["suite"])
        entry["outcome"], entry["reason"] = "failed", entry["reason"] or _why(report)
    elif report.skipped:
        entry["outcome"], entry["reason"] = _left_out(report)


def pytest_sessionfinish() -> None:
    """Write what was collected, for whoever started this."""
    if path := os.environ.get(RESULT_VARIABLE):
        Path(path).write_text(json.dumps(list(_RESULTS.values())), encoding="utf-8")


def _left_out(report: pytest.TestReport) -> tuple[str, str]:
    """Return how and why a test was left out: `not_applicable`, `lacking`, or `waived` by its author."""
    if hasattr(report, "wasxfail"):
        return "waived", str(report.wasxfail)
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    for outcome, prefix in (("not_applicable", DOES_NOT_APPLY), ("lacking", LACKING)):
        if reason.startswith(prefix):
            return outcome, reason.removeprefix(prefix)
    return "waived", reason


def _why(report: pytest.TestReport) -> str:
    """Return the message of a failure, without its traceback."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash is not None else report.longrepr)
    lines: Sequence[str] = text.strip().splitlines() or [""]
    if lines[0].startswith('File "'):  # a file of the plugin that is no Python: what is wrong stands last
        return f"{lines[-1].strip()} ({lines[0].strip()})"[:LONGEST]
    return lines[0].removeprefix("AssertionError: ").removeprefix("Failed: ")[:LONGEST]
