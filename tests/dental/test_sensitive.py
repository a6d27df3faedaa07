"""Secrets are known by a column's name and by a value's pattern, and what only resembles them is left alone."""

from __future__ import annotations

import pytest

from flitstack_dental.sensitive import is_secret_name, is_secret_value, remove_secrets, remove_ssn


@pytest.mark.parametrize(
    "name",
    [
        "SSN", "ssn", "PatSsn", "Social Security #", "social_security", "encrypted_social_security", "SS",
        "drivers_license", "Driver Licence", "StateLicense", "password", "password_salt", "portal_password",
        "ClinicianPassword", "security_answer_1", "DEANum", "dea_regulation_number", "Card Number", "credit_card_no",
        "MobileWebPin", "PIN",
    ],
)  # fmt: skip
def test_a_column_of_secrets_is_known_by_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["BusinessName", "SchoolClassNum", "EmailAddressNum", "CreditType", "Opinion", "Idea", "chart_number", "Spinning",
     "AddressNote", "ClassName", "policy_number", "Cardiology"],
)  # fmt: skip
def test_an_innocent_column_is_left_alone(name: str) -> None:
    assert not is_secret_name(name)


def test_secrets_inside_a_text_are_replaced() -> None:
    assert remove_secrets("SSN 666-12-3456 on file") == "SSN [removed] on file"
    assert remove_secrets("Card 4111 1111 1111 1111.") == "Card [removed]."
    assert remove_secrets("Card 4111-1111-1111-1111, 5555555555554444") == "Card [removed], [removed]"
    assert remove_secrets("666-12-3456") is None


@pytest.mark.parametrize(
    "text",
    ["Call 312-555-0143", "4111 1111 1111 1112", "tooth 12-14-1530", "2024-01-02 10:00:00", "001-832-695-7550x851",
     "9 digits 123456789 are too common"],
)  # fmt: skip
def test_what_only_resembles_a_secret_stays(text: str) -> None:
    assert remove_secrets(text) == text
    assert not is_secret_value(text)


def test_a_policy_number_may_pass_as_a_card_but_not_as_an_ssn() -> None:
    assert remove_ssn("4111111111111111") == "4111111111111111"
    assert remove_ssn("666-98-7654") is None
