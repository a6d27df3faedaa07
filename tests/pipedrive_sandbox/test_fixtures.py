"""The sandbox as another project would use it: one line in its conftest, in process or over HTTP."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = 'pytest_plugins = ["flitstack_pipedrive.sandbox.fixtures"]\n'
IMPORT = "from flitstack_pipedrive.sandbox.fixtures import sandbox, sandbox_url\n"
TESTS = """
    import httpx

    def test_in_process(sandbox):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox.example")
        assert sandbox.dump()["person"] == []
        assert sandbox.users[0]["is_admin"]

    def test_over_http(sandbox, sandbox_url):
        headers = {"x-api-token": sandbox.users[0]["token"]}
        answer = httpx.post(f"{sandbox_url}/api/v2/persons", json={"name": "A"}, headers=headers)
        assert answer.status_code == 200
        assert [person["name"] for person in sandbox.dump()["person"]] == ["A"]

    def test_each_test_has_its_own(sandbox):
        assert sandbox.dump()["person"] == []
"""
SETTINGS = """
    import pytest

    @pytest.fixture
    def sandbox_settings():
        return {"plan": "lite", "past": "practice"}
"""


def run(folder: Path, conftest: str, tests: str) -> str:
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_it.py").write_text(dedent(tests))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout


@pytest.mark.parametrize("line", [PLUGIN, IMPORT], ids=["plugin", "import"])
def test_one_line_gives_an_account_per_test(tmp_path: Path, line: str) -> None:
    assert "3 passed" in run(tmp_path, line, TESTS)


@pytest.mark.parametrize("line", [PLUGIN, IMPORT], ids=["plugin", "import"])
def test_a_project_says_what_its_account_is_like(tmp_path: Path, line: str) -> None:
    tests = """
        def test_it(sandbox):
            assert len(sandbox.dump()["person"]) == 200
            assert sandbox.limits.daily_limit == 30_000
    """

    assert "1 passed" in run(tmp_path, line + dedent(SETTINGS), tests)
