"""Every engine that is broken on purpose is caught within 500 seeds, on every port."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from flitstack.testing.simulation.campaign import run_seeds


def _variants() -> Any:
    file = Path(__file__).parent / "variants.py"
    spec = importlib.util.spec_from_file_location("simulated_variants", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulated_variants"] = module
    spec.loader.exec_module(module)
    return module


VARIANTS = _variants()


@pytest.mark.parametrize("port", list(VARIANTS.PORTS))
@pytest.mark.parametrize("name", list(VARIANTS.VARIANTS))
def test_a_broken_engine_is_caught(name: str, port: str) -> None:
    verdict = VARIANTS.caught(name, port)

    assert verdict is not None
    assert verdict.wrongs


def test_once_a_broken_engine_is_gone_all_is_well_again(memory: str) -> None:
    assert run_seeds(memory, range(5), f"{Path(__file__).parent / 'variants.py'}:marker_missing").failures

    assert not run_seeds(memory, range(5)).failures
