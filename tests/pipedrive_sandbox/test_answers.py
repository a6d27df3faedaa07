"""Every operation the sandbox offers, asked once: its answer against the official schema, its cost, its status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.pipedrive_sandbox.official import NO_SPECS, ROOT, SPECS, WAIVERS, faults, tool, waiver
from tests.pipedrive_sandbox.scenario import every_call

from flitstack_pipedrive.sandbox.app import Switches
from flitstack_pipedrive.sandbox.contract import operation
from flitstack_pipedrive.sandbox.routes import OFFERED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    from tests.pipedrive_sandbox.scenario import Asked

    from flitstack_pipedrive.sandbox.app import Sandbox


@pytest.fixture
def unhurried(open_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """Return a sandbox without a limit that matters here."""
    return open_sandbox(seats=1000, switches=Switches(burst=100_000, search_burst=100_000))


@pytest.fixture
def asked(unhurried: Sandbox, sign_in: Callable[..., httpx.Client]) -> Iterator[Asked]:
    return every_call(unhurried, sign_in(unhurried))


def test_every_offered_operation_is_asked(asked: Iterator[Asked]) -> None:
    assert {one.call for one in asked} == set(OFFERED)


def test_every_answer_has_the_documented_status_and_costs_the_documented_tokens(asked: Iterator[Asked]) -> None:
    for one in asked:
        official = operation(one.call)

        assert (one.call, one.answer.status_code, one.cost) == (one.call, official.status, official.cost)


@pytest.mark.skipif(not SPECS, reason=NO_SPECS)
def test_every_answer_fits_its_official_schema_and_no_waiver_is_idle(asked: Iterator[Asked]) -> None:
    used: set[str] = set()
    broken: set[str] = set()

    for one in asked:
        for fault in faults(one.call, one.answer):
            found = waiver(fault)
            (used if found else broken).add(found or fault)

    assert broken == set()
    assert set(WAIVERS) - used == set()


@pytest.mark.skipif(not SPECS, reason=NO_SPECS)
def test_the_tables_are_those_of_the_specifications() -> None:
    kept = (ROOT / "plugins/flitstack_pipedrive/sandbox/contract.json").read_text(encoding="utf-8")
    derive = tool("derive_contract")

    assert derive.rendered(derive.derive(Path(str(SPECS)))) == kept
