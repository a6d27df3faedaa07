"""A user's own hand in the account: what they add, change and delete by name, as the web application would let them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack_pipedrive.sandbox.answers import ApiError
from flitstack_pipedrive.sandbox.call import Call
from flitstack_pipedrive.sandbox.routes import find
from flitstack_pipedrive.sandbox.texts import v1_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack_pipedrive.sandbox.account import Account, Member
    from flitstack_pipedrive.sandbox.answers import Doc

PATHS: Mapping[str, str] = MappingProxyType(
    {
        "person": "/api/v2/persons",
        "organization": "/api/v2/organizations",
        "deal": "/api/v2/deals",
        "activity": "/api/v2/activities",
        "lead": "/api/v1/leads",
        "note": "/api/v1/notes",
        "file": "/api/v1/files",
        "pipeline": "/api/v2/pipelines",
        "activity_type": "/api/v1/activityTypes",
    }
)
RESTORED = frozenset({"person", "organization", "deal", "activity", "lead"})
"""What the page "Restore data" lists (Pipedrive knowledge base, 2026; products too): neither notes nor files."""
_TITLES = MappingProxyType({"deal": "title", "lead": "title", "activity": "subject", "note": "content"})
_CUSTOM = MappingProxyType({"person": "person", "organization": "organization", "deal": "deal", "lead": "deal"})


@dataclass(frozen=True, slots=True)
class Hand:
    """Acts as one user. It costs no tokens and meets no limit, as in the web application.

    Items are written as people think of them: records by name, users by e-mail, options by label, custom fields by
    field name under `fields`; any other key is the API's own.
    """

    account: Account
    member: Member

    def do(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Return the `data` of one API call.

        :raises UsageError: the call is refused; says why.
        """
        try:
            route, handler, params = find(method, path)
            form, upload = more.get("form", {}), more.get("upload")
            call = Call(self.account, self.member, route.version, params, {}, body, form, upload, "sandbox")
            if route.operation is not None:
                route.operation.check(call.query, call.body)
            return json.loads(handler(call).body)["data"]
        except ApiError as exc:
            said = json.loads(exc.answer.body)
            raise UsageError(f"{method} {path}: {said['error']} {said.get('error_info') or ''}".rstrip()) from exc

    def add(self, kind: str, item: Mapping[str, Any]) -> Doc:
        """Add one record and return it."""
        if kind == "field":
            return self._add_field(item)
        if kind == "pipeline":
            return self._add_pipeline(item)
        body = self._body(kind, item)
        if kind == "file":
            upload = (str(body.pop("name")), str(body.pop("text")).encode())
            made: Doc = self.do("POST", PATHS[kind], form={k: str(v) for k, v in body.items()}, upload=upload)
            return made
        made = self.do("POST", _path(kind), body)
        return made

    def edit(self, kind: str, number: Any, item: Mapping[str, Any]) -> None:
        """Change one record."""
        method = "PUT" if kind in ("note", "file", "activity_type") else "PATCH"
        body = self._body(kind, item)
        more = {"form": body} if kind == "file" else {}
        self.do(method, f"{_path(kind)}/{number}", None if more else body, **more)

    def delete(self, kind: str, number: Any) -> None:
        """Delete one record."""
        self.do("DELETE", f"{_path(kind)}/{number}")

    def restore(self, kind: str, number: Any) -> bool:
        """Bring a deleted record back, as the page "Restore data" lets people; return whether it was still there."""
        store = self.account.store
        row = store.find(_table(kind), [(f"{'uid' if kind == 'lead' else 'id'} = ? AND deleted = 1", (number,))])
        if row is None or kind not in RESTORED or row.updated < self.account.purged_before():
            return False
        row.deleted = False
        if "is_deleted" in row.doc:
            row.doc["is_deleted"] = False
        with store.transaction():
            store.put(kind, row)
        return True

    def seek(self, kind: str, wanted: Mapping[str, Any] | str) -> Any:
        """Return the id of the first live record that is as wanted, or None.

        :param wanted: `newest`, `oldest`, or values by key or by custom field's name.
        """
        docs = self.account.store.docs(_table(kind))
        if isinstance(wanted, str):
            return docs[-1 if wanted == "newest" else 0]["id"] if docs else None
        codes = self._codes(kind)
        for doc in docs:
            customs = doc.get("custom_fields", doc)
            held = {**doc, **{name: customs.get(code) for name, code in codes.items()}}
            if all(held.get(key) == value for key, value in wanted.items()):
                return doc["id"]
        return None

    def _named(self, kind: str, name: str) -> Any:
        number = self.seek(kind, {_TITLES.get(kind, "name"): name})
        if number is None:
            raise UsageError(f"There is no {kind} under the name that is referred to.")
        return number

    def _user(self, email: str) -> int:
        for member in self.account.members.values():
            if member.email == email:
                return member.id
        raise UsageError("There is no user with the e-mail that is referred to.")

    def _codes(self, kind: str) -> dict[str, str]:
        return {name: doc["field_code"] for name, doc in self._fields(kind).items()}

    def _fields(self, kind: str) -> dict[str, Doc]:
        if kind not in _CUSTOM:
            return {}
        docs = self.account.store.docs("field", [("entity = ? AND deleted = 0", (_CUSTOM[kind],))])
        return {doc["field_name"]: doc for doc in docs}

    def _body(self, kind: str, item: Mapping[str, Any]) -> Doc:
        body: Doc = {}
        for key, value in item.items():
            translate = _KEYS.get(key)
            if translate is None:
                body[key] = value
            else:
                body.update(translate(self, kind, value))
        if "stage" in item or "pipeline" in item:
            body.update(self._place(item))
        return body

    def _place(self, item: Mapping[str, Any]) -> Doc:
        """Return where a deal stands; a stage's name is looked for in its pipeline."""
        pipeline = self._named("pipeline", item["pipeline"]) if "pipeline" in item else None
        for doc in self.account.store.docs("stage"):
            if doc["name"] == item.get("stage") and pipeline in (None, doc["pipeline_id"]):
                return {"stage_id": doc["id"]}
        return {"pipeline_id": pipeline}

    def _customs(self, kind: str, values: Mapping[str, Any]) -> Doc:
        fields = self._fields(kind)
        unknown = set(values) - set(fields)
        if unknown:
            raise UsageError(f'There is no {kind} field "{min(unknown)}".')
        stored = {fields[name]["field_code"]: self._custom(fields[name], value) for name, value in values.items()}
        return stored if kind == "lead" else {"custom_fields": stored}

    def _custom(self, field: Doc, value: Any) -> Any:
        match field["field_type"]:
            case "enum" | "set":
                numbers = {option["label"]: option["id"] for option in field["options"]}
                return [numbers[label] for label in value] if isinstance(value, list) else numbers[value]
            case "people":
                return self._named("person", value)
            case "org":
                return self._named("organization", value)
            case "user":
                return self._user(value)
            case _:
                return value

    def _add_field(self, item: Mapping[str, Any]) -> Doc:
        body = {"field_name": item["name"], "field_type": item["type"]}
        if "options" in item:
            body["options"] = [{"label": label} for label in item["options"]]
        made: Doc = self.do("POST", f"/api/v2/{item['of']}Fields", body)
        return made

    def _add_pipeline(self, item: Mapping[str, Any]) -> Doc:
        made: Doc = self.do("POST", PATHS["pipeline"], {"name": item["name"]})
        for stage in item.get("stages", ()):
            self.do("POST", "/api/v2/stages", {"name": stage, "pipeline_id": made["id"]})
        return made


