"""Whose account it is, what it has room for, and what a writer may spend there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    ConfigurationError,
    Fatal,
    FlitError,
    InDoubt,
    PlanLimit,
)
from flitstack_pipedrive.opening import open_writer
from flitstack_pipedrive.sandbox.app import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from flitstack.clock import VirtualClock
    from flitstack.protocols import WriterContext
    from flitstack_pipedrive.destination import PipedriveWriter

    Use = Callable[[PipedriveWriter, Callable[[Any], Coroutine[Any, Any, None]]], None]


def test_a_load_at_full_speed_meets_no_429(
    tmp_path: Path, clock: VirtualClock, writer_on: Callable[..., PipedriveWriter], make_account: Any
) -> None:
    sandbox = Sandbox(str(tmp_path / "a.db"), plan="lite", seats=1, clock=clock)
    statuses: list[int] = []
    inner = httpx.ASGITransport(app=sandbox.app)

    class Watching(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await inner.handle_async_request(request)
            statuses.append(response.status_code)
            return response

    writer = writer_on(Watching(), api_token=str(sandbox.users[0]["token"]))

    async def load() -> None:
        account = make_account(writer)
        await account.apply("create", "field", {"name": "Source_System_ID__c", "of": "person", "type": "varchar"})
        await asyncio.gather(*(account.apply("create", "person", {"name": "Ann Example"}) for _ in range(200)))

    asyncio.run(load())
    sandbox.close()

    assert len(statuses) > 200
    assert set(statuses) == {200}


def test_what_was_spent_is_what_the_account_counted(
    sandbox_file: Path, clock: VirtualClock, use: Use, writer_on: Callable[..., PipedriveWriter]
) -> None:
    sandbox = Sandbox(str(sandbox_file), plan="ultimate", clock=clock)
    writer = writer_on(httpx.ASGITransport(app=sandbox.app), api_token=str(sandbox.users[0]["token"]))

    async def scenario(account: Any) -> None:
        await account.read("lead")
        await account.read("file")
        await writer.account()

    use(writer, scenario)

    assert writer.spent().tokens == sandbox.tokens_used
    sandbox.close()


def test_a_write_that_was_kept_although_the_connection_broke_is_in_doubt_and_then_found(
    sandbox_file: Path, clock: VirtualClock, use: Use, writer_on: Callable[..., PipedriveWriter]
) -> None:
    sandbox = Sandbox(str(sandbox_file), plan="ultimate", clock=clock)
    inner = httpx.ASGITransport(app=sandbox.app)

    class Breaking(httpx.AsyncBaseTransport):
        broken = False

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await inner.handle_async_request(request)
            if self.broken:
                raise httpx.ReadError("the answer is lost", request=request)
            return response

    transport = Breaking()
    writer = writer_on(transport, api_token=str(sandbox.users[0]["token"]))

    async def scenario(account: Any) -> None:
        transport.broken = True
        error, id = await account.attempt("create", "person", {"name": "Ann Example"}, key="practice:patients:7")
        transport.broken = False

        assert isinstance(error, InDoubt)
        assert id is None
        assert [one.key for one in (await account.read("person")).values()].count("practice:patients:7") == 1

    use(writer, scenario)
    sandbox.close()


def test_the_account_says_who_asks_and_how_much_room_is_left(
    sandbox_file: Path, context: WriterContext, make_account: Any
) -> None:
    writer = open_writer({"base_url": f"sandbox:{sandbox_file}?plan=growth&seats=3"}, context)

    async def ask() -> None:
        await make_account(writer).apply("create", "field", {"name": "One", "of": "person", "type": "text"})
        account = await writer.account()
        users = await writer.users()

        assert account.slots == {"field": 99}
        assert account.daily_budget == 180_000
        assert account.user.is_admin
        assert account.facts["activity_zone"] == "UTC"
        assert account.facts["plan"] == "growth"
        assert account.facts["currency"]
        assert {user.active for user in users} == {True, False}

    asyncio.run(ask())


def test_a_token_of_no_admin_is_refused_with_what_to_do(
    tmp_path: Path, clock: VirtualClock, context: WriterContext
) -> None:
    file = tmp_path / "a.db"
    sandbox = Sandbox(str(file), clock=clock)
    token = next(str(user["token"]) for user in sandbox.users if not user["is_admin"])
    sandbox.close()
    writer = open_writer({"base_url": f"sandbox:{file}", "api_token": token}, context)

    with pytest.raises(AuthError, match="admin"):
        asyncio.run(writer.account())


def test_a_wrong_token_is_refused_and_not_shown(
    tmp_path: Path, clock: VirtualClock, writer_on: Callable[..., PipedriveWriter]
) -> None:
    sandbox = Sandbox(str(tmp_path / "a.db"), clock=clock)
    writer = writer_on(httpx.ASGITransport(app=sandbox.app), api_token="canary-token")

    with pytest.raises(AuthError) as caught:
        asyncio.run(writer.account())

    sandbox.close()
    assert "canary-token" not in str(caught.value)
    assert "PIPEDRIVE_API_TOKEN" in str(caught.value)


def test_the_cap_of_custom_fields_is_a_plan_limit(tmp_path: Path, context: WriterContext, make_account: Any) -> None:
    writer = open_writer({"base_url": f"sandbox:{tmp_path / 'a.db'}?plan=lite"}, context)

    async def fill() -> Any:
        account = make_account(writer)
        for number in range(30):
            await account.apply("create", "field", {"name": f"F{number}", "of": "person", "type": "text"})
        error, _ = await account.attempt("create", "field", {"name": "F30", "of": "deal", "type": "text"})
        assert (await writer.account()).slots == {"field": 0}
        return error

    error = asyncio.run(fill())
    assert isinstance(error, PlanLimit)
    assert "flit rollback" in str(error)
    assert "PIPEDRIVE_PLAN" in str(error)


def test_the_day_stops_at_the_reserve_and_says_when_it_goes_on(
    tmp_path: Path, context: WriterContext, make_account: Any
) -> None:
    given = {"base_url": f"sandbox:{tmp_path / 'a.db'}?plan=lite", "reserve": 0.95}
    writer = open_writer(given, context)

    async def spend() -> FlitError:
        account = make_account(writer)
        await account.apply("create", "field", {"name": "Source_System_ID__c", "of": "person", "type": "varchar"})
        for _ in range(400):
            error, _ = await account.attempt("create", "person", {"name": "Ann Example"})
            if isinstance(error, BudgetExhausted):
                return error
        raise AssertionError("the reserve was spent")

    error = asyncio.run(spend())

    assert isinstance(error, BudgetExhausted)
    assert error.resets_at == datetime(2026, 3, 3, tzinfo=UTC)
    assert writer.spent().tokens <= 1_500


def test_an_answer_nobody_documented_stops_without_showing_a_value(
    clock: VirtualClock, writer_on: Callable[..., PipedriveWriter]
) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        me = {"id": 1, "company_id": 1}
        data = {"/api/v1/users/me": me, "/api/v2/personFields": []}.get(
            request.url.path, [{"id": 1, "emails": "canary"}]
        )
        return httpx.Response(200, json={"success": True, "data": data})

    writer = writer_on(httpx.MockTransport(serve), api_token="t")

    async def read() -> None:
        async for _ in writer.list("person"):
            pass

    with pytest.raises(Fatal) as caught:
        asyncio.run(read())

    assert "person" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_server_that_does_not_say_whose_account_it_is_is_a_wrong_address(
    clock: VirtualClock, writer_on: Callable[..., PipedriveWriter]
) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"success": True, "data": {"hello": "there"}})

    with pytest.raises(ConfigurationError, match="PIPEDRIVE_BASE_URL"):
        asyncio.run(writer_on(httpx.MockTransport(serve), api_token="t").account())
