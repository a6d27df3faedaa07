"""Who is let in, and what is not offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox


def test_a_request_without_a_token_is_unauthorized(sandbox: Sandbox, sign_in: Callable[..., httpx.Client]) -> None:
    answer = sign_in(sandbox, None).get("/api/v2/persons")

    assert answer.status_code == 401
    assert answer.headers["x-401-by-gw"] == "true"
    assert answer.json() == {
        "success": False,
        "error": "unauthorized access",
        "errorCode": 401,
        "error_info": "Please check developers.pipedrive.com",
    }


def test_a_token_in_the_query_does_not_count(sandbox: Sandbox, sign_in: Callable[..., httpx.Client]) -> None:
    token = sandbox.users[0]["token"]

    answer = sign_in(sandbox, None).get(f"/api/v1/users/me?api_token={token}")

    assert answer.status_code == 401


def test_users_me_names_the_user_the_company_and_the_rights(admin: httpx.Client, staff: httpx.Client) -> None:
    mine = admin.get("/api/v1/users/me").json()["data"]
    theirs = staff.get("/v1/users/me").json()["data"]

    assert mine["is_you"] is True
    assert mine["company_id"] == theirs["company_id"]
    assert {"company_name", "company_domain", "timezone_name", "default_currency"} <= set(mine)
    assert all(item["admin"] for item in mine["access"])
    assert not any(item["admin"] for item in theirs["access"])


def test_the_users_hold_an_admin_first_a_non_admin_and_a_deactivated_one(sandbox: Sandbox, admin: httpx.Client) -> None:
    listed = admin.get("/v1/users").json()["data"]

    assert [user["is_admin"] for user in sandbox.users] == [True, False]
    assert [user["active_flag"] for user in listed] == [True, True, False]


def test_an_added_user_can_sign_in_unless_deactivated(sandbox: Sandbox, sign_in: Callable[..., httpx.Client]) -> None:
    active = sandbox.add_user("Kim Hygienist", "kim@practice.example")
    gone = sandbox.add_user("Lou Left", "lou@practice.example", active=False)

    client = sign_in(sandbox, None)

    assert client.get("/v1/users/me", headers={"x-api-token": active["token"]}).status_code == 200
    assert client.get("/v1/users/me", headers={"x-api-token": gone["token"]}).status_code == 401


def test_an_unknown_user_is_not_found(admin: httpx.Client) -> None:
    answer = admin.get("/v1/users/99")

    assert answer.status_code == 404
    assert answer.json() == {"success": False, "error": "User not found or not accessible."}


def test_what_the_sandbox_does_not_imitate_is_501(admin: httpx.Client) -> None:
    for method, path in (
        ("GET", "/api/v2/tasks"),
        ("GET", "/api/v2/deals/installments"),
        ("GET", "/api/v2/no/such/thing"),
        ("PUT", "/v1/persons/1/merge"),
    ):
        answer = admin.request(method, path)

        assert answer.status_code == 501
        assert answer.json()["error"] == f"The sandbox does not do {method} {path}."


def test_a_body_that_is_no_json_object_is_refused(admin: httpx.Client) -> None:
    json_type = {"content-type": "application/json"}
    path = "/api/v2/persons"

    assert admin.post(path, content=b"{", headers=json_type).status_code == 400
    assert admin.post(path, content=b'{"name": NaN}', headers=json_type).status_code == 400
    assert admin.post(path, content=b"[" * 200_000, headers=json_type).status_code == 400
    assert admin.post(path, content=b'{"name": "A"}', headers={"content-type": "text/plain"}).status_code == 400
    assert admin.post(path, json=["name"]).status_code == 400
    assert admin.post(path).status_code == 400


def test_currencies_lead_labels_and_webhooks_are_listed(admin: httpx.Client) -> None:
    assert "USD" in [currency["code"] for currency in admin.get("/v1/currencies").json()["data"]]
    assert [currency["code"] for currency in admin.get("/v1/currencies?term=gbp").json()["data"]] == ["GBP"]
    assert len(admin.get("/v1/leadLabels").json()["data"]) == 3
    assert admin.get("/v1/webhooks").json()["data"] is None