def _table(kind: str) -> str:
    if kind not in PATHS:
        raise UsageError(f'"{kind}" is no kind of record; use one of {", ".join(PATHS)}.')
    return kind


def _path(kind: str) -> str:
    return PATHS[_table(kind)]


def _points(key: str) -> Callable[[Hand, str, Any], Doc]:
    def translate(hand: Hand, kind: str, values: list[Any]) -> Doc:
        """Put the first in front; a bare text stands for itself."""
        return {
            key: [
                {"value": value, "primary": place == 0} if isinstance(value, str) else value
                for place, value in enumerate(values)
            ]
        }

    return translate


def _person(hand: Hand, kind: str, name: str) -> Doc:
    number = hand._named("person", name)
    return {"participants": [{"person_id": number, "primary": True}]} if kind == "activity" else {"person_id": number}


def _org(hand: Hand, kind: str, name: str) -> Doc:
    return {"organization_id" if kind == "lead" else "org_id": hand._named("organization", name)}


def _added(hand: Hand, kind: str, moment: str) -> Doc:
    return {"add_time": v1_time(moment) if kind == "note" else moment}


_KEYS: Mapping[str, Callable[[Hand, str, Any], Doc]] = MappingProxyType(
    {
        "emails": _points("emails"),
        "phones": _points("phones"),
        "person": _person,
        "org": _org,
        "deal": lambda hand, kind, name: {"deal_id": hand._named("deal", name)},
        "owner": lambda hand, kind, email: {"owner_id": hand._user(email)},
        "author": lambda hand, kind, email: {"user_id": hand._user(email)},
        "added": _added,
        "fields": lambda hand, kind, values: hand._customs(kind, values),
        "stage": lambda hand, kind, name: {},
        "pipeline": lambda hand, kind, name: {},
    }
)
