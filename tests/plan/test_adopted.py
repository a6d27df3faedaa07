"""A record of the account that was to be adopted is another by now: what was approved holds no longer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.e2e.test_existing import seed, write_export
from tests.plan.conftest import Place

from flitstack.errors import ApprovalNeeded
from flitstack.journal import Journal
from flitstack.stages.gates.gate import Passing
from flitstack.stages.gates.passing import approve_shown
from flitstack_pipedrive.sandbox.app import Sandbox, Switches

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-07-01T08:00:00.000+00:00"


def test_one_person_fewer_to_adopt_after_approval_is_refused_and_told(tmp_path: Path) -> None:
    write_export(tmp_path / "export")
    place = Place(tmp_path)
    switches = Switches(burst=100_000)
    with Sandbox(str(tmp_path / "account.db"), plan="ultimate", seats=5, switches=switches) as sandbox:
        seed(sandbox)
    shown = [gate.name for gate in place.show().gates]
    with Journal.existing(place.journal) as journal:
        for gate in shown:
            attest = "BAA 7" if gate == "profile" else None
            approve_shown(journal, gate, "alex.admin@practice.example", AT, attest)
        adopted = journal.decisions.adoptions()
    _, key, _, person = adopted[0]
    with Sandbox(str(tmp_path / "account.db"), plan="ultimate", seats=5, switches=switches) as sandbox:
        asyncio.run(remove(sandbox, person))

    with pytest.raises(ApprovalNeeded) as stop:
        place.run(Passing())

    told = str(stop.value)
    assert shown == ["profile", "existing", "map", "schema", "full"]
    assert [name for name, _ in stop.value.gates] == shown[1:]
    assert f"adopted > {key}: gone, was {person}" in told
    assert (
        "map ==\nApproved by alex.admin@practice.example on 2026-07-01 08:00 UTC; since then:\n  nothing in what it "
        in told
    )
    assert "operations > person > create: was 6, is now 7" in told


async def remove(sandbox: Sandbox, person: str) -> None:
    """Delete a person, as somebody at the practice might."""
    headers = {"x-api-token": sandbox.users[0]["token"]}
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://account.example", headers=headers) as client:
        answer = await client.delete(f"/api/v2/persons/{person}")
        assert answer.status_code == 200, answer.text
