"""Limits as sold: burst, daily tokens, daily writes, and what follows abuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack_pipedrive.sandbox.app import Switches
from flitstack_pipedrive.sandbox.plans import PLANS

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack.clock import VirtualClock
    from flitstack_pipedrive.sandbox.app import Sandbox

ME = "/v1/users/me"


@pytest.mark.parametrize(("plan", "burst"), [("lite", 20), ("growth", 40), ("premium", 100), ("ultimate", 120)])
def test_each_plan_has_its_burst_in_two_rolling_seconds(
    open_sandbox: Callable[..., Sandbox],
    sign_in: Callable[..., httpx.Client],
    clock: VirtualClock,
    plan: str,
    burst: int,
) -> None:
    client = sign_in(open_sandbox(plan=plan))
    first = client.get(ME)
    clock.advance(1)
    later = [client.get(ME).status_code for _ in range(burst - 1)]

    refused = client.get(ME)

    assert first.headers["x-ratelimit-limit"] == str(burst)
    assert first.headers["x-ratelimit-remaining"] == str(burst - 1)
    assert set(later) == {200}
    assert refused.status_code == 429
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.headers["x-ratelimit-reset"] == "1"
    assert refused.json()["errorCode"] == 429
    clock.advance(1)
    # The first request has left the window, the others have not.
    assert [client.get(ME).status_code for _ in range(2)] == [200, 429]


def test_the_burst_can_be_set_apart_from_the_plan(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    client = sign_in(open_sandbox(plan="lite", switches=Switches(burst=480)))

    assert client.get(ME).headers["x-ratelimit-limit"] == "480"


def test_each_token_has_its_own_burst(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    sandbox = open_sandbox(plan="lite")
    for _ in range(21):
        last = sign_in(sandbox, 0).get(ME)

    assert last.status_code == 429
    assert sign_in(sandbox, 1).get(ME).status_code == 200


def test_every_answer_carries_the_window_and_refusals_do_too(admin: httpx.Client) -> None:
    for answer in (
        admin.get(ME),
        admin.post("/api/v2/persons", json={}),
        admin.get("/api/v2/persons/99"),
        admin.get("/x"),
    ):
        assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= set(answer.headers)


def test_calls_cost_tokens_and_refused_ones_nothing(sandbox: Sandbox, admin: httpx.Client) -> None:
    admin.get(ME)
    admin.post("/api/v2/persons", json={"name": "A"})
    admin.get("/api/v2/persons?limit=500")
    admin.get("/api/v2/persons/1")
    admin.post("/api/v2/persons", json={})
    admin.get("/api/v2/persons/99")

    assert sandbox.tokens_used == 2 + 5 + 10 + 1


def test_refused_calls_cost_as_much_where_the_switch_says_so(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    sandbox = open_sandbox(switches=Switches(errors_cost_tokens=True))

    sign_in(sandbox).post("/api/v2/persons", json={})

    assert sandbox.tokens_used == 5


def test_the_daily_budget_is_multiplier_times_seats_times_thirty_thousand() -> None:
    budgets = {name: plan.daily_tokens(2) for name, plan in PLANS.items()}

    assert budgets == {
        "lite": 60_000,
        "growth": 120_000,
        "premium": 300_000,
        "ultimate": 420_000,
        "essential": 60_000,
        "advanced": 120_000,
        "professional": 180_000,
        "power": 300_000,
        "enterprise": 420_000,
    }


def spend_a_day(client: httpx.Client, clock: VirtualClock) -> httpx.Response:
    """Return the first answer that is not 200; 40 tokens a call, and no burst is ever full."""
    for _ in range(1000):
        clock.advance(0.2)
        answer = client.get("/v1/leads/archived")
        if answer.status_code != 200:
            return answer
    raise AssertionError("the budget never ended")


def test_a_used_up_budget_refuses_everything_until_midnight_utc(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], clock: VirtualClock
) -> None:
    sandbox = open_sandbox(plan="lite", switches=Switches(daily_token_headers=True))
    client = sign_in(sandbox)

    refused = spend_a_day(client, clock)

    assert refused.status_code == 429
    assert int(refused.headers["x-ratelimit-remaining"]) > 0
    assert refused.headers["x-daily-ratelimit-token-limit"] == "30000"
    assert refused.headers["x-daily-ratelimit-token-remaining"] == "0"
    assert sign_in(sandbox, 1).get(ME).status_code == 429
    clock.advance(10 * 3600)
    assert client.get(ME).status_code == 429
    clock.advance(5 * 3600)
    assert client.get(ME).status_code == 200


def test_the_hour_of_the_reset_is_a_switch(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], clock: VirtualClock
) -> None:
    client = sign_in(open_sandbox(plan="lite", switches=Switches(reset_hour_utc=10)))
    spend_a_day(client, clock)

    clock.advance(3600)

    assert client.get(ME).status_code == 200


def test_the_budget_spent_survives_a_restart(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], tmp_path: object
) -> None:
    path = f"{tmp_path}/state.db"
    first = open_sandbox(path)
    sign_in(first).get(ME)
    first.close()

    assert open_sandbox(path).tokens_used == 2


def test_daily_writes_are_counted_per_user_only_where_the_account_has_a_cap(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], clock: VirtualClock
) -> None:
    sandbox = open_sandbox(switches=Switches(daily_writes_cap=2))
    client = sign_in(sandbox)

    made = [client.post("/api/v2/persons", json={"name": "A"}) for _ in range(3)]

    assert [answer.status_code for answer in made] == [200, 200, 429]
    assert [answer.headers["x-daily-requests-left"] for answer in made] == ["1", "0", "0"]
    changed = client.patch("/api/v2/persons/1", json={"name": "B"})
    assert (changed.status_code, "x-daily-requests-left" in changed.headers) == (200, False)
    assert sign_in(sandbox, 1).post("/api/v2/persons", json={"name": "A"}).status_code == 200
    clock.advance(86_400)
    assert client.post("/api/v2/persons", json={"name": "A"}).status_code == 200


def test_ignoring_refusals_ends_in_a_403_with_a_page(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], clock: VirtualClock
) -> None:
    client = sign_in(open_sandbox(plan="lite", switches=Switches(abuse_after=3)))
    statuses = [client.get(ME).status_code for _ in range(24)]

    blocked = client.get(ME)

    assert statuses[20:] == [429, 429, 429, 403]
    assert blocked.headers["content-type"].startswith("text/html")
    clock.advance(61)
    assert client.get(ME).status_code == 200
