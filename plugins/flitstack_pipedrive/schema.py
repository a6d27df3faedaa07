"""The account's schema: reads its fields, pipelines, stages and activity types, and creates what a spec wants."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flitstack.errors import Rejected
from flitstack.protocols import SchemaItem
from flitstack_pipedrive.answers import Call, data_in, doubt
from flitstack_pipedrive.codec.fieldbook import ENTITIES, CustomField, read_field, read_options
from flitstack_pipedrive.codec.times import read_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from flitstack.protocols import JSON, Operation
    from flitstack_pipedrive.client import Client
    from flitstack_pipedrive.codec.records import Directory

DEFAULT_ICON = "task"
ICONS = frozenset(
    "task email meeting deadline call lunch calendar downarrow document smartphone camera scissors cogs bubble uparrow "
    "checkbox signpost shuffle addressbook linegraph picture car world search clip sound brush key padlock pricetag "
    "suitcase finish plane loop wifi truck cart bulb bell presentation".split()
)
TYPES = frozenset(
    "varchar varchar_auto text double monetary date daterange time timerange enum set phone address user org "
    "people".split()
)
PAGE = 500
AT_ONCE = timedelta(seconds=2)


class AccountSchema:
    """The schema of one account, read when first needed and kept up with what is created through it."""

    def __init__(self, client: Client, directory: Directory) -> None:
        self._client = client
        self._directory = directory
        self._read: set[str] = set()
        self._pipelines: dict[str, str] = {}
        self._made: dict[str, datetime | None] = {}
        self._bound: dict[str, SchemaItem] = {}

    async def items(self) -> list[SchemaItem]:
        """Return every custom field, pipeline, stage and activity type, as the account has them now."""
        self._read.clear()
        for entity in ENTITIES:
            await self.know_fields(entity)
        items = [known.item() for known in self._directory.fields.all()]
        items += await self._pipeline_items()
        items += await self._stage_items()
        return items + await self._type_items()

    async def items_of(self, object: str) -> list[SchemaItem]:
        """Return what the account has now of one kind of schema item."""
        if object == "field":
            self._read.difference_update(ENTITIES)
            for entity in ENTITIES:
                await self.know_fields(entity)
            return [known.item() for known in self._directory.fields.all()]
        if object == "activity_type":
            return await self._type_items()
        if object == "pipeline" or not self._pipelines:
            pipelines = await self._pipeline_items()
            if object == "pipeline":
                return pipelines
        return await self._stage_items()

    async def know_fields(self, entity: str) -> None:
        """Read the entity's custom fields unless they are known."""
        if entity in self._read:
            return
        call = Call(2, "GET", f"/{entity}Fields", scope="account")
        raw = [one async for one in self._client.pages(call, PAGE)]
        fields = [read_field(entity, one) for one in raw if one.get("is_custom_field")]
        self._directory.fields.replace_all(entity, fields)
        self._client.name_fields({known.code: known.name for known in fields})
        self._read.add(entity)

    async def know_types(self) -> None:
        """Read the activity types unless they are known."""
        if "activity_type" not in self._read:
            await self._type_items()

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Let each key of the spec stand for the account's item."""
        self._bound.update(items)
        for key, item in items.items():
            object, of, name = key.split("/", 2)
            if object == "field":
                self._directory.fields.bind(of, name, item)

    async def apply(self, operation: Operation) -> str:
        """Carry out one schema operation and return the item's id.

        :raises FlitError: as the client says; Rejected when the wanted item cannot be.
        """
        match operation.object, operation.verb:
            case "field", "create":
                return await self._create_field(operation.fields)
            case "field", "update":
                return await self._update_field(_id(operation), operation.fields)
            case "field", _:
                return await self._delete_field(_id(operation))
            case object, "delete":
                await self._client.send(_one(object, "DELETE", _id(operation)))
            case "stage", "create":
                return await self._create("stage", await self._stage_body(operation))
            case "activity_type", "create":
                return await self._create("activity_type", _type_body(operation.fields))
            case object, "create":
                return await self._create(object, {"name": str(operation.fields["name"])})
            case object, _:
                body = {"name": str(operation.fields["name"])}
                await self._client.send(replace(_one(object, _update_verb(object), _id(operation)), body=body))
        return _id(operation)

    async def _create(self, object: str, body: dict[str, Any]) -> str:
        call = Call(_version(object), "POST", _PATHS[object], body=body, scope="account")
        raw = data_in(call, await self._client.send(call), "id", *_TOLD[object])
        if object == "pipeline":
            self._pipelines[str(raw["id"])] = str(raw["name"])
        if object == "activity_type":
            self._directory.activity_types[str(raw["id"])] = str(raw["key_string"])
        return str(raw["id"])

    async def _create_field(self, wanted: Mapping[str, JSON]) -> str:
        entity, kind = str(wanted.get("of") or ""), str(wanted.get("type") or "varchar")
        if entity not in ENTITIES or kind not in TYPES:
            raise Rejected(
                "schema_unfit",
                f'Field "{wanted.get("name")}": Pipedrive has no custom field of type "{kind}" for "{entity}".',
                "Correct the mapping's schema.",
            )
        body: dict[str, Any] = {"field_name": str(wanted["name"]), "field_type": kind}
        if kind in ("enum", "set"):
            body["options"] = [{"label": label} for label in _labels(wanted.get("options"))]
        call = Call(2, "POST", f"/{entity}Fields", body=body, scope="account")
        told = ("field_code", "field_name", "field_type", *(("options",) if "options" in body else ()))
        known = read_field(entity, data_in(call, await self._client.send(call), *told))
        self._directory.fields.add(known)
        self._client.name_fields({known.code: known.name})
        return known.code

    async def _update_field(self, code: str, wanted: Mapping[str, JSON]) -> str:
        """Rename the field, add the options that `options` has and the field has not, drop `remove_options`."""
        known = await self._field(code, wanted)
        name = str(wanted.get("name") or known.name)
        path, ids = f"/{known.entity}Fields/{{field_code}}", {"field_code": code}
        if name != known.name:
            await self._client.send(Call(2, "PATCH", path, ids, body={"field_name": name}, scope="account"))
            known = replace(known, name=name)
        new = [label for label in _labels(wanted.get("options")) if known.option_id(label) is None]
        if new:
            body: Any = [{"label": label} for label in new]
            call = Call(2, "POST", f"{path}/options", ids, body=body, scope="account")
            added = (await self._client.send(call)).get("data")
            if not isinstance(added, list):
                raise doubt(call)
            known = replace(known, options={**known.options, **read_options(added)})
        gone = [label for label in _labels(wanted.get("remove_options")) if label in known.options]
        if gone:
            body = [{"id": known.options[label]} for label in gone]
            await self._client.send(Call(2, "DELETE", f"{path}/options", ids, body=body, scope="account"))
            known = replace(known, options={label: id for label, id in known.options.items() if label not in gone})
        self._directory.fields.add(known)
        return code

    async def _delete_field(self, code: str) -> str:
        known = await self._field(code, {})
        path = f"/{known.entity}Fields/{{field_code}}"
        await self._client.send(Call(2, "DELETE", path, {"field_code": code}, scope="account"))
        self._directory.fields.remove(code)
        return code

    async def _field(self, code: str, wanted: Mapping[str, JSON]) -> CustomField:
        stated = str(wanted.get("of") or "")
        for entity in (stated,) if stated in ENTITIES else ENTITIES:
            await self.know_fields(entity)
        known = self._directory.fields.by_code(code)
        if known is None:
            raise Rejected("destination_not_found", "The field is gone from the account.", "Plan again.")
        return known

    async def _stage_body(self, operation: Operation) -> dict[str, Any]:
        """Return the body of a new stage, its pipeline looked up by name."""
        of = str(operation.fields.get("of") or "")
        pipeline = operation.links.get("pipeline_id")
        if pipeline is None:
            bound = self._bound.get(SchemaItem("pipeline", of).key)
            pipeline = bound.id if bound else None
        if pipeline is None:
            await self._pipeline_items()
            named = [id for id, name in self._pipelines.items() if name == of]
            if len(named) != 1:
                raise Rejected(
                    "schema_unfit",
                    f'Stage "{operation.fields["name"]}": the account has {len(named)} pipelines named "{of}".',
                    "Create the pipeline first, or rename the others.",
                )
            pipeline = named[0]
        return {"name": str(operation.fields["name"]), "pipeline_id": int(pipeline)}

    async def _pipeline_items(self) -> list[SchemaItem]:
        raw = [one async for one in self._client.pages(Call(2, "GET", "/pipelines", scope="account"), PAGE)]
        self._pipelines = {str(one["id"]): str(one["name"]) for one in raw if not one.get("is_deleted")}
        self._made = {str(one["id"]): read_time(one.get("add_time")) for one in raw}
        return [SchemaItem("pipeline", name, id=id) for id, name in self._pipelines.items()]

    async def _stage_items(self) -> list[SchemaItem]:
        raw = [one async for one in self._client.pages(Call(2, "GET", "/stages", scope="account"), PAGE)]
        raw.sort(key=lambda one: (one["pipeline_id"], one.get("order_nr") or 0))
        return [
            SchemaItem(
                "stage",
                str(one["name"]),
                self._pipelines[str(one["pipeline_id"])],
                {"pipeline_id": str(one["pipeline_id"])},
                str(one["id"]),
                _came_along(one, self._made.get(str(one["pipeline_id"]))),
            )
            for one in raw
            if not one.get("is_deleted") and str(one["pipeline_id"]) in self._pipelines
        ]

    async def _type_items(self) -> list[SchemaItem]:
        raw = (await self._client.send(Call(1, "GET", "/activityTypes", scope="account"))).get("data") or []
        self._directory.activity_types = {str(one["id"]): str(one["key_string"]) for one in raw}
        self._read.add("activity_type")
        return [
            SchemaItem(
                "activity_type",
                str(one["name"]),
                settings={"icon": one.get("icon_key"), "key_string": one["key_string"]},
                id=str(one["id"]),
            )
            for one in raw
            if one.get("active_flag", True)
        ]


