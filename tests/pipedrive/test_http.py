"""The same over real sockets: connections that break are told apart by what may have been written."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.clock import SystemClock
from flitstack.errors import InDoubt, NotSent, Unavailable
from flitstack.protocols import Operation, WriterContext
from flitstack_pipedrive.answers import Call
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.opening import open_writer
from flitstack_pipedrive.sandbox.app import FaultRule, Sandbox
from flitstack_pipedrive.sandbox.faults import Fault
from flitstack_pipedrive.sandbox.serving import serve_in_thread
from flitstack_pipedrive.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from flitstack.protocols import JSON
    from flitstack_pipedrive.destination import PipedriveWriter

DOCUMENT = b"%PDF-1.4 invented" * 4_096
FIELD = Operation(1, "create", "field", "k", "", {"name": "Source_System_ID__c", "of": "person"}, {})
PERSON = Operation(2, "create", "person", "practice:patients:1", "", {"name": "Ann Example"}, {})


def writer_at(url: str, token: str, folder: Path, **given: Any) -> PipedriveWriter:
    def open_attachment(path: str) -> Any:
        return (folder / path).open("rb")

    settings = {"base_url": url, "api_token": token, "plan": "ultimate", "seats": 1, "attempts": 1, **given}
    return open_writer(settings, WriterContext(SystemClock(), open_attachment))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Sequence[FaultRule]], tuple[PipedriveWriter, Sandbox]]]:
    """Return what serves an account with faults, and gives a writer on it."""
    opened: list[Any] = []

    def start(faults: Sequence[FaultRule] = ()) -> tuple[PipedriveWriter, Sandbox]:
        sandbox = Sandbox(str(tmp_path / "account.db"), plan="ultimate", faults=faults)
        server = serve_in_thread(sandbox)
        url = server.__enter__()
        opened.append((server, sandbox))
        return writer_at(url, str(sandbox.users[0]["token"]), tmp_path), sandbox

    yield start
    for server, sandbox in opened:
        server.__exit__(None, None, None)
        sandbox.close()


async def outcomes(writer: PipedriveWriter, *operations: Operation) -> list[Exception | None]:
    """Carry out the operations, close the writer, and return their errors."""
    try:
        return [(await writer.apply([operation]))[0].error for operation in operations]
    finally:
        await writer.aclose()


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status_after"])
def test_a_write_whose_answer_is_lost_is_in_doubt_whether_it_was_kept_or_not(
    kind: str, serve: Callable[..., tuple[PipedriveWriter, Sandbox]]
) -> None:
    writer, sandbox = serve([FaultRule(Fault(kind, 503), "POST", "/api/v2/persons")])

    errors = asyncio.run(outcomes(writer, FIELD, PERSON))

    assert errors[0] is None
    assert isinstance(errors[1], InDoubt)
    assert len(sandbox.dump()["person"]) == (kind != "drop_before")


def test_a_document_goes_over_the_wire_byte_for_byte(
    serve: Callable[..., tuple[PipedriveWriter, Sandbox]], tmp_path: Path
) -> None:
    (tmp_path / "scan.pdf").write_bytes(DOCUMENT)
    writer, _ = serve()
    fields: dict[str, JSON] = {"name": "Aufnahme Zahn 11.pdf", "path": "scan.pdf", "size": len(DOCUMENT)}

    async def upload() -> tuple[Any, Any]:
        await writer.apply([FIELD])
        (person,) = await writer.apply([PERSON])
        links = {"person_id": str(person.destination_id)}
        (outcome,) = await writer.apply([Operation(3, "create", "file", "p:d:1", "", fields, links)])
        (stored,) = [one async for one in writer.list("file")]
        await writer.aclose()
        return outcome, stored

    outcome, stored = asyncio.run(upload())

    assert outcome.error is None
    assert (stored.fields["name"], stored.fields["size"]) == (fields["name"], len(DOCUMENT))


@pytest.mark.parametrize(
    ("call", "error"),
    [(Call(1, "GET", "/users/me"), Unavailable), (Call(2, "POST", "/persons", body={"name": "x"}), NotSent)],
    ids=["read", "write"],
)
def test_a_server_that_is_down_took_nothing_and_is_named(call: Call, error: type[Exception]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    client = Client(parse_settings({"base_url": url, "api_token": "token", "attempts": 2}), SystemClock())

    with pytest.raises(error, match=r"127\.0\.0\.1.*PIPEDRIVE_BASE_URL") as caught:
        asyncio.run(client.send(call))

    assert type(caught.value) is error


def test_a_server_that_is_no_pipedrive_is_said_to_be_none(tmp_path: Path) -> None:
    async def ask() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<html></html>")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        destination = writer_at(f"http://127.0.0.1:{port}", "token", tmp_path)
        try:
            await destination.account()
        finally:
            await destination.aclose()
            server.close()

    with pytest.raises(Unavailable, match="PIPEDRIVE_BASE_URL"):
        asyncio.run(ask())


def test_an_answer_cut_short_leaves_a_write_in_doubt(tmp_path: Path) -> None:
    async def ask() -> Exception | None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            body = b'{"success": true, "data": []}'
            if b"users/me" in head:
                body = b'{"success": true, "data": {"id": 1, "company_id": 1}}'
            length = len(body) + (100 if head.startswith(b"POST") else 0)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % length + body)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        (error,) = await outcomes(writer_at(f"http://127.0.0.1:{port}", "token", tmp_path), FIELD)
        server.close()
        return error

    assert isinstance(asyncio.run(ask()), InDoubt)
