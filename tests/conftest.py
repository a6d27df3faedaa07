"""Installs invented plugins the way pip would: a folder on the path with a package and its entry points."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return `install(distribution, entry points by name, module source by name)`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def put(distribution: str, points: dict[str, str], group: str = "flitstack", **modules: str) -> None:
        info = tmp_path / f"{distribution.replace('-', '_')}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        lines = [f"{name} = {target}" for name, target in points.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        for name, source in modules.items():
            (tmp_path / f"{name}.py").write_text(dedent(source))
        importlib.invalidate_caches()

    yield put
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]
