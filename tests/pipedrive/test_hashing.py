"""A document's bytes are read back by their checksum, from wherever Pipedrive says that they are."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from flitstack.errors import Rejected, Unavailable
from flitstack.protocols import FileHashing
from flitstack_pipedrive.behaviours import DOWNLOAD, behaviours
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.downloads import sha256_of
from flitstack_pipedrive.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from flitstack.clock import VirtualClock
    from flitstack_pipedrive.destination import PipedriveWriter

    Use = Callable[[PipedriveWriter, Callable[[Any], Coroutine[Any, Any, None]]], None]

BYTES = b"%PDF-1.4 invented"
TOKEN = "canary-token-0123456789"


def hashed(server: Callable[[httpx.Request], httpx.Response], clock: VirtualClock) -> str:
    settings = parse_settings({"api_token": TOKEN, "base_url": "https://practice.example"})
    return asyncio.run(sha256_of(Client(settings, clock, httpx.MockTransport(server)), DOWNLOAD, "7"))


def test_the_bytes_of_an_uploaded_document_are_hashed(writer: PipedriveWriter, use: Use) -> None:
    async def scenario(account: Any) -> None:
        document: dict[str, Any] = {"name": "one.pdf", "path": "documents/one.pdf"}
        file = await account.apply("create", "file", document, links={"person_id": account.ids["person"]})
        before = writer.spent().tokens

        found = await writer.file_sha256(file)

        assert isinstance(writer, FileHashing)
        assert found == hashlib.sha256(BYTES).hexdigest()
        assert writer.spent().tokens - before == behaviours().objects["file"].cost["hash"] == 20
        with pytest.raises(Rejected):
            await writer.file_sha256("999")

    use(writer, scenario)


def test_bytes_that_are_kept_elsewhere_are_fetched_there_without_the_token(clock: VirtualClock) -> None:
    asked: list[httpx.Request] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.host == "practice.example":
            return httpx.Response(302, headers={"location": "https://bytes.example/one?signed=yes"})
        return httpx.Response(200, content=BYTES)

    assert hashed(server, clock) == hashlib.sha256(BYTES).hexdigest()
    assert [str(request.url.host) for request in asked] == ["practice.example", "bytes.example"]
    assert TOKEN not in str(asked[1].headers)


def test_a_server_elsewhere_that_refuses_is_no_fault_of_the_token(clock: VirtualClock) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        if request.url.host == "practice.example":
            return httpx.Response(302, headers={"location": "https://bytes.example/one"})
        return httpx.Response(403)

    with pytest.raises(Unavailable, match="leads to a server"):
        hashed(server, clock)


def test_a_download_is_tried_again_when_the_server_fails(clock: VirtualClock) -> None:
    answers = iter([httpx.Response(503), httpx.Response(200, content=b"")])

    assert hashed(lambda request: next(answers), clock) == hashlib.sha256(b"").hexdigest()
