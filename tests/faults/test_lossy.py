"""One write in ten loses its answer after it was kept, and lists lag: all is there once in the end, for little more.

What finding out costs is counted by the account, and compared with the same load undisturbed. `FLITSTACK_LOSSY=500`
measures on so many patients, embedded and over HTTP.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from tests.faults.lossy import LATENCY, LOSSES, closing_all
from tests.faults.real import Load, Rule, Server, State, difference, write_export

if TYPE_CHECKING:
    from pathlib import Path

MEASURED = int(os.environ.get("FLITSTACK_LOSSY", "0"))
PATIENTS = MEASURED or 30
ALLOWED_EXTRA = 0.02
SEEDS = (1, 2, 3) if MEASURED else (1,)
RULES: list[Rule] = [
    {"fault": "list_lag:3", "nth": 1},
    *(
        {"fault": fault, "method": method, "probability": 0.05}
        for method in ("POST", "PATCH", "PUT", "DELETE")
        for fault in ("drop_after", "status_after:500")
    ),
]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an invented practice."""
    out = tmp_path_factory.mktemp("practice") / "export"
    write_export(out, PATIENTS, seed=5)
    return out


def told(where: str, calm: int, lossy: int) -> None:
    extra = (lossy / calm - 1) * 100
    sys.stdout.write(f"{where}, {PATIENTS} patients: {calm:,} tokens calm, {lossy:,} lossy, {extra:.2f} % extra\n")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tenth_of_all_answers_lost_costs_no_record_and_few_tokens(tmp_path: Path, export: Path, seed: int) -> None:
    with closing_all() as lossy:
        calm = lossy(tmp_path / "calm", export, [LATENCY]).until_done()

        came = lossy(tmp_path / "lossy", export, LOSSES, seed).until_done()

    assert difference(came.state, calm.state) == {}
    assert came.writes - calm.writes < calm.writes * 0.01, "what was kept is not sent again"
    told("embedded", calm.tokens, came.tokens)
    assert not MEASURED or came.tokens < calm.tokens * (1 + ALLOWED_EXTRA)


@pytest.mark.skipif(not MEASURED, reason="minutes: FLITSTACK_LOSSY=500")
def test_so_it_is_over_http(tmp_path: Path, export: Path) -> None:
    calm, calm_tokens = loaded_over_http(tmp_path / "calm", export, [])

    came, tokens = loaded_over_http(tmp_path / "lossy", export, RULES)

    assert difference(came, calm) == {}
    told("over HTTP", calm_tokens, tokens)
    assert tokens < calm_tokens * (1 + ALLOWED_EXTRA)


def loaded_over_http(folder: Path, export: Path, rules: list[Rule]) -> tuple[State, int]:
    """Load until done; return what the account holds and the tokens it counted."""
    server = Server(folder, rules)
    server.start()
    try:
        load = Load(folder, export, server, settings=("profile=full",))
        for _ in range(10):
            done = load.run(patience_s=3600)
            if done.code != 5:
                break
        assert done.code == 0, done.err
        return server.canonical(), server.tokens_used()
    finally:
        server.stop()