_TOLD = {"pipeline": ("name",), "stage": (), "activity_type": ("key_string",)}
_PATHS = {"pipeline": "/pipelines", "stage": "/stages", "activity_type": "/activityTypes"}


def _came_along(stage: Mapping[str, Any], pipeline_made: datetime | None) -> bool:
    """Return whether a stage was made with its pipeline and never touched: accounts may put stages of their own in."""
    made = read_time(stage.get("add_time"))
    if made is None or pipeline_made is None or abs(made - pipeline_made) > AT_ONCE:
        return False
    changed = read_time(stage.get("update_time"))
    return changed is None or changed - made <= AT_ONCE


def _version(object: str) -> Any:
    return 1 if object == "activity_type" else 2


def _update_verb(object: str) -> Any:
    return "PUT" if object == "activity_type" else "PATCH"


def _one(object: str, method: Any, id: str) -> Call:
    return Call(_version(object), method, f"{_PATHS[object]}/{{id}}", {"id": id}, scope="account")


def _id(operation: Operation) -> str:
    if operation.destination_id is None:
        raise Rejected("destination_not_found", f"The {operation.object} has no id in the account.", "Plan again.")
    return operation.destination_id


def _labels(options: JSON) -> list[str]:
    """Return the options' labels, each once, in their order."""
    found = options if isinstance(options, list) else []
    return list(dict.fromkeys(str(option["label"]) if isinstance(option, dict) else str(option) for option in found))


def _type_body(wanted: Mapping[str, JSON]) -> dict[str, Any]:
    icon = str(wanted.get("icon") or wanted.get("icon_key") or DEFAULT_ICON)
    if icon not in ICONS:
        raise Rejected(
            "schema_unfit",
            f'Activity type "{wanted["name"]}": Pipedrive has no icon "{icon}".',
            f"Use one of {', '.join(sorted(ICONS))}.",
        )
    return {"name": str(wanted["name"]), "icon_key": icon}
