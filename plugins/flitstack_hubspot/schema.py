"""The account's schema: reads property groups, properties, pipelines, stages and labels, and creates what a spec wants.

Sources: HubSpot developer documentation, "Properties", "Pipelines", "Associations v4, schema".
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flitstack.errors import ConfigurationError, InDoubt, PlanLimit, Rejected
from flitstack.protocols import SchemaItem
from flitstack_hubspot.answers import NOT_FOUND, REFUSED, Call, data_of
from flitstack_hubspot.behaviours import CLASH_SUFFIX, ENTITIES, LABELLED
from flitstack_hubspot.codec import option_value, read_time
from flitstack_hubspot.objects import FOLLOWING, KEY, SHAPES, Label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import JSON, Operation
    from flitstack_hubspot.client import Client
    from flitstack_hubspot.objects import Directory

PIPELINES = "/crm/v3/pipelines/deals"
TOGETHER = timedelta(minutes=1)
# A spec's type to HubSpot's type and field type.
TYPES = {
    "string": ("string", "text"),
    "text": ("string", "textarea"),
    "number": ("number", "number"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
    "bool": ("bool", "booleancheckbox"),
    "enum": ("enumeration", "select"),
    "set": ("enumeration", "checkbox"),
}
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


class AccountSchema:
    """The schema of one account, read when first needed and kept up with what is created through it."""

    def __init__(self, client: Client, directory: Directory) -> None:
        self._client = client
        self._directory = directory
        self._known: set[str] = set()
        self._pipelines: dict[str, str] = {}
        self._made_stages: dict[tuple[str, str], str] = {}

    async def items(self) -> list[SchemaItem]:
        """Return every group, custom property, pipeline, stage and label, as the account has them now."""
        self._known.clear()
        found: list[SchemaItem] = []
        for kind in ("field_group", "field", "pipeline", "label"):
            found += await self.items_of(kind)
        return found

    async def items_of(self, object: str) -> list[SchemaItem]:
        """Return what the account has now of one kind of schema item; with a pipeline come its stages."""
        if object == "field_group":
            return [item for entity in ENTITIES for item in await self._groups(entity)]
        if object == "field":
            return [item for entity in ENTITIES for item in await self._fields(entity)]
        if object == "label":
            return [item for of, to in LABELLED for item in await self._labels(of, to)]
        return await self._pipeline_items()

    async def know(self, object: str) -> None:
        """Read what the codec needs to know of an object, unless it is known."""
        if object not in self._known:
            await self._fields(object)
        if object == "deal" and not self._pipelines:
            await self._pipeline_items()

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Let each name of the spec stand for the account's item; of labels that is how they become links."""
        for key, item in items.items():
            kind, of, name = key.split("/", 2)
            if kind == "label" and item.id:
                _, to, type_id = item.id.split("/")
                self._directory.labels[of, name] = Label(name, of, to, int(type_id))
            elif kind == "field":
                self._directory.bound.setdefault(of, set()).add(name)

    async def apply(self, operation: Operation) -> str:
        """Carry out one schema operation and return the item's id.

        :raises FlitError: as the client says; Rejected when the wanted item cannot be.
        """
        wanted = operation.fields
        of, name = str(wanted.get("of") or ""), str(wanted.get("name") or "")
        if operation.verb == "delete":
            return await self._delete(operation, of, name)
        match operation.object, operation.verb:
            case "field_group", "create":
                body = {"name": name, "label": str(wanted.get("label") or name)}
                await self._create(f"/crm/v3/properties/{_entity(of)}/groups", body)
                return f"{of}/{name}"
            case "field", "create":
                return await self._create_field(of, name, wanted)
            case "field", "update":
                return await self._add_options(str(operation.destination_id), wanted)
            case "pipeline", "create":
                return await self._create_pipeline(name, wanted)
            case "stage", "create":
                return await self._create_stage(of, name, wanted)
            case "label", "create":
                return await self._create_label(of, name, wanted)
        return str(operation.destination_id)

    async def _delete(self, operation: Operation, of: str, name: str) -> str:
        """Delete an item; a property of HubSpot's own that was used in place of one stays."""
        if operation.destination_id is None:
            raise Rejected(NOT_FOUND, f"The {operation.object} has no id in the account.", "Plan again.")
        id, query = operation.destination_id, dict[str, str]()
        if operation.object == "field":
            await self.know(of)
            if name in self._directory.native.get(of, ()):
                return id
        if operation.object == "stage":
            path = await self._stage_address(id)
        else:
            path = _address(operation.object, id)
        if operation.object in ("pipeline", "stage"):
            query = {"validateDealStageUsagesBeforeDelete": "true"}  # else HubSpot leaves its deals without a stage
        await self._client.send(Call("DELETE", path, query, words_of=f"/{operation.object}"))
        return id

    async def _stage_address(self, id: str) -> str:
        """Return what is to be deleted for a stage to go: the last one of a pipeline goes with the pipeline.

        :raises Rejected: it is not there, or is the last one of a pipeline that was there before it.
        """
        found = (await self._client.send(Call("GET", PIPELINES, scope="account"))).get("results") or []
        for raw in found:
            stages = {str(one["id"]): one for one in raw.get("stages") or () if not one.get("archived")}
            if raw.get("archived") or id not in stages:
                continue
            if len(stages) > 1:
                return f"{PIPELINES}/{raw['id']}/stages/{id}"
            if _made_together(raw, stages[id]):
                return f"{PIPELINES}/{raw['id']}"
            raise Rejected(REFUSED, "A pipeline keeps its last stage.", "Give the pipeline another stage first.")
        raise Rejected(NOT_FOUND, "The stage is gone.", "Plan again.")

    async def _create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was created.

        :raises InDoubt: there is one of this name, made by a request whose answer was lost, or by somebody else.
        """
        call = Call("POST", path, body=body, scope="account")
        answer = await self._client.answer(call)
        if answer.status == 409:
            raise InDoubt(f"hubspot: {call.words}: the account has one of this name already; it is looked up.")
        return data_of(call, answer)

    # --- properties ---

    async def _groups(self, entity: str) -> list[SchemaItem]:
        found = await self._client.send(
            Call("GET", f"/crm/v3/properties/{SHAPES[entity].path}/groups", scope="account")
        )
        return [
            SchemaItem("field_group", str(raw["name"]), entity, {"label": raw.get("label")}, f"{entity}/{raw['name']}")
            for raw in found.get("results") or ()
            if not raw.get("archived")
        ]

    async def _fields(self, entity: str) -> list[SchemaItem]:
        found = await self._client.send(Call("GET", f"/crm/v3/properties/{SHAPES[entity].path}", scope="account"))
        items = [self._field(entity, raw) for raw in found.get("results") or () if not raw.get("archived")]
        self._known.add(entity)
        return [item for item in items if item is not None]

    def _field(self, entity: str, raw: Mapping[str, Any]) -> SchemaItem | None:
        """Return a custom property; of HubSpot's own only the type is noted."""
        name, kind = str(raw["name"]), _spec_type(str(raw.get("type")), str(raw.get("fieldType")))
        self._directory.types.setdefault(entity, {})[name] = kind
        if raw.get("hubspotDefined"):
            self._directory.native.setdefault(entity, set()).add(name)
            if _is_open(raw):
                self._directory.open.setdefault(entity, set()).add(name)
            return None
        self._directory.custom.setdefault(entity, set()).add(name)
        settings: dict[str, Any] = {"type": kind, "label": raw.get("label"), "group": raw.get("groupName")}
        if raw.get("type") == "enumeration":
            options = {str(one["label"]): str(one["value"]) for one in raw.get("options") or ()}
            self._directory.options[entity, name] = options
            settings["options"] = list(options)
        if name == KEY and SHAPES[entity].is_unique and not raw.get("hasUniqueValue"):
            raise ConfigurationError(
                f'hubspot: the account has a property "{KEY}" of {entity} whose values need not be unique, so a record '
                "could be written twice. Delete or archive that property, then run the same command."
            )
        return SchemaItem("field", name, entity, settings, f"{entity}/{name}")

    async def _create_field(self, of: str, name: str, wanted: Mapping[str, JSON]) -> str:
        kind, entity = str(wanted.get("type") or "string"), _entity(of)
        if kind not in TYPES or not NAME.fullmatch(name):
            raise Rejected(
                "schema_unfit",
                f'Property "{name}" of {of}: HubSpot has no type "{kind}", or takes no such name.',
                "Use lower-case letters, digits and underscores, and a type of docs/hubspot.md.",
            )
        await self.know(of)
        if name in self._directory.native.get(of, ()):
            return self._use_native(of, name, kind)
        type_, field_type = TYPES[kind]
        label = str(wanted.get("label") or name)
        body: dict[str, Any] = {
            "name": name,
            "label": f"{label} (flit)" if name.endswith(CLASH_SUFFIX) and label != name else label,
            "type": type_,
            "fieldType": field_type,
            "groupName": str(wanted.get("group") or "") or _own_group(of),
        }
        if name == KEY and SHAPES[of].is_unique:
            body["hasUniqueValue"] = True
        if kind in ("enum", "set"):
            body["options"] = _options(_texts(wanted.get("options")))
        if kind == "bool":
            body["options"] = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
        raw = await self._create(f"/crm/v3/properties/{entity}", body)
        self._field(of, {**body, **raw, "name": name})
        return f"{of}/{name}"

    def _use_native(self, of: str, name: str, kind: str) -> str:
        """Return the id of a property of HubSpot's own that does as well as the wanted one.

        :raises PlanLimit: it holds something else.
        """
        if kind in ("enum", "set") or self._directory.types[of][name] != kind:
            raise PlanLimit(
                f'hubspot: HubSpot has a property "{name}" of {of} of its own, which holds something else than the '
                "mapping wants there. Choose another name in the mapping, then run the same command."
            )
        return f"{of}/{name}"

    async def _add_options(self, id: str, wanted: Mapping[str, JSON]) -> str:
        """Let a property have the options it lacks, and keep those it has: HubSpot takes only the whole list."""
        of, name = id.split("/", 1)
        await self.know(of)
        held = self._directory.options.get((of, name), {})
        new = [label for label in _texts(wanted.get("options")) if label not in held]
        gone = set(_texts(wanted.get("remove_options")))
        if new or gone & held.keys():
            kept = [{"label": label, "value": value} for label, value in held.items() if label not in gone]
            body = {"options": [*kept, *_options(new, len(kept))]}
            path = f"/crm/v3/properties/{_entity(of)}/{name}"
            raw = await self._client.send(Call("PATCH", path, body=body, words_of="/crm/v3/properties/{object}/{name}"))
            options = raw.get("options") or body["options"]
            self._directory.options[of, name] = {str(one["label"]): str(one["value"]) for one in options}
        return id

    # --- pipelines ---

    async def _pipeline_items(self) -> list[SchemaItem]:
        found = (await self._client.send(Call("GET", PIPELINES, scope="account"))).get("results") or []
        items: list[SchemaItem] = []
        for raw in found:
            if raw.get("archived"):
                continue
            label, id = str(raw["label"]), str(raw["id"])
            self._pipelines[id] = label
            items.append(SchemaItem("pipeline", label, id=id))
            for stage in raw.get("stages") or ():
                if not stage.get("archived"):
                    self._directory.pipeline_of[str(stage["id"])] = id
                    items.append(SchemaItem("stage", str(stage["label"]), label, {}, str(stage["id"])))
        return items

    async def _create_pipeline(self, name: str, wanted: Mapping[str, JSON]) -> str:
        """Create a pipeline with its stages: HubSpot takes none without."""
        given = wanted.get("stages")
        stages = [_stage(one, place) for place, one in enumerate(given if isinstance(given, list) else ())]
        raw = await self._create(PIPELINES, {"label": name, "displayOrder": 0, "stages": stages})
        id = str(raw["id"])
        self._pipelines[id] = name
        self._directory.pipeline_of |= {str(stage["id"]): id for stage in raw.get("stages") or ()}
        self._made_stages |= {(name, str(stage["label"])): str(stage["id"]) for stage in raw.get("stages") or ()}
        return id

    async def _create_stage(self, of: str, name: str, wanted: Mapping[str, JSON]) -> str:
        """Return the stage that came with its pipeline, or create it in one that the account had."""
        if (of, name) in self._made_stages:
            return self._made_stages[of, name]
        items = await self._pipeline_items()
        there = next((i for i in items if i.object == "stage" and (i.of, i.name) == (of, name)), None)
        if there is not None:
            return str(there.id)
        pipeline = next((item.id for item in items if item.object == "pipeline" and item.name == of), None)
        if pipeline is None:
            raise Rejected(
                "schema_unfit", f'Stage "{name}": no pipeline is named "{of}".', "Create the pipeline first."
            )
        places = sum(1 for other in self._directory.pipeline_of.values() if other == pipeline)
        raw = await self._create(f"{PIPELINES}/{pipeline}/stages", _stage({**wanted, "name": name}, places))
        self._directory.pipeline_of[str(raw["id"])] = pipeline
        return str(raw["id"])

    # --- labels ---

    async def _labels(self, of: str, to: str) -> list[SchemaItem]:
        call = Call("GET", _label_path(of, to), scope="account")
        found = (await self._client.send(call)).get("results") or []
        return [
            SchemaItem("label", str(raw["label"]), of, {"to": to}, f"{of}/{to}/{raw['typeId']}")
            for raw in found
            if raw.get("category") == "USER_DEFINED" and raw.get("label")
        ]

    async def _create_label(self, of: str, name: str, wanted: Mapping[str, JSON]) -> str:
        """Create a label with another for the way back, so that each direction has its own type."""
        to = str(wanted.get("to") or "")
        if (of, to) not in LABELLED:
            raise Rejected("schema_unfit", f'Label "{name}": flit labels nothing from {of} to "{to}".', "Correct `to`.")
        for item in await self._labels(of, to):
            if item.name == name:
                return str(item.id)
        inverse = str(wanted.get("inverse") or f"{name} (of)")
        internal = re.sub(r"[^a-z0-9]+", "_", f"{of}_{name}".casefold()).strip("_")
        body = {"label": name, "name": internal, "inverseLabel": inverse}
        raw = await self._create(_label_path(of, to), body)
        here = [one for one in raw.get("results") or () if one.get("label") == name]
        if not here:
            raise InDoubt(f'hubspot: the label "{name}" was accepted but is not named; it is looked up.')
        return f"{of}/{to}/{here[0]['typeId']}"


