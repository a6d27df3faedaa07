"""The page in a real headless browser: what a practice sees, and that nothing in the data can run or leave."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.browsing import browser, keep

from flitstack.clock import VirtualClock
from flitstack_pipedrive.sandbox import serve_in_thread
from flitstack_pipedrive.sandbox.app import Sandbox, Switches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browsing import Browser

__all__ = ["browser"]


@pytest.fixture
def practice() -> Iterator[Sandbox]:
    clock = VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    with Sandbox(past="practice", clock=clock, switches=Switches(burst=100_000)) as sandbox:
        yield sandbox


def show(browser: Browser, tab: str, kind: str) -> None:
    browser.click("#tabs button", tab)
    browser.wait_for(f"document.querySelector('#view').dataset.tab === '{kind}'")


def test_a_practice_sees_its_account(browser: Browser, practice: Sandbox) -> None:
    headers = {"x-api-token": practice.users[0]["token"]}
    with serve_in_thread(practice) as url, httpx.Client(base_url=url, headers=headers) as client:
        for _ in range(40):
            client.get("/api/v2/pipelines")
        browser.open(url)

        browser.wait_for("document.querySelectorAll('#view tbody tr').length === 50")
        browser.wait_for("document.querySelector('#count-person').textContent === ' 200'")
        assert browser.text("#total") == "1 to 50 of 200"
        assert browser.text("#tokens") == "59,800 of 60,000"
        assert browser.text("#rate") == "4"
        assert browser.text("#requests") == "40"
        keep(browser, "sandbox-persons")

        browser.click("#older")
        browser.wait_for("document.querySelector('#total').textContent === '51 to 100 of 200'")
        name = practice.dump()["deal"][0]["title"].removeprefix("Plan for ")
        browser.write("#search", name)
        browser.wait_for("document.querySelectorAll('#view tbody tr').length === 1")
        browser.click("td button.name", name)
        browser.wait_for("!document.querySelector('#detail').hidden")
        assert "Custom fields" in browser.text("#detail") or "Deals" in browser.text("#detail")
        assert f"Plan for {name}" in browser.text("#detail")
        keep(browser, "sandbox-person")

        show(browser, "Deals", "board")
        browser.run(
            "const choice = document.querySelector('#pipeline');"
            "choice.value = [...choice.options].find((one) => one.text === 'Treatment Plans').value;"
            "choice.dispatchEvent(new Event('change'));"
        )
        browser.wait_for("document.querySelectorAll('.stage').length === 4")
        stages = browser.run("return [...document.querySelectorAll('.stage h2')].map((one) => one.textContent)")
        assert stages == ["Consultation", "Proposed", "Accepted", "Completed"]
        assert browser.run("return document.querySelectorAll('.card').length") == 14
        keep(browser, "sandbox-board")

        for tab, kind, word in (
            ("Activities", "activity", "Confirm appointment"),
            ("Notes", "note", "Nervous, take time."),
            ("Files", "file", "consent.txt"),
            ("Fields", "field", "Date_Of_Birth__c"),
            ("Leads", "lead", "Asked about whitening"),
            ("Organizations", "organization", "Northgate Orthodontics"),
            ("Users", "users", "User, deactivated"),
        ):
            show(browser, tab, kind)
            assert word in browser.text("#view")
        assert browser.complaints() == []


def test_what_the_data_holds_never_runs_and_nothing_is_fetched_from_elsewhere(
    browser: Browser, practice: Sandbox
) -> None:
    nasty = "<img src=x onerror='window.ran = 1'><script>window.ran = 1</script>"
    headers = {"x-api-token": practice.users[0]["token"]}
    with serve_in_thread(practice) as url, httpx.Client(base_url=url, headers=headers) as client:
        person = client.post("/api/v2/persons", json={"name": nasty}).json()["data"]["id"]
        picture = "<p>See <img src='http://127.0.0.1:9/x.png' onerror='window.ran = 1'> this</p>"
        client.post("/api/v1/notes", json={"content": picture, "person_id": person})
        browser.open(url)
        browser.wait_for("document.querySelectorAll('#view tbody tr').length === 50")

        assert nasty in browser.text("#view")
        browser.click("td button.name", nasty)
        browser.wait_for("!document.querySelector('#detail').hidden")
        show(browser, "Notes", "note")

        assert "See  this" in browser.text("#view") or "See this" in browser.text("#view")
        assert browser.run("return window.ran === undefined")
        asked = browser.run("return performance.getEntriesByType('resource').map((one) => one.name)")
        assert asked
        assert [one for one in asked if not one.startswith(url)] == []
        assert browser.complaints() == []


def test_the_page_follows_what_happens(browser: Browser, practice: Sandbox) -> None:
    headers = {"x-api-token": practice.users[0]["token"]}
    with serve_in_thread(practice) as url, httpx.Client(base_url=url, headers=headers) as client:
        browser.open(url)
        browser.wait_for("document.querySelectorAll('#view tbody tr').length === 50")

        client.post("/api/v2/persons", json={"name": "Newly Arrived"})

        browser.wait_for("document.querySelector('#view tbody tr').textContent.includes('Newly Arrived')")
    browser.wait_for("document.querySelector('#trouble').textContent.includes('does not answer')")
