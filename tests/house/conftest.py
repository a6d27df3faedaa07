"""The repository as the house rules see it: its text files, wherever the tests run from."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {"", ".cfg", ".csv", ".ini", ".j2", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}
GENERATED = {"__pycache__", "dist", "build", "flit-demo", "flit-reports", "site"}


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """Return the text of every file of the repository, by its path within it; generated folders are left out."""
    found: dict[str, str] = {}
    for path in sorted(ROOT.rglob("*")):
        relative = path.relative_to(ROOT)
        hidden = any(part.startswith(".") and part != ".ci" for part in relative.parts[:-1])
        generated = any(part in GENERATED or part.endswith(".egg-info") for part in relative.parts)
        if path.is_file() and not hidden and not generated and path.suffix in TEXTS:
            found[relative.as_posix()] = path.read_text(encoding="utf-8", errors="replace")
    return found
