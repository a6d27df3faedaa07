"""The practice's time zone is the export's own where it states one: an account may be anywhere."""

from __future__ import annotations

from typing import Any

import pytest

from flitstack.mapping import find_template, load_template

ACCOUNT = {"currency": "USD", "time_zone": "America/New_York", "activity_zone": "UTC"}


@pytest.mark.parametrize(
    ("given", "facts", "zone"),
    [
        ({}, {"practice_zones": ["Asia/Tokyo"], "clinic_zones": ["Europe/Berlin"]}, "Asia/Tokyo"),
        ({}, {"practice_zones": [], "clinic_zones": ["Europe/Berlin"]}, "Europe/Berlin"),
        ({}, {"practice_zones": [], "clinic_zones": ["Europe/Berlin", "Europe/Lisbon"]}, "America/New_York"),
        ({}, {}, "America/New_York"),
        ({"time_zone": "UTC"}, {"practice_zones": ["Asia/Tokyo"]}, "UTC"),
    ],
)
def test_the_zone_is_the_manifests_then_the_clinics_then_the_accounts(
    given: dict[str, Any], facts: dict[str, list[str]], zone: str
) -> None:
    template = load_template(find_template("dental-to-pipedrive"))

    values = template.resolve({"profile": "full", **given}, ACCOUNT, facts)

    assert values["time_zone"] == zone


def test_the_streams_that_state_the_zone_are_asked_for_it() -> None:
    facts = load_template(find_template("dental-to-pipedrive")).facts

    assert (facts["practice_zones"].stream, facts["practice_zones"].field) == ("practice", "time_zone")
    assert (facts["clinic_zones"].stream, facts["clinic_zones"].field) == ("clinics", "time_zone")