def _is_open(raw: Mapping[str, Any]) -> bool:
    """Tell whether people can fill in a property of HubSpot's own, which HubSpot itself does not."""
    is_read_only = (raw.get("modificationMetadata") or {}).get("readOnlyValue")
    return not (is_read_only or raw.get("calculated") or raw.get("hidden") or raw["name"] in FOLLOWING)


def _spec_type(type_: str, field_type: str) -> str:
    for kind, known in TYPES.items():
        if known == (type_, field_type):
            return kind
    return {"enumeration": "enum"}.get(type_, type_)


def _entity(of: str) -> str:
    if of not in SHAPES:
        raise Rejected("schema_unfit", f'HubSpot has no object "{of}".', f"Use one of {', '.join(SHAPES)}.")
    return SHAPES[of].path


def _own_group(of: str) -> str:
    return f"{of}information" if of in ("company", "contact", "deal") else f"{of}_information"


def _label_path(of: str, to: str) -> str:
    return f"/crm/v4/associations/{SHAPES[of].path}/{SHAPES[to].path}/labels"


def _address(object: str, id: str) -> str:
    """Return where a schema item other than a stage is deleted."""
    if object == "pipeline":
        return f"{PIPELINES}/{id}"
    of, rest = id.split("/", 1)
    if object == "label":
        to, type_id = rest.split("/")
        return f"{_label_path(of, to)}/{type_id}"
    middle = "groups/" if object == "field_group" else ""
    return f"/crm/v3/properties/{SHAPES[of].path}/{middle}{rest}"


def _made_together(pipeline: Mapping[str, Any], stage: Mapping[str, Any]) -> bool:
    """Tell whether a stage came with its pipeline, as the stages do of each that is made here."""
    times = [read_time(one.get("createdAt")) for one in (pipeline, stage)]
    return None not in times and abs(times[0] - times[1]) <= TOGETHER  # type: ignore[operator]


def _stage(given: Any, place: int) -> dict[str, Any]:
    probability = str(given.get("probability", "0.5"))
    return {"label": str(given["name"]), "displayOrder": place, "metadata": {"probability": probability}}


def _texts(options: JSON) -> list[str]:
    return list(dict.fromkeys(str(one) for one in options)) if isinstance(options, list) else []


def _options(labels: list[str], first: int = 0) -> list[dict[str, Any]]:
    values = [option_value(label) for label in labels]
    if len(set(values)) < len(values):
        raise PlanLimit("hubspot: two options of one property differ by a semicolon only. Rename one in the source.")
    return [
        {"label": label, "value": value, "displayOrder": first + place}
        for place, (label, value) in enumerate(zip(labels, values, strict=True))
    ]
