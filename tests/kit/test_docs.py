"""The page on the test-kit says what the kit is today."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tables_are_as_the_suites_are() -> None:
    found = importlib.util.spec_from_file_location("derive_testkit", ROOT / "tools" / "derive_testkit.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    page = (ROOT / "docs" / "testkit.md").read_text("utf-8")

    assert module.derived(page) == page, "run: python tools/derive_testkit.py"
