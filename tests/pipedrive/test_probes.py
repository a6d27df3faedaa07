"""Every question tells accounts apart that differ in it, and leaves each as it was."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.pipedrive.probing import Site

from flitstack_pipedrive.costs import cost_of
from flitstack_pipedrive.probes.catalogue import QUESTIONS, probes
from flitstack_pipedrive.sandbox.app import FaultRule, Step, Switches
from flitstack_pipedrive.sandbox.faults import Fault

KEPT = {"deal": "kept", "activity": "kept", "note": "kept"}
GONE = {"deal": "deleted", "activity": "deleted", "note": "deleted"}
WHOLE = {"longest": 4096, "beyond": None}
SHORT = {"longest": 255, "beyond": "refused"}
NAMES = ("person.name", "organization.name", "deal.title", "activity.subject")
NOTES = ("note.content", "activity.note")
NOTHING_CLEARED = {"empty": "refused", "null": "refused"}
CLEARED = {"empty": "cleared", "null": "cleared"}
OWN = ("deal.expected_close_date", "activity.due_date", "activity.note")
ALL = ["p", "div", "b", "i", "u", "s", "strong", "em", "ul", "ol", "h1", "blockquote", "pre", "code", "table", "a"]
MADE = ("person", "organization", "deal", "activity", "note", "field")
CASES: dict[str, list[tuple[Switches, Any]]] = {
    "deal_add_time": [
        (Switches(deal_add_time="refuse"), "refused"),
        (Switches(deal_add_time="drop"), "dropped"),
        (Switches(deal_add_time="store"), "stored"),
    ],
    "activity_times": [
        (Switches(), {"add_time": "refused", "marked_as_done_time": "refused"}),
        (Switches(activity_times="drop"), {"add_time": "dropped", "marked_as_done_time": "dropped"}),
        (Switches(activity_times="store"), {"add_time": "stored", "marked_as_done_time": "stored"}),
    ],
    "activity_due_time_zone": [(Switches(), "utc"), (Switches(due_time_zone="user"), "user")],
    "list_lag": [
        (Switches(), {"person": 0.0, "activity": 0.0, "note": 0.0}),
        (Switches(list_lag_s=3), {"person": 4.0, "activity": 4.0, "note": 4.0}),
        (Switches(list_lag_s=90), {"person": None, "activity": None, "note": None}),
    ],
    "search_lag": [
        (Switches(), {"seconds": 0.0}),
        (Switches(search_lag_s=10), {"seconds": 16.0}),
        (Switches(search_lag_s=90), {"seconds": None}),
    ],
    "errors_cost_tokens": [
        (Switches(), None),
        (Switches(daily_token_headers=True), False),
        (Switches(daily_token_headers=True, errors_cost_tokens=True), True),
    ],
    "page_limit": [(Switches(), "refused"), (Switches(over_limit="cap"), "accepted")],
    "deleting_a_person": [(Switches(), KEPT), (Switches(deletes_below=True), GONE)],
    "deleting_an_organization": [
        (Switches(), {"person": "kept", **KEPT}),
        (Switches(deletes_below=True), {"person": "kept", **GONE}),
    ],
    "undeleting_a_deal": [
        (Switches(), "refused"),
        (Switches(undelete_deal="ignore"), "ignored"),
        (Switches(undelete_deal="restore"), "restored"),
    ],
    "name_lengths": [
        (Switches(), dict.fromkeys(NAMES, SHORT)),
        (Switches(name_max=10_000), dict.fromkeys(NAMES, WHOLE)),
    ],
    "note_lengths": [
        (Switches(), {key: {"longest": 99000, "beyond": None} for key in NOTES}),
        (Switches(note_max=64_000), {key: {"longest": 60000, "beyond": "refused"} for key in NOTES}),
        (Switches(note_max=5_000), {key: {"longest": None, "beyond": "refused"} for key in NOTES}),
    ],
    "note_html": [
        (Switches(), {"kept": [*ALL, "br"], "marker": True}),
        (Switches(note_tags="inline"), {"kept": ["b", "i", "u", "s", "strong", "em", "a", "br"], "marker": True}),
    ],
    "empty_phones": [
        (Switches(), {"create": "accepted", "update": "cleared"}),
        (Switches(empty_lists="refuse"), {"create": "refused", "update": "refused"}),
    ],
    "empty_natives": [
        (Switches(), dict.fromkeys(OWN[:2], NOTHING_CLEARED) | {OWN[2]: {"empty": "cleared", "null": "refused"}}),
        (Switches(empty_natives="take"), dict.fromkeys(OWN, CLEARED)),
    ],
    "contact_fields": [(Switches(), "refused"), (Switches(contact_sync=True), "stored")],
    "repeated_options": [
        (Switches(), "refused"),
        (Switches(repeated_options="merge"), "merged"),
        (Switches(repeated_options="keep"), "kept"),
    ],
    "repeated_names": [(Switches(), "kept"), (Switches(repeated_names="refuse"), "refused")],
    "required_fields": [(Switches(), "ignored"), (Switches(required_fields=True), "enforced")],
}
SEEN = {"limit_headers", "burst_429"}  # their answers are numbers and names of headers, tested one by one


def test_every_question_is_tested_on_accounts_that_differ() -> None:
    assert set(CASES) | SEEN == set(QUESTIONS)
    assert all(len(cases) > 1 for cases in CASES.values())


def test_every_question_is_documented_with_its_price() -> None:
    page = (Path(__file__).parents[2] / "docs" / "probe.md").read_text(encoding="utf-8")

    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert set(rows) == set(QUESTIONS)
    for name, row in rows.items():
        assert f"| {QUESTIONS[name].probe.cost} |" in row


@pytest.mark.parametrize(
    ("name", "switches", "value"), [(name, *case) for name, cases in CASES.items() for case in cases]
)
def test_a_question_tells_accounts_apart_and_leaves_them_as_they_were(
    tmp_path: Path, name: str, switches: Switches, value: Any
) -> None:
    site = Site(tmp_path, switches)
    with closing(site.sandbox):
        before = site.sandbox.canonical()

        assert site.answer(name) == value

        assert site.sandbox.canonical() == before
        answers = {key: found for key, found in site.learned().items() if key.startswith("probe.")}
        assert answers == ({} if value is None else {f"probe.{name}": value})


def test_headers_of_limits_are_told_as_they_are(tmp_path: Path) -> None:
    bare = Site(tmp_path, Switches(burst=33))
    full = Site(tmp_path / "b", Switches(burst=44, daily_token_headers=True, daily_writes_cap=500))
    (tmp_path / "b").mkdir()
    with closing(bare.sandbox), closing(full.sandbox):
        plain, rich = bare.answer("limit_headers"), full.answer("limit_headers")

    assert set(plain) == {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
    assert (plain["x-ratelimit-limit"], rich["x-ratelimit-limit"]) == (33, 44)
    assert rich["x-daily-ratelimit-token-limit"] == 210_000
    assert rich["x-daily-requests-left"] == 499


@pytest.mark.parametrize(("tokens", "count"), [(False, 3), (True, 5)])
def test_a_full_window_is_provoked_once_and_only_on_request(tmp_path: Path, tokens: bool, count: int) -> None:
    site = Site(tmp_path, Switches(burst=30, daily_token_headers=tokens, abuse_after=2))
    with closing(site.sandbox):
        found = site.answer("burst_429")

    assert found["keys"] == ["error", "errorCode", "error_info", "success"]
    assert len(found["headers"]) == count


def test_all_questions_together_cost_no_more_than_was_said_and_leave_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path, Switches(list_lag_s=2, search_lag_s=20), {"past": "practice"})
    with closing(site.sandbox):
        before = site.sandbox.canonical()

        report = site.probe(*QUESTIONS)

        assert site.sandbox.canonical() == before
    assert [probe.name for probe, _ in report.answers] == list(QUESTIONS)
    assert [probe.name for probe, answer in report.answers if answer.value is None] == ["errors_cost_tokens"]
    assert report.tokens <= sum(probe.cost for probe in probes())
    assert report.exit_code == 0


@pytest.mark.parametrize("switches", [Switches(), Switches(list_lag_s=90, search_lag_s=90, name_max=9999)])
def test_a_question_makes_and_costs_no_more_than_it_says(tmp_path: Path, switches: Switches) -> None:
    site = Site(tmp_path, switches)
    with closing(site.sandbox):
        for name, question in QUESTIONS.items():
            store = site.sandbox.account.store
            made, tokens = {table: store.count(table, []) for table in MADE}, site.sandbox.tokens_used

            site.answer(name)

            spent = site.sandbox.tokens_used - tokens - cost_of(1, "GET", "/users/me")
            assert (name, spent) <= (name, question.probe.cost)
            new = {table: store.count(table, []) - number for table, number in made.items()}
            assert (name, {table for table in MADE if new[table] > question.probe.creates.get(table, 0)}) == (
                name,
                set(),
            )
            site.clock.advance(60)


def test_an_account_without_room_for_a_field_is_asked_nothing_about_fields(tmp_path: Path) -> None:
    site = Site(tmp_path, Switches(), {"plan": "lite"})
    with closing(site.sandbox):
        token = site.sandbox.users[0]["token"]
        _fill_fields(site, token)

        report = site.probe("repeated_options", "repeated_names")

    assert [answer.value for _, answer in report.answers] == ["refused", None]
    assert "no room" in report.answers[1][1].words


def _fill_fields(site: Site, token: str) -> None:
    async def fill() -> None:
        transport = httpx.ASGITransport(site.sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for number in range(30):
                body = {"field_name": f"Own {number}", "field_type": "varchar"}
                await client.post("/api/v2/personFields", json=body, headers={"x-api-token": token})
                site.clock.advance(1)

    asyncio.run(fill())


def test_what_a_person_does_meanwhile_stays(tmp_path: Path) -> None:
    steps = [
        Step("add", "person", after_requests=8, item={"name": "flit probe of our own"}),
        Step("edit", "deal", after_requests=9, find="newest", item={"title": "Ours now"}),
    ]
    site = Site(tmp_path, Switches(), {"human": steps})
    with closing(site.sandbox):
        report = site.probe("deleting_a_person")

        state = site.sandbox.dump()
    assert [doc["name"] for doc in state["person"]] == ["flit probe of our own"]
    assert [doc["title"] for doc in state["deal"]] == ["Ours now"]
    assert (state["activity"], state["note"]) == ([], [])
    assert len(report.left) == 1
    assert "deal" in report.left[0]
    assert report.exit_code == 1


@pytest.mark.parametrize("fault", ["drop_after", "status_after:500", "drop_before", "truncated", "not_json"])
def test_a_creation_whose_answer_is_lost_is_found_and_removed(tmp_path: Path, fault: str) -> None:
    site = Site(tmp_path, Switches(list_lag_s=3))
    with closing(site.sandbox):
        kind, _, amount = fault.partition(":")
        struck = Fault(kind, float(amount)) if amount else Fault(kind)
        site.sandbox.set_faults([FaultRule(struck, "POST", "/api/v2/deals", nth=1)])
        before = site.sandbox.canonical()

        report = site.probe("deal_add_time", "deleting_a_person")

        assert site.sandbox.canonical() == before
    assert report.answers[0][1].value is None
    assert report.answers[1][1].value == KEPT
    assert not report.left


def test_what_cannot_be_deleted_is_listed_and_removed_by_the_next_probe(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with closing(site.sandbox):
        before = site.sandbox.canonical()
        site.sandbox.set_faults([FaultRule(Fault("status", 403), "DELETE", "/api/v2/deals/*")])
        report = site.probe("deal_add_time", "undeleting_a_deal")
        assert report.exit_code == 1
        assert all(one.startswith('deal "flit probe ') for one in report.left)
        site.sandbox.set_faults([])

        again = site.probe("page_limit")

        assert site.sandbox.canonical() == before
    assert again.exit_code == 0
    assert not again.left
