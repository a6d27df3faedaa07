"""What destinations on the web have in common, without any of them."""

from __future__ import annotations

import asyncio
import hashlib
import io
from typing import TYPE_CHECKING

import httpx
import pytest

from flitstack.errors import AuthError, Rejected, SettingsError
from flitstack.web.answers import Answer
from flitstack.web.documents import check_document
from flitstack.web.embedded import app_transport, state_file, token_for
from flitstack.web.settings import header_token, host_root
from flitstack.web.texts import visible_text

if TYPE_CHECKING:
    from pathlib import Path

BYTES = b"a letter"


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("https://acme.example", "https://acme.example"),
        ("https://acme.example:8443/", "https://acme.example:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_host_root_is_taken_as_it_is(given: str, root: str) -> None:
    assert host_root(given, "acme") == root


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("acme.example", "is no address"),
        ("ftp://acme.example", "is no address"),
        ("https://acme.example:port", "is no address"),
        ("https://acme.example/api", "more than a host root"),
        ("https://ann:secret@acme.example", "more than a host root"),
        ("http://acme.example", "would show the token"),
    ],
)
def test_what_is_no_host_root_is_refused_without_showing_it(given: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        host_root(given, "acme")

    assert str(caught.value).startswith("acme: ")
    assert "acme.example" not in str(caught.value)


def test_a_token_is_trimmed_and_one_that_no_header_takes_is_refused_without_showing_it() -> None:
    def token(text: object) -> str:
        return header_token(text, plugin="acme", called="API token", variable="ACME_TOKEN")

    assert [token(given) for given in (" abc\n", "", None)] == ["abc", "", ""]
    for given in ("two words", "na\u00efve", "a\x00b"):
        with pytest.raises(AuthError, match="ACME_TOKEN") as caught:
            token(given)
        assert given not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "found"), [(b'{"a": 1}', {"a": 1}), (b"", None), (b"<html>", None), (b"[1]", None)]
)
def test_an_answer_that_is_no_object_holds_none(content: bytes, found: object) -> None:
    assert Answer(200, {}, content).parsed() == found


def test_what_a_reader_sees_of_html_is_one_line() -> None:
    assert visible_text("<p>Caf\u0065\u0301 &amp;  tea</p>now<br>or <b>l</b>ater") == "Caf\u00e9 & tea now or later"
    assert visible_text("<p> </p>") is None


def test_a_document_is_what_its_record_states_or_rejected() -> None:
    held = {"letter.pdf": BYTES}
    sha256 = hashlib.sha256(BYTES).hexdigest()

    def code(**fields: str | int) -> str:
        try:
            return check_document(lambda path: io.BytesIO(held[path]), fields)
        except Rejected as exc:
            return f"{exc.code} {exc.field}"

    assert code(path="letter.pdf", size=8, sha256=sha256) == "letter.pdf"
    assert code(path="letter.pdf") == "letter.pdf"
    assert code(path="elsewhere.pdf") == "attachment_missing path"
    assert code(path="letter.pdf", size=9) == "attachment_differs size"
    assert code(path="letter.pdf", sha256="0" * 64) == "attachment_differs sha256"


def test_an_embedded_account_is_kept_in_a_file_or_in_a_folder_by_its_name(tmp_path: Path) -> None:
    assert state_file(str(tmp_path / "kept.db"), "acme.db") == tmp_path / "kept.db"
    assert state_file(str(tmp_path / "new" / "folder"), "acme.db") == tmp_path / "new" / "folder" / "acme.db"
    assert (tmp_path / "new" / "folder").is_dir()
    users = [{"token": "first"}, {"token": "second"}]
    assert [token_for(users, given) for given in ("second", "strange", "")] == ["second", "first", "first"]


@pytest.mark.parametrize(
    ("raised", "seen"), [(ConnectionRefusedError, httpx.ConnectError), (ConnectionResetError, httpx.ReadError)]
)
def test_in_this_process_a_broken_connection_is_what_a_network_would_show(
    raised: type[Exception], seen: type[Exception]
) -> None:
    async def breaking(scope: object, receive: object, send: object) -> None:
        raise raised

    async def get() -> None:
        async with httpx.AsyncClient(
            transport=app_transport(breaking, httpx), base_url="http://acme.example"
        ) as client:
            await client.get("/")

    with pytest.raises(seen):
        asyncio.run(get())
