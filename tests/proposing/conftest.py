"""A folder for each test to work in, with an empty export in it; nothing is remembered of other exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder."""
    monkeypatch.setenv("FLITSTACK_MEMORY", str(tmp_path / "memory"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export").mkdir()
    return tmp_path
