"""Pytest fixtures: a Pipedrive account for any project's tests, in process or over HTTP.

One line in a `conftest.py` is enough, either `pytest_plugins = ["flitstack_pipedrive.sandbox.fixtures"]` or
`from flitstack_pipedrive.sandbox.fixtures import sandbox, sandbox_url`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack_pipedrive.sandbox.app import Sandbox
from flitstack_pipedrive.sandbox.serving import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["sandbox", "sandbox_url"]


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Yield a new account per test; `.app` is its ASGI application, `.users` its tokens.

    A fixture `sandbox_settings` of the project, where there is one, returns what `Sandbox` is called with.
    """
    try:
        settings: dict[str, Any] = request.getfixturevalue("sandbox_settings")
    except pytest.FixtureLookupError:
        settings = {"plan": "ultimate"}
    with Sandbox(**settings) as account:
        yield account


@pytest.fixture
def sandbox_url(sandbox: Sandbox) -> Iterator[str]:
    """Yield the base URL, such as `http://127.0.0.1:8080`, of the test's account served over HTTP."""
    with serve_in_thread(sandbox) as url:
        yield url
