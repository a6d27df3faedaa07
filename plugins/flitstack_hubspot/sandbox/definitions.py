"""What the imitated account's administrators define: properties, their groups, pipelines and stages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flitstack_hubspot.sandbox.errors import ApiError, invalid, missing
from flitstack_hubspot.sandbox.types import ACTIVITIES, OBJECTS
from flitstack_hubspot.sandbox.values import spelt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_hubspot.sandbox.account import Account

MOST_UNIQUE = 10
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FITTING = {
    "string": {"text", "textarea", "phonenumber", "html", "file"},
    "number": {"number"},
    "date": {"date"},
    "datetime": {"date"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox"},
    "bool": {"booleancheckbox"},
}
_PROPERTY = {
    "name",
    "label",
    "type",
    "fieldType",
    "groupName",
    "options",
    "hasUniqueValue",
    "description",
    "displayOrder",
    "formField",
    "hidden",
}


class Definitions:
    """Properties, groups and pipelines of an account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._store = account.store

    def list(self, object: str, kind: str) -> dict[str, Any]:
        """Return the properties, or groups, of an object."""
        return {"results": [doc for doc in self._store.all(f"{kind}:{object}") if not doc.get("archived")]}

    def create_group(self, object: str, body: Any) -> dict[str, Any]:
        """Return a new property group.

        :raises ApiError: it lacks something, or there is one of this name.
        """
        _need(body, {"name", "label"}, {"displayOrder"})
        if self._store.get(f"group:{object}", body["name"]) is not None:
            raise ApiError(409, "OBJECT_ALREADY_EXISTS", "A property group of this name exists")
        doc = {"name": body["name"], "label": body["label"], "displayOrder": -1, "archived": False}
        return self._store.put(f"group:{object}", body["name"], doc)

    def create(self, object: str, body: Any) -> dict[str, Any]:
        """Return a new property.

        :raises ApiError: it lacks something, does not fit together, or there is one of this name.
        """
        _need(body, {"name", "label", "type", "fieldType", "groupName"}, _PROPERTY)
        name = str(body["name"])
        if not _NAME.fullmatch(name) or len(name) > 100:
            raise invalid("Property names are lower-case letters, digits and underscores", "INVALID_NAME")
        if body["fieldType"] not in _FITTING.get(str(body["type"]), set()):
            raise invalid(f"fieldType {body['fieldType']} does not fit type {body['type']}", "INVALID_FIELD_TYPE")
        if self._store.get(f"group:{object}", str(body["groupName"])) is None:
            raise invalid("The property group does not exist", "INVALID_GROUP", "groupName")
        if self._store.get(f"property:{object}", name) is not None:
            raise ApiError(409, "OBJECT_ALREADY_EXISTS", f"A property named {name} already exists")
        self._need_unique_room(object, body)
        if self.custom() >= self._account.switches.properties:
            raise invalid("The limit of custom properties is reached", "LIMIT_EXCEEDED")
        if body["type"] in ("enumeration", "bool"):
            _check_options(body.get("options"))
        doc = {"options": [], "hasUniqueValue": False, "hubspotDefined": False, "archived": False} | body
        return self._store.put(f"property:{object}", name, doc)

    def custom(self) -> int:
        """Return how many custom properties there are."""
        every = (one for object in OBJECTS for one in self._store.all(f"property:{object}"))
        return sum(not one["hubspotDefined"] for one in every)

    def limits(self, what: str) -> dict[str, Any]:
        """Return what an account says of a limit of its subscription."""
        switches = self._account.switches
        if what == "custom-properties":
            return {"overallLimit": switches.properties, "overallUsage": self.custom(), "byObjectType": []}
        if what == "pipelines":
            deals = {"objectTypeId": "0-3", "limit": switches.pipelines, "usage": len(self.pipelines()["results"])}
            return {"hubspotDefinedObjectTypes": [deals], "customObjectTypes": {"byObjectType": []}}
        raise missing()

    def _need_unique_room(self, object: str, body: Any) -> None:
        if not body.get("hasUniqueValue"):
            return
        if object in ACTIVITIES:
            raise invalid(f"Unique properties are not supported for {object}", "UNIQUE_NOT_SUPPORTED")
        held = [
            one for one in self._store.all(f"property:{object}") if one["hasUniqueValue"] and not one["hubspotDefined"]
        ]
        if len(held) >= MOST_UNIQUE:
            raise invalid("The limit of unique properties of this object is reached", "LIMIT_EXCEEDED")

    def change(self, object: str, name: str, body: Any) -> dict[str, Any]:
        """Return a property with what was changed.

        :raises ApiError: there is none, or it cannot be changed so.
        """
        doc = self._one(object, name)
        _need(body, set(), _PROPERTY - {"name", "hasUniqueValue"})
        if "options" in body:
            _check_options(body["options"])
        return self._store.put(f"property:{object}", name, doc | body)

    def archive(self, object: str, name: str, kind: str) -> None:
        """Forget a property or group.

        :raises ApiError: there is none of this name that may go.
        """
        if kind == "property":
            self._one(object, name)
        elif any(one["groupName"] == name for one in self._store.all(f"property:{object}")):
            raise invalid("The group still holds properties", "GROUP_NOT_EMPTY")
        self._store.drop(f"{kind}:{object}", name)

    def _one(self, object: str, name: str) -> dict[str, Any]:
        doc = self._store.get(f"property:{object}", name)
        if doc is None:
            raise missing()
        if doc["hubspotDefined"]:
            raise invalid("HubSpot's own properties cannot be changed so", "READ_ONLY_DEFINITION")
        return doc

    # --- pipelines ---

    def pipelines(self) -> dict[str, Any]:
        """Return the deal pipelines with their stages."""
        return {"results": [doc for doc in self._store.all("pipeline") if not doc["archived"]]}

    def create_pipeline(self, body: Any) -> dict[str, Any]:
        """Return a new pipeline.

        :raises ApiError: it lacks something, or there is one of this label.
        """
        _need(body, {"label", "displayOrder", "stages"}, set())
        if not body["stages"]:
            raise invalid("A pipeline needs at least one stage", "REQUIRED_FIELD", "stages")
        if any(doc["label"] == body["label"] for doc in self._store.all("pipeline") if not doc["archived"]):
            raise ApiError(409, "CONFLICT", "A pipeline of this label exists")
        if len(self.pipelines()["results"]) >= self._account.switches.pipelines:
            raise invalid("The limit of deal pipelines is reached", "LIMIT_EXCEEDED")
        stages = [self._stage(one) for one in body["stages"]]
        if len({stage["label"] for stage in stages}) < len(stages):
            raise invalid("Labels of stages must differ", "DUPLICATE_LABEL")
        id = self._store.next_id()
        doc = {"id": id, "label": body["label"], "displayOrder": 0, "archived": False, "stages": stages}
        doc["createdAt"] = spelt(self._account.now())
        return self._store.put("pipeline", id, doc)

    def create_stage(self, pipeline: str, body: Any) -> dict[str, Any]:
        """Return a new stage of a pipeline.

        :raises ApiError: there is no such pipeline, or it has one of this label.
        """
        doc = self._store.get("pipeline", pipeline)
        if doc is None or doc["archived"]:
            raise missing()
        stage = self._stage(body)
        if any(one["label"] == stage["label"] for one in doc["stages"] if not one["archived"]):
            raise ApiError(409, "CONFLICT", "A stage of this label exists")
        self._store.put("pipeline", pipeline, doc | {"stages": [*doc["stages"], stage]})
        return stage

    def archive_pipeline(self, pipeline: str, stage: str | None, query: Mapping[str, str]) -> None:
        """Archive a pipeline, or one of its stages.

        :raises ApiError: there is none, it is a pipeline's last stage, or deals stand in it and the request minds.
        """
        doc = self._store.get("pipeline", pipeline)
        if doc is None or doc["archived"]:
            raise missing()
        left = [one["id"] for one in doc["stages"] if not one["archived"]]
        if stage is not None and stage not in left:
            raise missing()
        if left == [stage]:
            raise invalid("A pipeline needs at least one stage", "REQUIRED_FIELD", "stages")
        name, value = ("pipeline", pipeline) if stage is None else ("dealstage", stage)
        deals = (one for one in self._store.all("record:deals") if not one["archived"])
        minds = query.get("validateDealStageUsagesBeforeDelete") == "true"
        if minds and any(one["properties"].get(name) == value for one in deals):
            raise invalid("Deals stand in it", "PIPELINE_IN_USE")
        if stage is None:
            self._store.put("pipeline", pipeline, doc | {"archived": True})
        else:
            stages = [one | {"archived": one["archived"] or one["id"] == stage} for one in doc["stages"]]
            self._store.put("pipeline", pipeline, doc | {"stages": stages})

    def _stage(self, body: Any) -> dict[str, Any]:
        _need(body, {"label", "displayOrder", "metadata"}, set())
        probability = str((body["metadata"] or {}).get("probability", ""))
        if not re.fullmatch(r"0(\.\d+)?|1(\.0)?", probability):
            raise invalid("metadata.probability must be 0.0 to 1.0", "INVALID_PROBABILITY")
        stage = {"id": self._store.next_id(), "label": body["label"], "displayOrder": body["displayOrder"]}
        closed = probability in ("0", "0.0", "1", "1.0")
        metadata = {"probability": probability, "isClosed": str(closed).lower()}
        return stage | {"metadata": metadata, "archived": False, "createdAt": spelt(self._account.now())}


def _need(body: Any, required: set[str], optional: set[str]) -> None:
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON", "INVALID_JSON")
    for name in sorted(required):
        if body.get(name) is None:
            raise invalid(f"{name} is required", "REQUIRED_FIELD", name)
    unknown = set(body) - required - optional
    if unknown:
        raise invalid(f"Invalid input JSON: unknown field {sorted(unknown)[0]}", "INVALID_JSON")


def _check_options(options: Any) -> None:
    if not isinstance(options, list):
        raise invalid("options are required", "REQUIRED_FIELD", "options")
    for part in ("label", "value"):
        found = [one.get(part) for one in options]
        if not all(found) or len(set(found)) < len(found):
            raise invalid(f"Options need a {part} each, and no two the same", "INVALID_OPTION")
    if any(";" in str(one["value"]) for one in options):
        raise invalid("Values of options hold no semicolon", "INVALID_OPTION")
