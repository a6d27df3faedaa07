"""Writers on the embedded sandbox, on a virtual clock."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from flitstack.clock import VirtualClock
from flitstack.protocols import Operation, WriterContext
from flitstack_pipedrive.opening import open_writer
from flitstack_pipedrive.sandbox.app import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flitstack_pipedrive.destination import PipedriveWriter

DOCUMENT = b"%PDF-1.4 invented"


def open_attachment(path: str) -> BinaryIO:
    """Return the one document there is."""
    if path != "documents/one.pdf":
        raise FileNotFoundError(path)
    return io.BytesIO(DOCUMENT)


@pytest.fixture
def clock() -> VirtualClock:
    """Return a clock that only moves when somebody sleeps."""
    return VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def sandbox_file(tmp_path: Path) -> Path:
    """Return where the account is kept."""
    return tmp_path / "account.db"


@pytest.fixture
def writer(sandbox_file: Path, clock: VirtualClock) -> PipedriveWriter:
    """Return a writer on a new account with room for every field."""
    given = {"base_url": f"sandbox:{sandbox_file}?plan=ultimate&seats=1"}
    return open_writer(given, WriterContext(clock, open_attachment))


@pytest.fixture
def dump(sandbox_file: Path, clock: VirtualClock) -> Callable[[], dict[str, Any]]:
    """Return what the account holds, read past the API."""

    def read() -> dict[str, Any]:
        sandbox = Sandbox(str(sandbox_file), plan="ultimate", clock=clock)
        try:
            return sandbox.dump()
        finally:
            sandbox.close()

    return read


@pytest.fixture
def operation() -> Callable[..., Operation]:
    """Return a maker of operations, numbered as they are made."""
    count = 0

    def make(verb: Any, object: str, fields: dict[str, Any], **more: Any) -> Operation:
        nonlocal count
        count += 1
        key = more.pop("key", f"practice:{object}s:{count}")
        return Operation(count, verb, object, key, more.pop("part", ""), fields, more.pop("links", {}), **more)

    return make
