"""What the plans allow, sold today or kept from before; the destination counts on the same figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import UsageError
from flitstack_pipedrive import plans as shared
from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.plans import PLANS, plan_named

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx


def test_the_sandbox_and_the_destination_know_the_same_plans() -> None:
    assert PLANS is shared.PLANS
    assert [plan_named(name.upper()).name for name in PLANS] == list(PLANS)


def test_an_unknown_plan_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r'no plan "gold".*lite.*enterprise'):
        Sandbox(plan="gold")


@pytest.mark.parametrize(("plan", "visibility", "status"), [("advanced", 5, 400), ("professional", 5, 200)])
def test_an_older_plan_has_its_own_visibilities(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], plan: str, visibility: int, status: int
) -> None:
    client = sign_in(open_sandbox(plan=plan))

    assert client.post("/api/v2/persons", json={"name": "A", "visible_to": visibility}).status_code == status


def test_a_plan_without_a_cap_on_fields_takes_any_number(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    client = sign_in(open_sandbox(plan="enterprise", seats=99, switches=Switches(burst=10_000)))

    statuses = {
        client.post("/api/v2/personFields", json={"field_name": f"F{n}", "field_type": "date"}).status_code
        for n in range(501)
    }

    assert statuses == {200}


def test_deals_and_leads_are_capped_by_seats_up_to_a_ceiling() -> None:
    assert PLANS["growth"].deals(2) == 10_000
    assert PLANS["ultimate"].deals(1000) == shared.DEALS_CEILING


def test_an_oauth_app_makes_four_times_as_many_requests_in_two_seconds(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    token = sign_in(open_sandbox(plan="lite")).get("/v1/users/me")
    app = sign_in(open_sandbox(plan="lite", switches=Switches(oauth=True))).get("/v1/users/me")

    assert (token.headers["x-ratelimit-limit"], app.headers["x-ratelimit-limit"]) == ("20", "80")


def test_searches_have_a_narrower_window_of_their_own(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    client = sign_in(open_sandbox())
    paths = ("persons/search?term=robin", "itemSearch?term=robin") * 5

    made = [client.get(f"/api/v2/{path}").status_code for path in paths]

    assert set(made) == {200}
    assert client.get("/api/v2/deals/search?term=robin").status_code == 429
    assert client.get("/api/v2/deals").status_code == 200
