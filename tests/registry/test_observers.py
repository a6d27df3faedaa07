"""An observer that fails is named, and neither the run nor the other observers notice."""

from __future__ import annotations

import pytest

from flitstack.hookspecs import hookimpl
from flitstack.registry import load_plugins


class Listener:
    def __init__(self) -> None:
        self.heard: list[str] = []

    @hookimpl
    def flit_run_started(self, run_id: str, source: str) -> None:
        self.heard.append(f"{run_id} {source}")


class Clumsy:
    def __init__(self) -> None:
        self.calls = 0

    @hookimpl
    def flit_run_started(self, run_id: str) -> None:
        self.calls += 1
        raise KeyError("Rosalind Franklin")


class Leaver:
    @hookimpl
    def flit_run_started(self) -> None:
        raise SystemExit(1)


STARTED = {"run_id": "r1", "source": "meadow", "destination": "barn"}


def test_an_observer_that_fails_is_named_and_the_others_still_hear() -> None:
    listener, clumsy = Listener(), Clumsy()
    registry = load_plugins([], objects={"clumsy": clumsy, "leaver": Leaver(), "listener": listener})

    warnings = registry.observers.notify("flit_run_started", **STARTED)

    assert listener.heard == ["r1 meadow"]
    assert warnings == [
        'plugin "clumsy" (not installed): flit_run_started failed with KeyError. The run goes on without it.',
        'plugin "leaver" (not installed): flit_run_started failed with SystemExit. The run goes on without it.',
    ]


def test_a_failing_observer_is_called_again_and_named_once() -> None:
    clumsy = Clumsy()
    registry = load_plugins([], objects={"clumsy": clumsy})

    counts = [len(registry.observers.notify("flit_run_started", **STARTED)) for _ in range(3)]

    assert counts == [1, 0, 0]
    assert clumsy.calls == 3


def test_a_hook_that_does_not_exist_is_the_callers_bug() -> None:
    registry = load_plugins([], objects={"listener": Listener()})

    with pytest.raises(TypeError, match="flit_run_begun"):
        registry.observers.notify("flit_run_begun", run_id="r1")
    with pytest.raises(TypeError, match="flit_run_started"):
        registry.observers.notify("flit_run_started", run_id="r1")
    with pytest.raises(TypeError, match="flit_register_sources"):
        registry.observers.notify("flit_register_sources", register=print)
