"""Associations between records, in both directions, and the labels under which they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_hubspot.sandbox.errors import ApiError, invalid, missing
from flitstack_hubspot.sandbox.types import OBJECTS, TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack_hubspot.sandbox.account import Account

DEFINED, USER = "HUBSPOT_DEFINED", "USER_DEFINED"
MOST_READ, MOST_WRITTEN = 1_000, 2_000
Type = tuple[str, int]


class Associations:
    """All associations of an account; `from/id` to `to/id` to the types they have in that direction."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._store = account.store

    def types_of(self, from_: str, to: str) -> dict[Type, str | None]:
        """Return the types from one object to another, each with its label."""
        found: dict[Type, str | None] = {}
        if (from_, to) in TYPES:
            found[DEFINED, TYPES[from_, to]] = None
        for label in self._store.all("label"):
            if (label["from"], label["to"]) == (from_, to):
                found[USER, label["typeId"]] = label["label"]
        return found

    def checked(self, from_: str, to: str, types: Any) -> list[Type]:
        """Return the types a request names.

        :raises ApiError: there is none, or not between these objects.
        """
        if not isinstance(types, list) or not types:
            raise invalid("types must not be empty", "REQUIRED_FIELD")
        known = self.types_of(from_, to)
        found = [(str(one.get("associationCategory")), one.get("associationTypeId")) for one in types]
        for one in found:
            if one not in known:
                raise invalid(f"invalid association type {one[1]} between {from_} and {to}", "INVALID_ASSOCIATION_TYPE")
        return found

    def live(self, object: str, id: str) -> None:
        """:raises ApiError: there is no such record."""
        doc = self._store.get(f"record:{object}", id)
        if doc is None or doc["archived"]:
            raise missing(f"No {object} with id {id}")

    def make(self, from_: str, from_id: str, to: str, to_id: str, types: Sequence[Type]) -> None:
        """Associate two records under types of the first direction; the other direction follows."""
        if (from_, from_id) == (to, to_id) and not self._account.switches.self_associations:
            raise invalid("an object cannot be associated with itself", "INVALID_ASSOCIATION")
        there = [(DEFINED, TYPES[from_, to]), *types]
        back = [(DEFINED, TYPES[to, from_]), *(self._inverse(one, to, from_) for one in types)]
        self._add(from_, from_id, to, to_id, there)
        self._add(to, to_id, from_, from_id, back)

    def end(self, from_: str, from_id: str, to: str, to_id: str, types: Sequence[Type] | None = None) -> None:
        """End the association of two records, or only what stands under these types."""
        gone = None if types is None else {*types}
        back = None if types is None else {self._inverse(one, to, from_) for one in types}
        self._remove(from_, from_id, to, to_id, gone)
        self._remove(to, to_id, from_, from_id, back)

    def of(self, from_: str, id: str, to: str) -> dict[str, list[Type]]:
        """Return, per record of the other object, the types under which this one is associated with it."""
        doc = self._store.get("assoc", f"{from_}/{id}") or {}
        found: dict[str, list[Type]] = {}
        for other, types in doc.items():
            object, other_id = other.split("/")
            record = self._store.get(f"record:{object}", other_id)
            if object == to and record is not None and not record["archived"]:
                found[other_id] = [(str(category), int(id)) for category, id in types]
        return found

    def _inverse(self, one: Type, from_: str, to: str) -> Type:
        if one[0] == DEFINED:
            return (DEFINED, TYPES[from_, to])
        for label in self._store.all("label"):
            if label["typeId"] == one[1] and (label["to"], label["from"]) == (from_, to):
                return (USER, label["inverse"])
        return one

    def _add(self, from_: str, from_id: str, to: str, to_id: str, types: Sequence[Type]) -> None:
        doc = dict(self._store.get("assoc", f"{from_}/{from_id}") or {})
        held = [(str(c), int(i)) for c, i in doc.get(f"{to}/{to_id}", ())]
        doc[f"{to}/{to_id}"] = [*held, *(one for one in dict.fromkeys(types) if one not in held)]
        self._store.put("assoc", f"{from_}/{from_id}", doc)

    def _remove(self, from_: str, from_id: str, to: str, to_id: str, types: set[Type] | None) -> None:
        doc = dict(self._store.get("assoc", f"{from_}/{from_id}") or {})
        held = [(str(c), int(i)) for c, i in doc.pop(f"{to}/{to_id}", ())]
        left = [] if types is None else [one for one in held if one not in types]
        if left:
            doc[f"{to}/{to_id}"] = left
        self._store.put("assoc", f"{from_}/{from_id}", doc)

    # --- requests ---

    def batch(self, from_: str, to: str, what: str, body: Any) -> tuple[int, Any]:
        """Return status and answer of a batch request.

        :raises ApiError: the request is wrong.
        """
        for object in (from_, to):
            if object not in OBJECTS:
                raise invalid(f"Unable to infer object type from: {object}")
        inputs = body.get("inputs") if isinstance(body, dict) else None
        if not isinstance(inputs, list) or len(inputs) > (MOST_READ if what == "read" else MOST_WRITTEN):
            raise invalid("inputs: too many, or none", "INVALID_INPUTS")
        answer = {"read": self._read, "create": self._create, "archive": self._archive, "labels/archive": self._unlabel}
        if what not in answer:
            raise missing()
        return answer[what](from_, to, inputs)

    def _read(self, from_: str, to: str, inputs: list[Any]) -> tuple[int, Any]:
        results, errors = [], []
        for one in inputs:
            id = str(one["id"])
            found = list(self._targets(from_, id, to))
            if found:
                results.append({"from": {"id": id}, "to": found})
            else:
                errors.append(
                    {
                        "status": "error",
                        "category": "OBJECT_NOT_FOUND",
                        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                        "message": "No associations found",
                        "context": {"fromObjectId": [id], "fromObjectType": [from_], "toObjectType": [to]},
                    }
                )
        return _status(self._account, results, errors)

    def _targets(self, from_: str, id: str, to: str) -> Iterator[dict[str, Any]]:
        known = self.types_of(from_, to)
        for other, types in self.of(from_, id, to).items():
            spelt = [{"category": one[0], "typeId": one[1], "label": known.get(one)} for one in types]
            yield {"toObjectId": int(other), "associationTypes": spelt}

    def _create(self, from_: str, to: str, inputs: list[Any]) -> tuple[int, Any]:
        results, errors = [], []
        for one in inputs:
            from_id, to_id = str(one["from"]["id"]), str(one["to"]["id"])
            types = self.checked(from_, to, one.get("types"))
            try:
                self.live(from_, from_id)
                self.live(to, to_id)
            except ApiError as exc:
                errors.append({"status": "error", "category": "OBJECT_NOT_FOUND", "message": str(exc), "context": {}})
                continue
            self.make(from_, from_id, to, to_id, types)
            results.append({"fromObjectId": int(from_id), "toObjectId": int(to_id), "labels": []})
        status, body = _status(self._account, results, errors)
        return (201 if status == 200 else status), body

    def _archive(self, from_: str, to: str, inputs: list[Any]) -> tuple[int, Any]:
        for one in inputs:
            for target in one["to"]:
                self.end(from_, str(one["from"]["id"]), to, str(target["id"]))
        return 204, None

    def _unlabel(self, from_: str, to: str, inputs: list[Any]) -> tuple[int, Any]:
        for one in inputs:
            types = self.checked(from_, to, one.get("types"))
            self.end(from_, str(one["from"]["id"]), to, str(one["to"]["id"]), types)
        return 204, None

    def labels(self, from_: str, to: str) -> dict[str, Any]:
        """Return the association types from one object to another."""
        found = self.types_of(from_, to)
        return {"results": [{"category": c, "typeId": i, "label": label} for (c, i), label in found.items()]}

    def create_label(self, from_: str, to: str, body: Any) -> dict[str, Any]:
        """Return the types of a new label: one for each direction.

        :raises ApiError: it lacks something, or there is one of this name.
        """
        if (from_, to) not in TYPES:
            raise invalid(f"no associations between {from_} and {to}")
        if not isinstance(body, dict) or not body.get("label") or not body.get("name"):
            raise invalid("label and name are required", "REQUIRED_FIELD")
        if set(body) - {"label", "name", "inverseLabel"}:
            raise invalid("unknown field in the body")
        if body["label"] in self.types_of(from_, to).values():
            raise ApiError(409, "CONFLICT", f"A label {body['label']} already exists")
        there, back = int(self._store.next_id()), int(self._store.next_id())
        if not body.get("inverseLabel"):
            back = there
        inverse = body.get("inverseLabel") or body["label"]
        made = [(from_, to, there, back, body["label"])]
        if back != there or from_ != to:
            made.append((to, from_, back, there, inverse))
        for one, other, id, inverse_id, label in made:
            doc = {"from": one, "to": other, "typeId": id, "inverse": inverse_id, "label": label}
            self._store.put("label", f"{one}/{other}/{id}", doc)
        return {"results": [{"category": USER, "typeId": id, "label": label} for _, _, id, _, label in made]}

    def drop_label(self, from_: str, to: str, id: str) -> None:
        """Forget a label and all that stands under it.

        :raises ApiError: there is none.
        """
        label = self._store.get("label", f"{from_}/{to}/{id}")
        if label is None:
            raise missing()
        self._store.drop("label", f"{from_}/{to}/{id}")
        self._store.drop("label", f"{to}/{from_}/{label['inverse']}")


def _status(account: Account, results: list[Any], errors: list[Any]) -> tuple[int, Any]:
    body: dict[str, Any] = {"status": "COMPLETE", "results": results}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return (207 if errors else 200), body
