"""Every answer, and every way of getting none, becomes the error that says what to do next."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import flitstack.errors
from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    ConfigurationError,
    FlitError,
    InDoubt,
    NotSent,
    RateLimited,
    Rejected,
    Unavailable,
)
from flitstack_pipedrive.answers import Call
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.clock import VirtualClock

TOKEN = "canary-token-0123456789"
VALUE = "Canary Patient"
STATUSES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "statuses.json").read_text("utf-8"))
READ = Call(2, "GET", "/persons/{id}", {"id": "7"})
WRITE = Call(2, "POST", "/persons", body={"name": VALUE})
CALLS = {
    "GET": READ,
    "POST": WRITE,
    "PATCH": Call(2, "PATCH", "/persons/{id}", {"id": "7"}, body={"name": VALUE}),
    "DELETE": Call(2, "DELETE", "/persons/{id}", {"id": "7"}),
}
DONE = {"success": True, "data": {"id": 7}}


class Server:
    """Answers in order, the last one for ever; counts what arrives."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = answers
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self._answers[min(len(self.requests), len(self._answers) - 1)]
        self.requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def client_of(server: Callable[[httpx.Request], httpx.Response], clock: VirtualClock, **settings: Any) -> Client:
    given = {"api_token": TOKEN, "base_url": "https://practice.example"} | settings
    return Client(parse_settings(given), clock, httpx.MockTransport(server))


def send(server: Server, call: Call, clock: VirtualClock, **settings: Any) -> dict[str, Any]:
    return asyncio.run(client_of(server, clock, **settings).send(call))


def error_of(server: Server, call: Call, clock: VirtualClock, **settings: Any) -> FlitError:
    with pytest.raises(FlitError) as caught:
        send(server, call, clock, **settings)
    return caught.value


@pytest.mark.parametrize("case", STATUSES, ids=lambda case: str(case["case"]))
def test_each_status_becomes_the_error_that_says_what_to_do(case: dict[str, Any], clock: VirtualClock) -> None:
    answer = httpx.Response(case["status"], json=case["json"]) if "json" in case else None
    server = Server(answer or httpx.Response(case["status"], text=case["text"]))

    error = error_of(server, CALLS[case["method"]], clock)

    assert type(error) is getattr(flitstack.errors, case["error"])
    if isinstance(error, Rejected):
        assert (error.code, error.field) == (case["code"], case.get("field"))
    assert TOKEN not in str(error)
    assert VALUE not in str(error)


@pytest.mark.parametrize("case", STATUSES, ids=lambda case: str(case["case"]))
def test_a_write_that_was_answered_is_never_sent_twice(case: dict[str, Any], clock: VirtualClock) -> None:
    answer = httpx.Response(case["status"], json=case["json"]) if "json" in case else None
    server = Server(answer or httpx.Response(case["status"], text=case["text"]))

    error_of(server, WRITE, clock)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("late"),
        httpx.WriteTimeout("late"),
        httpx.ReadError("broken"),
        httpx.WriteError("broken"),
        httpx.RemoteProtocolError("half an answer"),
        httpx.DecodingError("not gzip"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_write_without_a_whole_answer_is_in_doubt_and_not_sent_again(failure: Exception, clock: VirtualClock) -> None:
    server = Server(failure)

    error = error_of(server, WRITE, clock)

    assert isinstance(error, InDoubt)
    assert len(server.requests) == 1


def test_an_answer_that_says_both_yes_and_no_says_what_was_refused_should_nothing_be_found(clock: VirtualClock) -> None:
    said = {"success": False, "error": "Validation failed: name: The value is not a valid 'string'"}

    error = error_of(Server(httpx.Response(200, json=said)), WRITE, clock)

    assert isinstance(error, InDoubt)
    assert error.refusal is not None
    assert (error.refusal.code, error.refusal.field) == ("destination_refused", "name")


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ConnectTimeout("late")], ids=repr)
def test_a_write_that_never_left_is_tried_again_and_then_not_sent(failure: Exception, clock: VirtualClock) -> None:
    server = Server(failure)

    error = error_of(server, WRITE, clock, attempts=3)

    assert type(error) is NotSent
    assert len(server.requests) == 3


def test_a_read_is_tried_again_until_it_is_answered(clock: VirtualClock) -> None:
    server = Server(httpx.ReadTimeout("late"), httpx.Response(502), httpx.Response(200, text="null"), answer(DONE))

    found = send(server, READ, clock)

    assert found == DONE
    assert len(server.requests) == 4


def test_a_read_that_nobody_answers_is_given_up_with_the_hosts_name(clock: VirtualClock) -> None:
    server = Server(httpx.ConnectError("refused"))

    error = error_of(server, READ, clock, attempts=2)

    assert type(error) is Unavailable
    assert "practice.example does not answer" in str(error)


