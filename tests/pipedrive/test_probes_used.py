"""What a probe found takes the place of an assumption; a setting that was given always wins."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipedrive.probing import Site

from flitstack.mapping import find_template, load_template
from flitstack.protocols import WriterContext
from flitstack_pipedrive.learned import assumptions
from flitstack_pipedrive.opening import open_writer
from flitstack_pipedrive.sandbox.app import Switches
from flitstack_pipedrive.settings import parse_settings

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = {"api_token": "canary-token-0123456789"}
LAGS = "probe.list_lag"
NOTES = "probe.note_lengths"


def test_a_zone_that_was_found_is_used_unless_one_is_set() -> None:
    learned = {"probe.activity_due_time_zone": "user"}

    assert not parse_settings(TOKEN, learned).activity_zone_is_utc
    assert parse_settings({**TOKEN, "activity_time_zone": "utc"}, learned).activity_zone_is_utc
    assert parse_settings(TOKEN, {}).activity_zone_is_utc


@pytest.mark.parametrize(
    ("measured", "lag_s"),
    [({"person": 0.0}, 5.0), ({"person": 1.0, "note": 4.0}, 12.0), ({"person": 0.1, "note": None}, 180.0), ({}, 5.0)],
)
def test_the_lag_is_three_times_the_slowest_list_and_never_less_than_assumed(
    measured: dict[str, Any], lag_s: float
) -> None:
    assert parse_settings(TOKEN, {LAGS: measured}).list_lag_s == lag_s
    assert parse_settings({**TOKEN, "list_lag_s": 0}, {LAGS: measured}).list_lag_s == 0


@pytest.mark.parametrize(
    ("note", "activity", "limit"),
    [
        ((99_000, None), (99_000, None), None),
        ((99_000, "refused"), (99_000, "cut"), None),
        ((60_000, "refused"), (99_000, None), 58_500),
        ((99_000, None), (30_000, "cut"), 28_500),
        ((None, "refused"), (99_000, None), 1_000),
    ],
)
def test_notes_are_as_short_as_the_account_keeps_them(
    note: tuple[Any, Any], activity: tuple[Any, Any], limit: int | None
) -> None:
    names = {"note.content": note, "activity.note": activity}
    found = {name: {"longest": longest, "beyond": beyond} for name, (longest, beyond) in names.items()}

    assert parse_settings(TOKEN, {NOTES: found}).note_limit == limit


@given(st.dictionaries(st.sampled_from([LAGS, NOTES, "probe.activity_due_time_zone"]), st.none() | st.text()))
def test_what_has_another_form_changes_nothing(learned: dict[str, Any]) -> None:
    learned = {name: value for name, value in learned.items() if value not in ("utc", "user")}

    assert assumptions(learned) == assumptions({})


def test_an_account_that_was_probed_is_written_to_as_it_was_found(tmp_path: Path) -> None:
    site = Site(tmp_path, Switches(list_lag_s=3, due_time_zone="user", note_max=64_000))
    with closing(site.sandbox):
        site.probe("list_lag", "activity_due_time_zone", "note_lengths")

    place = {"base_url": f"sandbox:{tmp_path / 'other'}"}
    writer = open_writer(place, WriterContext(site.clock, open, 0, site.learned()))  # type: ignore[arg-type]

    assert writer.behaviours.objects["note"].lag_s == 12.0
    facts = _facts(writer)
    assert facts["activity_zone"] == "America/New_York"
    assert facts["note_limit"] == 58_500


def test_the_shipped_template_splits_notes_at_what_was_found() -> None:
    template = load_template(find_template("dental-to-pipedrive"))
    facts = {"currency": "USD", "time_zone": "UTC", "activity_zone": "UTC"}

    found = template.resolve({"profile": "full"}, {**facts, "note_limit": 58_500})
    told = template.resolve({"profile": "full", "note_limit": 70_000}, {**facts, "note_limit": 58_500})
    unknown = template.resolve({"profile": "full"}, facts)

    assert (found["note_limit"], told["note_limit"], unknown["note_limit"]) == (58_500, 70_000, 90_000)


def _facts(writer: Any) -> Any:
    import asyncio

    async def ask() -> Any:
        account = await writer.account()
        await writer.aclose()
        return account.facts

    return asyncio.run(ask())
