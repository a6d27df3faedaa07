"""Gives each test that is marked `cassette("NAME")` the account on that cassette, or records the cassette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cassettes.taping import Order, mode_from_environment, recording, replaying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cassettes.taping import Tape


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "cassette(name, **needs): plays this cassette, which holds what the test needs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the scenarios that the recording tool was not asked for."""
    only = mode_from_environment().only
    left_out = [item for item in items if only and _name(item) not in only]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def _name(item: pytest.Item) -> str:
    mark = item.get_closest_marker("cassette")
    return str(mark.args[0]) if mark else ""


@pytest.fixture
def tape(request: pytest.FixtureRequest) -> Iterator[Tape]:
    """Return the account of the test's cassette; at the end, every exchange on it must have been played."""
    mark = request.node.get_closest_marker("cassette")
    assert mark is not None, "mark the test with its cassette"
    order, mode = Order(*mark.args, **mark.kwargs), mode_from_environment()
    failed_before = request.session.testsfailed

    def passed() -> bool:
        return request.session.testsfailed == failed_before

    if mode.records:
        with recording(order, mode, passed) as account:
            yield account
        return
    with replaying(order, mode.folder) as replay:
        yield replay.tape
    if replay.missing or passed():
        assert replay.shortfall() == "", f"If this is meant: python tools/record_cassettes.py --only {order.name}"