def test_a_redirect_is_not_followed_so_the_token_stays(clock: VirtualClock) -> None:
    server = Server(httpx.Response(307, headers={"location": "https://elsewhere.example/"}))

    error = error_of(server, READ, clock)

    assert type(error) is ConfigurationError
    assert [request.url.host for request in server.requests] == ["practice.example"]


def test_the_token_travels_in_its_header_and_nowhere_else(clock: VirtualClock) -> None:
    server = Server(answer(DONE))

    send(server, WRITE, clock)

    (request,) = server.requests
    assert request.headers["x-api-token"] == TOKEN
    assert TOKEN not in str(request.url)
    assert TOKEN.encode() not in request.content


def test_neither_token_nor_values_are_logged(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    error_of(Server(httpx.Response(400, json={"success": False, "error": f"name: {VALUE}"})), WRITE, clock)

    assert TOKEN not in caplog.text
    assert VALUE not in caplog.text


def test_a_refusal_names_custom_fields_by_name_and_never_a_value(clock: VirtualClock) -> None:
    code = "ab" * 20
    call = Call(2, "POST", "/persons", body={"name": "x", "custom_fields": {code: VALUE}})
    said = f"Validation failed: custom_fields: {code}: The value is not a valid 'date' ({VALUE})"
    client = client_of(Server(httpx.Response(400, json={"success": False, "error": said})), clock)
    client.name_fields({code: "Date_Of_Birth__c"})

    with pytest.raises(Rejected) as caught:
        asyncio.run(client.send(call))

    assert caught.value.field == "Date_Of_Birth__c"
    assert caught.value.reason == 'POST /api/v2/persons: Pipedrive refused "Date_Of_Birth__c": is no date.'


def test_a_burst_429_is_waited_out_and_the_write_sent_again(clock: VirtualClock) -> None:
    server = Server(httpx.Response(429, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}), answer(DONE))

    found = send(server, WRITE, clock)

    assert found == DONE
    assert clock.monotonic() >= 2


@pytest.mark.parametrize(
    "headers", [{"x-ratelimit-remaining": "5"}, {"x-daily-ratelimit-token-remaining": "0"}], ids=repr
)
def test_a_429_that_shows_the_day_is_over_stops_at_once(headers: dict[str, str], clock: VirtualClock) -> None:
    server = Server(httpx.Response(429, headers=headers))

    error = error_of(server, WRITE, clock)

    assert isinstance(error, BudgetExhausted)
    assert error.resets_at is None
    assert len(server.requests) == 1


def test_a_second_429_after_waiting_means_the_day_is_over(clock: VirtualClock) -> None:
    server = Server(httpx.Response(429, text="<html>slow down</html>"))

    error = error_of(server, WRITE, clock)

    assert isinstance(error, BudgetExhausted)
    assert len(server.requests) == 2


def test_a_window_that_others_keep_full_is_left_to_the_engine(clock: VirtualClock) -> None:
    server = Server(httpx.Response(429, headers={"x-ratelimit-remaining": "0", "x-ratelimit-limit": "20"}))

    error = error_of(server, WRITE, clock)

    assert isinstance(error, RateLimited)
    assert error.retry_after_s > 0


def test_only_what_was_accepted_or_may_have_been_is_paid_for(clock: VirtualClock) -> None:
    async def spend() -> list[int]:
        spent = []
        for first in (answer(DONE), httpx.Response(400, json={}), httpx.ReadTimeout("late"), httpx.ConnectError("no")):
            client = client_of(Server(first), clock, attempts=1)
            await asyncio.gather(client.send(WRITE), return_exceptions=True)
            spent.append(client.tokens)
        return spent

    assert asyncio.run(spend()) == [5, 0, 5, 0]


def test_nothing_is_sent_that_the_day_cannot_pay(clock: VirtualClock) -> None:
    server = Server(httpx.Response(200, json=DONE, headers={"x-daily-ratelimit-token-remaining": "4"}))
    client = client_of(server, clock)

    async def twice() -> None:
        await client.send(WRITE)
        await client.send(WRITE)

    with pytest.raises(BudgetExhausted) as caught:
        asyncio.run(twice())

    assert len(server.requests) == 1
    assert caught.value.resets_at == datetime(2026, 3, 3, tzinfo=UTC)


def test_without_a_base_url_the_companys_own_host_is_used_once_known(clock: VirtualClock) -> None:
    server = Server(answer(DONE))
    client = Client(parse_settings({"api_token": TOKEN}), clock, httpx.MockTransport(server))

    async def ask() -> None:
        await client.send(Call(1, "GET", "/users/me"))
        client.use_company("practice-1a2b")
        await client.send(Call(1, "GET", "/users"))

    asyncio.run(ask())

    assert [str(request.url) for request in server.requests] == [
        "https://api.pipedrive.com/v1/users/me",
        "https://practice-1a2b.pipedrive.com/api/v1/users",
    ]


