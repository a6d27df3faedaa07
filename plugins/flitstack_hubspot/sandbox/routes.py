"""Which request does what in the imitated account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from flitstack_hubspot.sandbox.associations import Associations
from flitstack_hubspot.sandbox.definitions import Definitions
from flitstack_hubspot.sandbox.errors import ApiError, invalid, missing
from flitstack_hubspot.sandbox.files import Files
from flitstack_hubspot.sandbox.records import Records
from flitstack_hubspot.sandbox.types import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_hubspot.sandbox.account import Account
    from flitstack_hubspot.sandbox.limits import Limits

Reply = tuple[int, Any]


class Api:
    """The API of one account."""

    def __init__(self, account: Account, limits: Limits) -> None:
        self._store = account.store
        self._limits = limits
        self.associations = Associations(account)
        self.records = Records(account, self.associations)
        self.definitions = Definitions(account)
        self.files = Files(account)

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any,
        form: Mapping[str, Any],
        upload: tuple[str, bytes] | None,
        base: str,
    ) -> Reply:
        """Return status and JSON of the answer, None for no content.

        :param base: address under which bytes of files are found.
        :raises ApiError: the request is refused.
        """
        match path.strip("/").split("/"):
            case ["crm", "v3", "objects", object, *rest]:
                return self._objects(method, _object(object), rest, query, body)
            case ["crm", "v4", "associations", from_, to, *rest]:
                return self._associations(method, from_, to, rest, body)
            case ["crm", "v3", "properties", object, *rest]:
                return self._properties(method, _object(object), rest, body)
            case ["crm", "v3", "pipelines", "deals", *rest]:
                return self._pipelines(method, rest, query, body)
            case ["crm", "v3", "limits", what] if method == "GET":
                return 200, self.definitions.limits(what)
            case ["files", "v3", "files", *rest]:
                return self._files(method, rest, query, body, form, upload, base)
            case ["files", "v3", "folders", "search"] if method == "GET":
                return 200, self.files.folders(query)
            case ["files", "v3", "folders", *rest] if method == "GET":
                return 200, self.files.folder(unquote("/".join(rest)))
        return self._account(method, path.strip("/"), query, body)

    def _objects(self, method: str, object: str, rest: list[str], query: Mapping[str, str], body: Any) -> Reply:
        match method, rest:
            case "GET", []:
                return 200, self.records.page(object, query)
            case "POST", ["batch", what]:
                return self.records.batch(object, what, body, query)
            case "PATCH", [id]:
                return 200, self.records.edit(object, id, body["properties"])
            case "DELETE", [id]:
                self.records.archive(object, id)
                return 204, None
        raise missing()

    def _associations(self, method: str, from_: str, to: str, rest: list[str], body: Any) -> Reply:
        match method, rest:
            case "POST", ["batch", *what]:
                return self.associations.batch(from_, to, "/".join(what), body)
            case "GET", ["labels"]:
                return 200, self.associations.labels(from_, to)
            case "POST", ["labels"]:
                return 200, self.associations.create_label(from_, to, body)
            case "DELETE", ["labels", id]:
                self.associations.drop_label(from_, to, id)
                return 204, None
        raise missing()

    def _properties(self, method: str, object: str, rest: list[str], body: Any) -> Reply:
        match method, rest:
            case "GET", []:
                return 200, self.definitions.list(object, "property")
            case "GET", ["groups"]:
                return 200, self.definitions.list(object, "group")
            case "POST", []:
                return 201, self.definitions.create(object, body)
            case "POST", ["groups"]:
                return 201, self.definitions.create_group(object, body)
            case "PATCH", [name]:
                return 200, self.definitions.change(object, name, body)
            case "DELETE", ["groups", name]:
                self.definitions.archive(object, name, "group")
                return 204, None
            case "DELETE", [name]:
                self.definitions.archive(object, name, "property")
                return 204, None
        raise missing()

    def _pipelines(self, method: str, rest: list[str], query: Mapping[str, str], body: Any) -> Reply:
        match method, rest:
            case "GET", []:
                return 200, self.definitions.pipelines()
            case "POST", []:
                return 201, self.definitions.create_pipeline(body)
            case "POST", [pipeline, "stages"]:
                return 201, self.definitions.create_stage(pipeline, body)
            case "DELETE", [pipeline]:
                self.definitions.archive_pipeline(pipeline, None, query)
                return 204, None
            case "DELETE", [pipeline, "stages", stage]:
                self.definitions.archive_pipeline(pipeline, stage, query)
                return 204, None
        raise missing()

    def _files(
        self,
        method: str,
        rest: list[str],
        query: Mapping[str, str],
        body: Any,
        form: Mapping[str, Any],
        upload: tuple[str, bytes] | None,
        base: str,
    ) -> Reply:
        match method, rest:
            case "POST", [] if upload is not None:
                return 201, self.files.upload(form, *upload)
            case "PUT", [id] if upload is not None:
                return 200, self.files.replace(id, form, upload[1])
            case "PATCH", [id]:
                return 200, self.files.rename(id, body)
            case "GET", ["search"]:
                return 200, self.files.search(query)
            case "GET", [id]:
                return 200, self.files.show(id)
            case "GET", [id, "signed-url"]:
                return 200, {"url": f"{base}{id}", "size": self.files.one(id)["size"]}
            case "DELETE", [id]:
                self.files.delete(id)
                return 204, None
        raise (
            invalid("file is required", "REQUIRED_FIELD", "file") if upload is None and method == "POST" else missing()
        )

    def _account(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Reply:
        details = self._store.get("meta", "details") or {}
        match method, path:
            case "GET", "account-info/v3/details":
                return 200, details
            case "GET", "account-info/v3/api-usage/daily/private-apps":
                return 200, self._limits.usage()
            case "POST", "oauth/v2/private-apps/get/access-token-info":
                asked = next((one for one in self._store.all("user") if one["token"] == body["tokenKey"]), None)
                if asked is None:
                    raise ApiError(404, "OBJECT_NOT_FOUND", "no such token")
                return 200, {"userId": int(asked["id"]), "hubId": details["portalId"], "appId": 1, "scopes": []}
            case "GET", "crm/v3/owners":
                archived = query.get("archived") == "true"
                found = [one for one in self._store.all("owner") if one["archived"] == archived]
                return 200, {"results": found}
            case "GET", "settings/v3/users":
                hidden = ("token", "active")
                users = [{n: v for n, v in one.items() if n not in hidden} for one in self._store.all("user")]
                return 200, {"results": users}
            case "GET", found if found.startswith("settings/v3/users/"):
                one = self._store.get("user", found.rpartition("/")[2])
                if one is None:
                    raise missing()
                return 200, {n: v for n, v in one.items() if n not in ("token", "active")}
        raise missing()

    def dump(self, *, archived: bool = False) -> dict[str, list[dict[str, Any]]]:
        """Return the account's live records, or those in its bin, with their associations, and what else it holds."""
        found: dict[str, list[dict[str, Any]]] = {}
        for object in OBJECTS:
            found[object] = [
                {
                    "id": doc["id"],
                    "properties": dict(doc["properties"]),
                    "createdAt": doc["createdAt"],
                    "associations": self._ends(object, doc["id"]),
                }
                for doc in self._store.all(f"record:{object}")
                if doc["archived"] == archived
            ]
        for kind in ("file", "owner", "pipeline", "label"):
            found[kind] = [{n: v for n, v in doc.items() if n != "content"} for doc in self._store.all(kind)]
        return found

    def _ends(self, object: str, id: str) -> list[dict[str, Any]]:
        """Return where a record's associations lead, each with its labels; "" stands for the one without."""
        found: list[dict[str, Any]] = []
        for to in OBJECTS:
            known = self.associations.types_of(object, to)
            for other, types in self.associations.of(object, id, to).items():
                found += [{"to": to, "id": other, "label": known.get(one) or ""} for one in types]
        return found


def _object(name: str) -> str:
    if name not in OBJECTS:
        raise invalid(f"Unable to infer object type from: {name}")
    return name
