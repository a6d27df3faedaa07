"""A list is read whole, page by page, whatever people do in the account meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipedrive.test_client import Server, answer, client_of

from flitstack.clock import VirtualClock
from flitstack.errors import Rejected, Unavailable
from flitstack_pipedrive.answers import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack_pipedrive.client import Client


def test_pages_of_version_2_follow_the_cursor_even_past_a_short_page(clock: VirtualClock) -> None:
    server = Server(
        answer({"success": True, "data": [{"id": 1}], "additional_data": {"next_cursor": "c1"}}),
        answer({"success": True, "data": [], "additional_data": {"next_cursor": "c2"}}),
        answer({"success": True, "data": [{"id": 2}], "additional_data": {"next_cursor": None}}),
    )

    found = pages(client_of(server, clock), Call(2, "GET", "/persons"))

    assert found == [1, 2]
    assert [request.url.params.get("cursor") for request in server.requests] == [None, "c1", "c2"]


@pytest.mark.parametrize("nested", [True, False], ids=["as notes do", "as leads do"])
def test_pages_of_version_1_follow_the_offset_and_take_null_for_empty(nested: bool, clock: VirtualClock) -> None:
    paging = {"more_items_in_collection": True, "start": 0, "limit": 2}
    server = Server(
        answer({"success": True, "data": [{"id": 1}, {"id": 2}], "additional_data": _paged(paging, nested)}),
        answer({"success": True, "data": None}),
    )

    found = pages(client_of(server, clock), Call(1, "GET", "/notes"), limit=2)

    assert found == [1, 2]
    assert [request.url.params.get("start") for request in server.requests] == [None, "1", None]


@pytest.mark.parametrize("nested", [True, False], ids=["as notes do", "as leads do"])
@pytest.mark.parametrize("stated", [3, 500], ids=["and says so", "and says nothing of it"])
def test_pages_of_version_1_lose_nothing_where_the_server_gives_fewer_than_asked_for(
    stated: int, nested: bool, clock: VirtualClock
) -> None:
    held = list(range(1, 9))

    def shorter(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("start", 0))
        paging = {"more_items_in_collection": start + 3 < len(held), "start": start, "limit": stated}
        data = [{"id": id} for id in held[start : start + 3]]
        return answer({"success": True, "data": data, "additional_data": _paged(paging, nested)})

    assert pages(client_of(shorter, clock), Call(1, "GET", "/leads")) == held


def test_an_empty_page_of_version_1_with_more_to_come_is_passed_over(clock: VirtualClock) -> None:
    more = {"more_items_in_collection": True, "start": 0, "limit": 500}
    server = Server(
        answer({"success": True, "data": None, "additional_data": more}),
        answer({"success": True, "data": [{"id": 7}], "additional_data": {"more_items_in_collection": False}}),
    )

    assert pages(client_of(server, clock), Call(1, "GET", "/leads")) == [7]


class Lists:
    """A list that people change between its pages; version 1 by offset, version 2 by id."""

    def __init__(self, size: int, page: int, changes: dict[int, Callable[[list[int]], None]]) -> None:
        self.held = list(range(1, size + 1))
        self._page, self._changes = page, changes
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.requests in self._changes:
            self._changes[self.requests](self.held)
        self.requests += 1
        query = request.url.params
        if "/v2/" in request.url.path:
            after = int(query.get("cursor", "0"))
            page = [id for id in self.held if id > after][: self._page]
            cursor = str(page[-1]) if page and page[-1] != self.held[-1] else None
            data = [{"id": id} for id in page]
            return answer({"success": True, "data": data, "additional_data": {"next_cursor": cursor}})
        start = int(query.get("start", 0))
        page = self.held[start : start + self._page]
        more = {"more_items_in_collection": start + self._page < len(self.held), "start": start, "limit": self._page}
        return answer({"success": True, "data": [{"id": id} for id in page], "additional_data": {"pagination": more}})


@given(
    size=st.integers(0, 30),
    page=st.integers(1, 9),
    deletions=st.dictionaries(st.integers(1, 9), st.integers(0, 29), max_size=4),
    version=st.sampled_from([1, 2]),
)
def test_what_stays_in_a_list_is_read_once_whoever_deletes_from_it_meanwhile(
    size: int, page: int, deletions: dict[int, int], version: Any
) -> None:
    def deletion(place: int) -> Callable[[list[int]], None]:
        def delete(held: list[int]) -> None:
            if held:
                del held[place % len(held)]

        return delete

    lists = Lists(size, page, {request: deletion(place) for request, place in deletions.items()})
    clock = VirtualClock(datetime(2026, 3, 2, tzinfo=UTC))

    found = pages(client_of(lists, clock), Call(version, "GET", "/persons" if version == 2 else "/notes"), limit=page)

    assert len(found) == len(set(found))
    if page > 1 or version == 2:
        assert set(lists.held) <= set(found)


def test_a_cursor_that_is_refused_begins_the_list_again(clock: VirtualClock) -> None:
    refused = httpx.Response(400, json={"success": False, "error": "cursor: invalid"})
    first = answer({"success": True, "data": [{"id": 1}], "additional_data": {"next_cursor": "old"}})
    last = answer({"success": True, "data": [{"id": 1}, {"id": 2}], "additional_data": None})
    server = Server(first, refused, last)

    assert pages(client_of(server, clock), Call(2, "GET", "/persons")) == [1, 2]
    assert [request.url.params.get("cursor") for request in server.requests] == [None, "old", None]


def test_a_cursor_that_is_always_refused_ends_the_list(clock: VirtualClock) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        if "cursor" in request.url.params:
            return httpx.Response(400, json={"success": False, "error": "cursor: invalid"})
        return answer({"success": True, "data": [{"id": 1}], "additional_data": {"next_cursor": "old"}})

    with pytest.raises(Unavailable):
        pages(client_of(serve, clock), Call(2, "GET", "/persons"))


def test_a_list_that_is_refused_without_a_cursor_is_refused(clock: VirtualClock) -> None:
    with pytest.raises(Rejected):
        pages(client_of(Server(httpx.Response(400, json={})), clock), Call(2, "GET", "/persons"))


def test_a_cursor_that_leads_back_to_itself_ends_the_list(clock: VirtualClock) -> None:
    server = Server(answer({"success": True, "data": [{"id": 1}], "additional_data": {"next_cursor": "same"}}))

    with pytest.raises(Unavailable):
        pages(client_of(server, clock), Call(2, "GET", "/persons"))


def test_an_empty_page_with_the_cursor_that_led_to_it_is_passed_over(clock: VirtualClock) -> None:
    server = Server(
        answer({"success": True, "data": [{"id": 1}], "additional_data": {"next_cursor": "c"}}),
        answer({"success": True, "data": [], "additional_data": {"next_cursor": "c"}}),
        answer({"success": True, "data": [{"id": 2}], "additional_data": None}),
    )

    assert pages(client_of(server, clock), Call(2, "GET", "/persons")) == [1, 2]


def pages(client: Client, call: Call, limit: int = 500) -> list[int]:
    async def collect() -> list[int]:
        return [record["id"] async for record in client.pages(call, limit)]

    return asyncio.run(collect())


def _paged(paging: dict[str, Any], nested: bool) -> dict[str, Any]:
    return {"pagination": paging} if nested else paging