@pytest.mark.parametrize("domain", ["", "evil.example/", "a@b", "x.y"])
def test_the_token_is_sent_to_no_host_that_is_not_a_company(domain: str, clock: VirtualClock) -> None:
    client = Client(parse_settings({"api_token": TOKEN}), clock, httpx.MockTransport(Server(answer(DONE))))

    with pytest.raises(ConfigurationError, match="PIPEDRIVE_BASE_URL"):
        client.use_company(domain)


def test_an_id_cannot_leave_its_place_in_the_path(clock: VirtualClock) -> None:
    server = Server(answer(DONE))

    send(server, Call(2, "GET", "/persons/{id}", {"id": "../deals/1?x=y"}), clock)

    assert server.requests[0].url.raw_path == b"/api/v2/persons/..%2Fdeals%2F1%3Fx%3Dy"


REFUSED_FOR_TODAY = httpx.Response(429, headers={"x-daily-ratelimit-token-remaining": "0"})


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (httpx.Response(401, json={"success": False}), AuthError),
        (REFUSED_FOR_TODAY, BudgetExhausted),
        (httpx.Response(403, text="<html></html>"), Unavailable),
    ],
    ids=["token refused", "day over", "blocked"],
)
def test_when_nothing_more_can_go_what_waits_is_not_even_sent(
    refusal: httpx.Response, error: type[FlitError], clock: VirtualClock
) -> None:
    server = Server(refusal)

    async def answer_later(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return server(request)

    settings = parse_settings({"api_token": TOKEN, "base_url": "https://practice.example"})
    client = Client(settings, clock, httpx.MockTransport(answer_later))

    async def send_many() -> Any:
        return await asyncio.gather(*(client.send(WRITE) for _ in range(50)), return_exceptions=True)

    errors = asyncio.run(send_many())

    assert {type(one) for one in errors} == {error}
    assert len(server.requests) == 1
    assert client.tokens == 0


def test_after_a_refused_token_the_next_request_is_sent_again(clock: VirtualClock) -> None:
    server = Server(httpx.Response(401, json={"success": False}), answer(DONE))
    client = client_of(server, clock)

    async def twice() -> Any:
        await asyncio.gather(client.send(WRITE), return_exceptions=True)
        return await client.send(WRITE)

    assert asyncio.run(twice()) == DONE


@pytest.mark.parametrize(
    ("found", "is_open"),
    [(httpx.Response(200, json=DONE), True), (httpx.Response(404), True), (REFUSED_FOR_TODAY, False)],
    ids=["a record", "no record", "refused"],
)
def test_whether_the_budget_is_open_is_asked_with_one_request_of_one_token(
    found: httpx.Response, is_open: bool, clock: VirtualClock
) -> None:
    server = Server(found)
    client = client_of(server, clock)

    assert asyncio.run(client.budget_is_open()) is is_open
    assert (len(server.requests), client.tokens <= 1) == (1, True)


def test_a_day_that_our_own_count_has_spent_is_not_asked_for(clock: VirtualClock) -> None:
    server = Server(answer(DONE))
    settings = parse_settings({"api_token": TOKEN, "base_url": "https://practice.example", "plan": "lite", "seats": 1})
    client = Client(settings, clock, httpx.MockTransport(server), spent_today=27_000)

    assert asyncio.run(client.budget_is_open()) is False
    clock.advance(15 * 3600)
    assert asyncio.run(client.budget_is_open()) is True
    assert len(server.requests) == 1


def test_the_hour_of_the_reset_is_learned_by_one_client_and_said_by_the_next(clock: VirtualClock) -> None:
    clock.advance(-1_800)
    client = client_of(Server(REFUSED_FOR_TODAY, answer(DONE)), clock)

    async def wait_for_it() -> None:
        assert not await client.budget_is_open()
        await clock.sleep(3_600)
        assert await client.budget_is_open()

    asyncio.run(wait_for_it())
    learned = client.learned()
    clock.advance(4 * 3600)
    settings = parse_settings({"api_token": TOKEN, "base_url": "https://practice.example"})
    later = Client(settings, clock, httpx.MockTransport(Server(REFUSED_FOR_TODAY)), learned=learned)
    with pytest.raises(BudgetExhausted, match="09:00 UTC") as caught:
        asyncio.run(later.send(WRITE))

    assert learned == {"budget_resets_at": "09:00"}
    assert caught.value.resets_at == datetime(2026, 3, 3, 9, tzinfo=UTC)


def test_a_burst_limit_that_nobody_stated_is_learned_from_the_answers(clock: VirtualClock) -> None:
    stated = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "99"}
    client = client_of(Server(httpx.Response(200, json=DONE, headers=stated)), clock)

    asyncio.run(client.send(WRITE))

    assert client.learned() == {"burst_limit": 100}


def answer(body: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json=body)
