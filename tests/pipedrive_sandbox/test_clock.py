"""Time in the sandbox is the clock's: a day passes at once, and a budget of several days is a test of a moment."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import BudgetExhausted
from flitstack.protocols import Operation
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.destination import PipedriveWriter
from flitstack_pipedrive.sandbox.app import FaultRule, Sandbox, Switches
from flitstack_pipedrive.sandbox.faults import Fault
from flitstack_pipedrive.settings import parse_settings
from flitstack_pipedrive.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack.clock import VirtualClock

PERSONS = "/api/v2/persons"
DAY_TOKENS = 600
DAYS = 3


def writer_on(sandbox: Sandbox, clock: VirtualClock) -> PipedriveWriter:
    """Return flit's own writer on the sandbox, which knows nothing of the plan."""
    given = {"base_url": "http://127.0.0.1:9", "api_token": sandbox.users[0]["token"]}
    settings = parse_settings(given)
    return PipedriveWriter(Client(settings, clock, app_transport(sandbox.app)), settings, lambda path: io.BytesIO())


async def write_all(writer: PipedriveWriter, clock: VirtualClock, count: int) -> list[datetime]:
    """Create persons until all are there, sleeping to the next midnight when a day is spent; return when it was."""
    await writer.account()
    stops = []
    number = 0
    while number < count:
        operation = Operation(number, "create", "person", f"practice:patients:{number}", "", {"name": f"P{number}"}, {})
        (outcome,) = await writer.apply([operation])
        if outcome.error is None:
            number += 1
            continue
        assert isinstance(outcome.error, BudgetExhausted), outcome.error
        stops.append(clock.now())
        midnight = (clock.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0)
        await clock.sleep((midnight - clock.now()).total_seconds())
    await writer.aclose()
    return stops


@pytest.mark.parametrize("headers", [True, False], ids=["the day's tokens are stated", "only a 429 says it"])
def test_a_load_larger_than_the_budget_takes_its_days_and_writes_nothing_twice(
    open_sandbox: Callable[..., Sandbox], clock: VirtualClock, headers: bool
) -> None:
    sandbox = open_sandbox(plan="lite", switches=Switches(daily_token_headers=headers))
    sandbox.limits.daily_limit = DAY_TOKENS
    field = Operation(0, "create", "field", "k", "", {"name": "Source_System_ID__c", "of": "person"}, {})

    async def load() -> list[datetime]:
        writer = writer_on(sandbox, clock)
        assert (await writer.apply([field]))[0].error is None
        return await write_all(writer, clock, 5 * DAY_TOKENS // 10)

    stops = asyncio.run(load())

    names = [person["name"] for person in sandbox.dump()["person"]]
    assert names == [f"P{number}" for number in range(300)]
    assert [stop.date().day for stop in stops] == [2, 3]
    assert clock.now().date().day == 2 + DAYS - 1
    days = sorted(person["add_time"][:10] for person in sandbox.dump()["person"])
    assert {day: days.count(day) <= DAY_TOKENS // 5 for day in set(days)} == dict.fromkeys(set(days), True)
    assert len(set(days)) == DAYS


def test_the_day_budget_comes_back_at_midnight(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], clock: VirtualClock
) -> None:
    sandbox = open_sandbox(plan="lite")
    client = sign_in(sandbox)
    sandbox.limits.used = sandbox.limits.daily_limit
    client.get(PERSONS)
    sandbox.limits.used = sandbox.limits.daily_limit

    before = client.get(PERSONS).status_code
    clock.advance(15 * 3600 - 1)
    last_second = client.get(PERSONS).status_code
    clock.advance(1)

    assert (before, last_second, client.get(PERSONS).status_code) == (429, 429, 200)


def test_deleted_records_are_gone_for_good_after_thirty_days_that_pass_at_once(
    admin: httpx.Client, person: int, clock: VirtualClock
) -> None:
    admin.delete(f"{PERSONS}/{person}")
    clock.advance(29 * 86_400)
    still = admin.get(f"{PERSONS}/{person}").status_code
    clock.advance(2 * 86_400)

    assert (still, admin.get(f"{PERSONS}/{person}").status_code) == (200, 404)


def test_an_hour_of_latency_takes_no_time(sandbox: Sandbox, admin: httpx.Client, clock: VirtualClock) -> None:
    sandbox.set_faults([FaultRule(Fault("latency", 3_600))])
    before = clock.now().astimezone(UTC)

    assert admin.get(PERSONS).status_code == 200
    assert clock.now() - before == timedelta(hours=1)
