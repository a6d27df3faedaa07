"""Settings are checked before anything is sent, and the token shows nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from flitstack.errors import AuthError, ConfigurationError, SettingsError
from flitstack_pipedrive.plans import PLANS
from flitstack_pipedrive.settings import ENVIRONMENT, SECRETS, SETTINGS_SCHEMA, parse_settings

TOKEN = "canary-token-0123456789"


def test_the_schema_is_valid_and_every_setting_says_what_it_is_for() -> None:
    Draft202012Validator.check_schema(dict(SETTINGS_SCHEMA))

    assert all(len(setting["description"]) > 20 for setting in SETTINGS_SCHEMA["properties"].values())
    assert set(ENVIRONMENT) | SECRETS <= set(SETTINGS_SCHEMA["properties"])


def test_the_defaults_of_the_schema_are_those_in_force() -> None:
    defaults = {
        name: setting["default"] for name, setting in SETTINGS_SCHEMA["properties"].items() if "default" in setting
    }

    assert parse_settings({"api_token": TOKEN}) == parse_settings({"api_token": TOKEN, **defaults})


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://practice.pipedrive.com", "https://practice.pipedrive.com"),
        ("https://practice.pipedrive.com/", "https://practice.pipedrive.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:80/", "http://localhost:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("", None),
    ],
)
def test_a_host_root_is_taken_as_it_is(base_url: str, host: str | None) -> None:
    assert parse_settings({"api_token": TOKEN, "base_url": base_url}).host == host


@pytest.mark.parametrize(
    "base_url",
    [
        "practice.pipedrive.com",
        "ftp://practice.pipedrive.com",
        "https://practice.pipedrive.com/api/v2",
        "https://practice.pipedrive.com?api_token=x",
        "https://user:pass@practice.pipedrive.com",
        "https://",
        "http://[::1",
        "http://127.0.0.1:port",
        "http://practice.example",
        "http://127.0.0.1.practice.example",
        "sandbox:",
        "sandbox:folder?plan=unheard-of",
        "sandbox:folder?seats=0",
        "sandbox:folder?plan=lite&past=practice",
        "sandbox:folder?seats=many",
    ],
)
def test_an_address_that_is_none_or_would_show_the_token_is_refused(base_url: str) -> None:
    with pytest.raises(SettingsError, match="base_url"):
        parse_settings({"api_token": TOKEN, "base_url": base_url})


@given(base_url=st.text(max_size=60))
def test_no_address_crashes(base_url: str) -> None:
    try:
        settings = parse_settings({"api_token": TOKEN, "base_url": base_url})
    except SettingsError:
        return
    assert settings.host is None or settings.host.startswith(("http://", "https://"))


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\nbreak", "t\u00f6ken"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(AuthError) as caught:
        parse_settings({"api_token": token})

    assert "PIPEDRIVE_API_TOKEN" in str(caught.value)
    assert not token.strip() or token not in str(caught.value)


def test_the_token_is_not_in_the_settings_words() -> None:
    assert TOKEN not in repr(parse_settings({"api_token": TOKEN}))


def test_the_days_tokens_need_plan_and_seats() -> None:
    def daily(**given: Any) -> int | None:
        return parse_settings({"api_token": TOKEN, **given}).daily_tokens

    assert daily(plan="premium", seats=5) == 750_000
    assert daily(plan="premium") is None
    assert daily(seats=5) is None


def test_every_plan_the_schema_offers_is_known_with_its_legacy_names() -> None:
    offered = SETTINGS_SCHEMA["properties"]["plan"]["enum"]

    assert set(offered) == set(PLANS)
    assert {"lite", "growth", "premium", "ultimate", "essential", "enterprise"} <= set(offered)


def test_a_sandbox_states_its_own_plan_and_needs_no_token() -> None:
    settings = parse_settings({"base_url": "sandbox:folder?plan=premium&seats=2", "plan": "lite"})

    assert settings.sandbox is not None
    assert (settings.sandbox.path, settings.plan, settings.seats) == ("folder", PLANS["premium"], 2)


def test_what_is_wrong_with_settings_ends_with_the_exit_code_of_a_configuration() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_settings({})

    assert caught.value.exit_code == 4
