"""Records of the imitated account: single, in batches with a result for each, and in pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flitstack_hubspot.sandbox.errors import ApiError, invalid, missing
from flitstack_hubspot.sandbox.types import OBJECTS, REQUIRED
from flitstack_hubspot.sandbox.values import spelt, stored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_hubspot.sandbox.account import Account
    from flitstack_hubspot.sandbox.associations import Associations, Type

MOST = 100
BIN_DAYS = 90
_ALWAYS = ("hs_object_id", "hs_lastmodifieddate", "hs_createdate")
Made = tuple[dict[str, str], list[tuple[str, str, list["Type"]]]]


class Records:
    """The records of an account."""

    def __init__(self, account: Account, associations: Associations) -> None:
        self._account = account
        self._store = account.store
        self._associations = associations
        self._unique: dict[tuple[str, str], dict[str, str]] = {}

    def page(self, object: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of a list, oldest first.

        :raises ApiError: the request is wrong.
        """
        limit = int(query.get("limit", "10"))
        if not 1 <= limit <= MOST:
            raise invalid(f"limit must be at most {MOST}")
        after, archived = int(query.get("after", "0")), query.get("archived") == "true"
        names = [name for name in query.get("properties", "").split(",") if name]
        latest = self._account.now() - timedelta(seconds=self._account.switches.list_lag_s)
        found = [
            doc
            for doc in self._store.all(f"record:{object}")
            if int(doc["id"]) > after
            and doc["archived"] == archived
            and datetime.fromisoformat(doc["createdAt"]) <= latest
        ]
        body: dict[str, Any] = {"results": [self._shown(doc, names) for doc in found[:limit]]}
        for to in [name for name in query.get("associations", "").split(",") if name]:
            for shown in body["results"]:
                self._associate(object, shown, to)
        if len(found) > limit:
            body["paging"] = {"next": {"after": found[limit - 1]["id"], "link": "?after="}}
        return body

    def _associate(self, object: str, shown: dict[str, Any], to: str) -> None:
        """Add to a record of a list where its associations with another object lead."""
        found = self._associations.of(object, shown["id"], to)
        if found:
            results = [{"id": id, "type": f"{object}_to_{to}"} for id in found]
            shown.setdefault("associations", {})[to] = {"results": results}

    def batch(self, object: str, what: str, body: Any, query: Mapping[str, str]) -> tuple[int, Any]:
        """Return status and answer of a batch request.

        :raises ApiError: the request is wrong; nothing was done then.
        """
        inputs = body.get("inputs") if isinstance(body, dict) else None
        if not isinstance(inputs, list) or not inputs or len(inputs) > MOST:
            raise invalid(f"inputs must hold 1 to {MOST}", "INVALID_INPUTS")
        match what:
            case "create":
                return self._create(object, inputs)
            case "update":
                return self._update(object, inputs)
            case "upsert":
                return self._upsert(object, inputs)
            case "read":
                return self._read(object, body, inputs)
            case "archive":
                for one in inputs:
                    self.archive(object, str(one["id"]))
                return 204, None
        raise missing()

    def archive(self, object: str, id: str) -> None:
        """Move a record into the recycling bin; once more changes nothing."""
        doc = self._store.get(f"record:{object}", id)
        if doc is not None and not doc["archived"]:
            self._forget(object, doc)
            doc["archived"] = True
            doc["archivedAt"] = spelt(self._account.now())
            self._store.put(f"record:{object}", id, doc)

    def restore(self, object: str, id: str) -> bool:
        """Bring a record back from the recycling bin, as a person would; return whether it was still there."""
        doc = self._store.get(f"record:{object}", id)
        if doc is None or not doc["archived"]:
            return False
        if self._account.now() - datetime.fromisoformat(doc["archivedAt"]) > timedelta(days=BIN_DAYS):
            return False
        doc["archived"] = False
        self._store.put(f"record:{object}", id, doc)
        self._unique.clear()
        return True

    def edit(self, object: str, id: str, properties: Mapping[str, str]) -> dict[str, Any]:
        """Change a record, as a person or an automation of the account would."""
        doc = self._held(object, id)
        return self._change(doc, object, self._values(object, properties, id))

    # --- creating ---

    def _create(self, object: str, inputs: list[Any]) -> tuple[int, Any]:
        """Create records: with a trace id in each input one failure is its own, without all fail with it."""
        traces = [str(one.get("objectWriteTraceId") or "") for one in inputs]
        is_multi = all(traces) and len(set(traces)) == len(traces)
        results, errors = [], []
        ready: list[tuple[str, Made]] = []
        for one, trace in zip(inputs, traces, strict=True):
            _known(one, {"objectWriteTraceId", "properties", "associations"})
            try:
                made = self._checked(object, one)
                if is_multi:
                    results.append(self._made(object, made, trace))
                else:
                    ready.append((trace, made))
            except ApiError as exc:
                if not is_multi:
                    raise
                errors.append(exc.item(objectWriteTraceId=trace))
        results += [self._made(object, made, trace) for trace, made in ready]
        return self._answer(results, errors, 201)

    def _checked(self, object: str, one: Mapping[str, Any]) -> Made:
        values = self._values(object, one.get("properties") or {}, None)
        for name in REQUIRED.get(object, ()):
            if not values.get(name):
                raise invalid(f"{name} is required", "REQUIRED_FIELD", name)
        refuse = self._account.switches.refuse
        if refuse is not None and refuse(object, values):
            raise invalid("the switch has it so", "INVALID_OPTION")
        ends = [self._end(object, given) for given in one.get("associations") or ()]
        return values, ends

    def _end(self, object: str, given: Mapping[str, Any]) -> tuple[str, str, list[Type]]:
        """Return where an association of a new record leads: its types say to which object."""
        id, types = str(given["to"]["id"]), given.get("types")
        for to in OBJECTS:
            try:
                found = self._associations.checked(object, to, types)
            except ApiError:
                continue
            self._associations.live(to, id)
            return to, id, found
        raise invalid("invalid association types", "INVALID_ASSOCIATION_TYPE")

    def _made(self, object: str, made: Made, trace: str) -> dict[str, Any]:
        values, ends = made
        id, now = self._store.next_id(), spelt(self._account.now())
        doc = {"id": id, "properties": {}, "createdAt": now, "updatedAt": now, "archived": False}
        self._store.put(f"record:{object}", id, doc)
        self._change(doc, object, values)
        for to, other, types in ends:
            self._associations.make(object, id, to, other, types)
        shown = self._shown(doc, list(values))
        return shown | ({"objectWriteTraceId": trace} if trace else {})

    def _upsert(self, object: str, inputs: list[Any]) -> tuple[int, Any]:
        results, errors = [], []
        for one in inputs:
            _known(one, {"objectWriteTraceId", "properties", "id", "idProperty"})
            name, key = str(one.get("idProperty") or ""), str(one.get("id") or "")
            self._need_unique(object, name)
            held = self._index(object, name).get(key)
            try:
                if held is None:
                    values = {**(one.get("properties") or {}), name: key}
                    results.append(
                        self._made(object, self._checked(object, {"properties": values}), "") | {"new": True}
                    )
                else:
                    results.append(self.edit(object, held, one.get("properties") or {}) | {"new": False})
            except ApiError as exc:
                errors.append(exc.item(id=key))
        return self._answer(results, errors, 200)

    # --- changing and reading ---

    def _update(self, object: str, inputs: list[Any]) -> tuple[int, Any]:
        results, errors = [], []
        ready = []
        for one in inputs:
            _known(one, {"id", "idProperty", "properties", "objectWriteTraceId"})
            try:
                doc = self._held(object, str(one["id"]))
                ready.append((doc, self._values(object, one.get("properties") or {}, doc["id"])))
            except ApiError as exc:
                if exc.status != 404:
                    raise
                errors.append(exc.item(ids=str(one["id"])))
        for doc, values in ready:
            results.append(self._change(doc, object, values))
        return self._answer(results, errors, 200)

    def _read(self, object: str, body: Mapping[str, Any], inputs: list[Any]) -> tuple[int, Any]:
        _known(body, {"inputs", "properties", "propertiesWithHistory", "idProperty"})
        by, names = body.get("idProperty"), list(body.get("properties") or ())
        results, errors = [], []
        if by:
            self._need_unique(object, str(by))
        for one in inputs:
            asked = str(one["id"])
            id = self._index(object, str(by)).get(asked, "") if by else asked
            doc = self._store.get(f"record:{object}", id)
            if doc is None or doc["archived"]:
                errors.append(missing("Could not get some objects, they may be deleted").item(ids=asked))
            else:
                results.append(self._shown(doc, names))
        return self._answer(results, errors, 200)

    def _answer(self, results: list[Any], errors: list[Any], status: int) -> tuple[int, Any]:
        now = spelt(self._account.now())
        body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
        if errors:
            body |= {"numErrors": len(errors), "errors": errors}
        return (207 if errors else status), body

    # --- values ---

    def _values(self, object: str, given: Mapping[str, Any], id: str | None) -> dict[str, str]:
        """Return the properties as they are kept.

        :raises ApiError: one is unknown, does not fit, or must be unique and is not.
        """
        found: dict[str, str] = {}
        for name, value in given.items():
            definition = self._store.get(f"property:{object}", name)
            if definition is None or definition.get("archived"):
                raise invalid(f'Property "{name}" does not exist', "PROPERTY_DOESNT_EXIST", name)
            if not isinstance(value, str):
                raise invalid(f'"{name}" must be a string', "INVALID_TYPE", name)
            found[name] = stored(definition, value)
            if definition["hasUniqueValue"] and found[name]:
                self._need_free(object, name, found[name], id)
        if object == "deals" and found.get("dealstage"):
            self._need_stage(found, id)
        owner = found.get("hubspot_owner_id")
        if owner and self._store.get("owner", owner) is None:
            raise invalid("no such owner", "INVALID_OWNER_ID", "hubspot_owner_id")
        return found

    def _need_free(self, object: str, name: str, value: str, id: str | None) -> None:
        holder = self._index(object, name).get(value)
        if holder is None or holder == id:
            return
        if name == "email":
            raise ApiError(409, "CONFLICT", f"Contact already exists. Existing ID: {holder}")
        raise invalid(f"{holder} already has that value.", "CONFLICTING_UNIQUE_VALUE", name)

    def _need_unique(self, object: str, name: str) -> None:
        definition = self._store.get(f"property:{object}", name)
        if definition is None or not definition["hasUniqueValue"]:
            raise invalid(f'"{name}" is not a unique property', "INVALID_ID_PROPERTY", name)

    def _need_stage(self, found: dict[str, str], id: str | None) -> None:
        held = (self._store.get("record:deals", id or "") or {"properties": {}})["properties"]
        pipeline = self._store.get("pipeline", found.get("pipeline") or held.get("pipeline") or "default")
        stages = [stage["id"] for stage in (pipeline or {}).get("stages", ()) if not stage["archived"]]
        if found["dealstage"] not in stages:
            raise invalid("was not one of the allowed stages", "INVALID_OPTION", "dealstage")
        found.setdefault("pipeline", str((pipeline or {})["id"]))

    def _index(self, object: str, name: str) -> dict[str, str]:
        """Return value to id of the live records that have a unique property."""
        if (object, name) not in self._unique:
            self._unique[object, name] = {
                doc["properties"][name]: doc["id"]
                for doc in self._store.all(f"record:{object}")
                if doc["properties"].get(name) and not doc["archived"]
            }
        return self._unique[object, name]

    def _forget(self, object: str, doc: Mapping[str, Any]) -> None:
        for (kind, name), index in self._unique.items():
            if kind == object and index.get(doc["properties"].get(name, "")) == doc["id"]:
                del index[doc["properties"][name]]

    def _change(self, doc: dict[str, Any], object: str, values: Mapping[str, str]) -> dict[str, Any]:
        self._forget(object, doc)
        kept = {**doc["properties"], **values}
        doc["properties"] = {name: value for name, value in kept.items() if value != ""}
        doc["updatedAt"] = spelt(self._account.now())
        self._store.put(f"record:{object}", doc["id"], doc)
        for (kind, name), index in self._unique.items():
            if kind == object and doc["properties"].get(name):
                index[doc["properties"][name]] = doc["id"]
        return self._shown(doc, list(values))

    def _held(self, object: str, id: str) -> dict[str, Any]:
        doc = self._store.get(f"record:{object}", id)
        if doc is None or doc["archived"]:
            raise missing()
        return doc

    def _shown(self, doc: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
        always = {
            "hs_object_id": doc["id"],
            "hs_createdate": doc["createdAt"],
            "hs_lastmodifieddate": doc["updatedAt"],
        }
        properties = {name: doc["properties"].get(name) for name in names} | always
        shown = {name: doc[name] for name in ("id", "createdAt", "updatedAt", "archived")}
        return shown | {"properties": properties}


def _known(given: Any, names: set[str]) -> None:
    if not isinstance(given, dict) or set(given) - names:
        raise invalid("Invalid input JSON: unknown field", "INVALID_JSON")
