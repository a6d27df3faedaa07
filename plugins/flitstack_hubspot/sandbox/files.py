"""Files of the imitated account: uploaded into folders, private, replaced when asked to."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from flitstack_hubspot.sandbox.errors import invalid, missing
from flitstack_hubspot.sandbox.values import spelt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_hubspot.sandbox.account import Account

ACCESS = ("PUBLIC_INDEXABLE", "PUBLIC_NOT_INDEXABLE", "HIDDEN_INDEXABLE", "HIDDEN_NOT_INDEXABLE", "PRIVATE")
MOST = 100


class Files:
    """Files and folders of an account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._store = account.store

    def upload(self, form: Mapping[str, Any], name: str, content: bytes) -> dict[str, Any]:
        """Return the new file; one of the same name in the folder is replaced when the options say so.

        :raises ApiError: folder or options are missing.
        """
        options = _options(form)
        path = str(form.get("folderPath") or "")
        if not path.startswith("/"):
            raise invalid("Either folderId or folderPath is required", "REQUIRED_FIELD", "folderPath")
        folder = self._folder(path.rstrip("/"))
        stem, _, extension = str(form.get("fileName") or name).rpartition(".")
        stem, extension = (stem, extension) if stem else (extension, "")
        held = next(
            (one for one in self._in(folder["id"]) if (one["name"], one["extension"]) == (stem, extension)), None
        )
        if held is not None and not options.get("overwrite"):
            stem, held = f"{stem}-1", None
        id = held["id"] if held else self._store.next_id()
        whole = f"{stem}.{extension}" if extension else stem
        now = spelt(self._account.now())
        doc = {
            "id": id,
            "name": stem,
            "extension": extension,
            "parentFolderId": folder["id"],
            "access": options["access"],
        }
        doc |= {"path": f"{folder['path']}/{whole}", "size": len(content), "archived": False, "updatedAt": now}
        doc |= {"createdAt": held["createdAt"] if held else now, "content": base64.b64encode(content).decode()}
        return _shown(self._store.put("file", id, doc))

    def replace(self, id: str, form: Mapping[str, Any], content: bytes) -> dict[str, Any]:
        """Return a file with other bytes.

        :raises ApiError: there is none.
        """
        doc = self.one(id)
        _options(form)
        now = spelt(self._account.now())
        more = {"content": base64.b64encode(content).decode(), "size": len(content), "updatedAt": now}
        return _shown(self._store.put("file", id, doc | more))

    def rename(self, id: str, body: Any) -> dict[str, Any]:
        """Return a file under another name.

        :raises ApiError: there is none.
        """
        doc = self.one(id)
        if not isinstance(body, dict) or set(body) - {"name", "access", "parentFolderId", "parentFolderPath"}:
            raise invalid("Invalid input JSON", "INVALID_JSON")
        stem = str(body.get("name") or doc["name"])
        folder = str(body.get("parentFolderPath") or str(doc["path"]).rpartition("/")[0])
        doc = doc | {"parentFolderId": self._folder(folder)["id"]}
        path = f"{folder}/{stem}.{doc['extension']}" if doc["extension"] else f"{folder}/{stem}"
        return _shown(self._store.put("file", id, doc | {"name": stem, "path": path}))

    def delete(self, id: str) -> None:
        """Forget a file.

        :raises ApiError: there is none.
        """
        self.one(id)
        self._store.drop("file", id)

    def one(self, id: str) -> dict[str, Any]:
        """Return a file's document.

        :raises ApiError: there is none.
        """
        doc = self._store.get("file", id)
        if doc is None:
            raise missing()
        return doc

    def show(self, id: str) -> dict[str, Any]:
        """Return a file as answers show it."""
        return _shown(self.one(id))

    def bytes_of(self, id: str) -> bytes:
        """Return a file's bytes."""
        return base64.b64decode(self.one(id)["content"])

    def search(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of files, of a folder when one is named."""
        limit, after = int(query.get("limit", "20")), int(query.get("after", "0"))
        if not 1 <= limit <= MOST:
            raise invalid(f"limit must be at most {MOST}")
        folder = query.get("parentFolderIds")
        found = [
            doc
            for doc in self._store.all("file")
            if int(doc["id"]) > after and (folder is None or doc["parentFolderId"] == folder)
        ]
        body: dict[str, Any] = {"results": [_shown(doc) for doc in found[:limit]]}
        if len(found) > limit:
            body["paging"] = {"next": {"after": found[limit - 1]["id"]}}
        return body

    def folders(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the folders in a folder."""
        parent = query.get("parentFolderIds")
        return {"results": [doc for doc in self._store.all("folder") if parent in (None, doc["parentFolderId"])]}

    def folder(self, path: str) -> dict[str, Any]:
        """Return a folder by its path.

        :raises ApiError: there is none.
        """
        for doc in self._store.all("folder"):
            if doc["path"] == "/" + path.strip("/"):
                return doc
        raise missing()

    def _folder(self, path: str) -> dict[str, Any]:
        for doc in self._store.all("folder"):
            if doc["path"] == path:
                return doc
        id = self._store.next_id()
        above, _, name = path.rpartition("/")
        parent = self._folder(above)["id"] if above else None
        doc = {"id": id, "path": path, "name": name, "parentFolderId": parent, "archived": False}
        return self._store.put("folder", id, doc)

    def _in(self, folder: str) -> list[dict[str, Any]]:
        return [doc for doc in self._store.all("file") if doc["parentFolderId"] == folder]


def _options(form: Mapping[str, Any]) -> dict[str, Any]:
    try:
        options: dict[str, Any] = json.loads(str(form.get("options") or ""))
    except ValueError:
        raise invalid("options are required", "REQUIRED_FIELD", "options") from None
    if options.get("access") not in ACCESS:
        raise invalid("options.access is required", "REQUIRED_FIELD", "access")
    return options


def _shown(doc: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in doc.items() if name != "content"}
