"""Documents: each is kept in a private folder of its own, named by its source key, and in it one named by its contact.

A second upload of the same document therefore replaces the first, and both names are found again by the path.
Source: HubSpot developer documentation, "Files": upload, replace, search, folders, signed URLs.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from flitstack.errors import Rejected
from flitstack.protocols import Stored, full_key
from flitstack.web.documents import check_document
from flitstack_hubspot.answers import NOT_FOUND, Call
from flitstack_hubspot.behaviours import FILE, FILE_KEY
from flitstack_hubspot.codec import read_time
from flitstack_hubspot.objects import BATCH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from typing import BinaryIO

    from flitstack.protocols import Operation
    from flitstack_hubspot.client import Client

ROOT = "flitstack"
PARENT = "contact"
FILES, FOLDERS = "/files/v3/files", "/files/v3/folders"
# Private: seen by users of the account alone; overwritten: a second upload of a key cannot make a second file.
OPTIONS = {"access": "PRIVATE", "overwrite": True}
_UNSAFE = re.compile(r"[^A-Za-z0-9_.@]")
_ESCAPED = re.compile(r"~([0-9a-f]+)~")


def folder_of(key: str) -> str:
    """Return the folder that a source key stands for: what a folder's name may not hold is spelt by its number."""
    return "/" + ROOT + "/" + _UNSAFE.sub(lambda found: f"~{ord(found.group()):x}~", key)


def key_of(path: str) -> str | None:
    """Return the source key of a file by its path, None when it is not in a folder of ours."""
    parts = path.strip("/").split("/")
    if len(parts) < 4 or parts[0] != ROOT:
        return None
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), parts[1])


def contact_of(path: str) -> str | None:
    """Return the contact of a file by its path, None when it is not in a folder of ours."""
    parts = path.strip("/").split("/")
    return parts[2] if len(parts) >= 4 and parts[0] == ROOT else None


class Files:
    """The documents of one account."""

    def __init__(self, client: Client, open_attachment: Callable[[str], BinaryIO]) -> None:
        self._client = client
        self._open = open_attachment

    async def apply(self, operation: Operation) -> str:
        """Carry out one operation and return the file's id.

        :raises FlitError: as the client says; Rejected when the bytes are missing or others.
        """
        if operation.verb == "create":
            return await self._upload(operation)
        id = str(operation.destination_id)
        if operation.verb == "delete":
            await self._client.send(Call("DELETE", f"{FILES}/{id}", words_of=f"{FILES}/{{id}}"))
            return id
        if operation.links.get(PARENT):
            body: dict[str, Any] = {"parentFolderPath": _folder(operation)}
            await self._client.send(Call("PATCH", f"{FILES}/{id}", body=body, words_of=f"{FILES}/{{id}}"))
        if {"path", "size", "sha256"} & set(operation.fields):
            name = self._measured(operation)
            upload = (name, lambda: self._open(str(operation.fields["path"])))
            form = {"options": json.dumps({"access": OPTIONS["access"]})}
            await self._client.send(Call("PUT", f"{FILES}/{id}", form=form, upload=upload, words_of=f"{FILES}/{{id}}"))
        elif operation.fields.get("name"):
            body = {"name": str(operation.fields["name"]).rpartition(".")[0] or str(operation.fields["name"])}
            await self._client.send(Call("PATCH", f"{FILES}/{id}", body=body, words_of=f"{FILES}/{{id}}"))
        return id

    async def _upload(self, operation: Operation) -> str:
        if not operation.links.get(PARENT):
            raise Rejected("parent_missing", "A file must hang on a contact.", "Link it in the mapping.", PARENT)
        name = self._measured(operation)
        form = {
            "folderPath": _folder(operation),
            "fileName": name,
            "options": json.dumps(OPTIONS),
        }
        upload = (name, lambda: self._open(str(operation.fields["path"])))
        raw = await self._client.send(Call("POST", FILES, form=form, upload=upload))
        return str(raw["id"])

    def _measured(self, operation: Operation) -> str:
        """Return the name under which a document is kept, once its bytes were seen to be what the record states.

        :raises Rejected: the bytes are missing or others.
        """
        path = check_document(self._open, operation.fields)
        return str(operation.fields.get("name") or path.rpartition("/")[2])

    async def get_many(self, ids: Sequence[str]) -> list[Stored]:
        """Return those of the files that exist."""
        found: list[Stored] = []
        for id in dict.fromkeys(ids):
            raw = await self._client.find(Call("GET", f"{FILES}/{id}", words_of=f"{FILES}/{{id}}"))
            if raw and not raw.get("archived"):
                found.append(_stored(raw))
        return found

    async def find(self, keys: Sequence[str]) -> list[Stored]:
        """Return the files in the folders of these keys."""
        found: list[Stored] = []
        for key in keys:
            folder = await self._client.find(
                Call("GET", f"{FOLDERS}{folder_of(key)}", words_of=f"{FOLDERS}/{{folderPath}}")
            )
            if not folder:
                continue
            for inner in await self._within(f"{FOLDERS}/search", folder):
                found += [_stored(raw) for raw in await self._within(f"{FILES}/search", inner)]
        return found

    async def _within(self, path: str, folder: Mapping[str, Any]) -> list[dict[str, Any]]:
        page = await self._client.send(Call("GET", path, {"parentFolderIds": str(folder["id"]), "limit": str(BATCH)}))
        return [raw for raw in page.get("results") or () if not raw.get("archived")]

    async def all(self) -> AsyncIterator[Stored]:
        """Yield the account's files, each once."""
        async for page in self._client.pages(f"{FILES}/search", {"limit": str(BATCH)}):
            for raw in page:
                if not raw.get("archived"):
                    yield _stored(raw)

    async def sha256(self, id: str) -> str:
        """Return the SHA-256 (hexadecimal) of a file's bytes.

        :raises Rejected: the account has no such file.
        """
        call = Call("GET", f"{FILES}/{id}/signed-url", words_of=f"{FILES}/{{id}}/signed-url")
        address = str((await self._client.send(call))["url"])
        answer = await self._client.elsewhere(address)
        if answer.status != 200:
            raise Rejected(NOT_FOUND, "The document's bytes are not there.", "Plan again.")
        return hashlib.sha256(answer.content).hexdigest()


def _stored(raw: Mapping[str, Any]) -> Stored:
    extension = str(raw.get("extension") or "")
    name = str(raw.get("name") or "") + (f".{extension}" if extension else "")
    key = key_of(str(raw.get("path") or ""))
    fields = {"name": name, "size": raw.get("size"), FILE_KEY: key}
    contact = contact_of(str(raw.get("path") or ""))
    links = {} if contact is None else {PARENT: contact}
    return Stored(
        FILE, str(raw["id"]), key, fields, links, read_time(raw.get("createdAt")), read_time(raw.get("updatedAt"))
    )


def _folder(operation: Operation) -> str:
    return f"{folder_of(full_key(operation.key, operation.part))}/{operation.links[PARENT]}"
