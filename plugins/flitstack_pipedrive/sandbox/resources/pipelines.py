"""Pipelines and stages, v2: Pipedrive API `/pipelines` and `/stages`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox import checks
from flitstack_pipedrive.sandbox.account import pipeline_doc, stage_doc
from flitstack_pipedrive.sandbox.answers import Answer, data_v2
from flitstack_pipedrive.sandbox.paging import STANDARD_SORTS, list_v2
from flitstack_pipedrive.sandbox.resources.entities import create, save
from flitstack_pipedrive.sandbox.shapes import not_a

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.call import Call
    from flitstack_pipedrive.sandbox.state import Where


def _percentage(value: Any, account: object) -> str | None:
    return None if type(value) is int and 0 <= value <= 100 else not_a("integer")


_PIPELINE_CHECKS: dict[str, checks.Check] = {"name": checks.title, "is_deal_probability_enabled": checks.boolean}
_STAGE_CHECKS: dict[str, checks.Check] = {
    "name": checks.title,
    "pipeline_id": checks.reference("pipeline"),
    "deal_probability": _percentage,
    "is_deal_rot_enabled": checks.boolean,
    "days_to_rotten": checks.nullable(checks.integer),
}


def list_pipelines(call: Call) -> Answer:
    """Return a page of pipelines."""
    return list_v2(call, "pipeline")


def get_pipeline(call: Call) -> Answer:
    """Return one pipeline."""
    return data_v2(call.row("pipeline", call.number()).doc)


def create_pipeline(call: Call) -> Answer:
    """Create a pipeline behind the others; it has no stages yet."""
    call.need_admin()
    body = call.fields()
    checks.validate(body, _PIPELINE_CHECKS, call.account, required=("name",))
    order = call.store.count("pipeline", [("deleted = 0", ())]) + 1
    return create(call, "pipeline", {**pipeline_doc("", order, ""), **body, "name": body["name"].strip()})


def update_pipeline(call: Call) -> Answer:
    """Change a pipeline."""
    call.need_admin()
    return _update(call, "pipeline", _PIPELINE_CHECKS)


def delete_pipeline(call: Call) -> Answer:
    """Mark a pipeline and its stages deleted; its deals stay as they are."""
    call.need_admin()
    number = call.live_row("pipeline", call.number()).id
    for (stage,) in call.store.select("stage", "id", [("deleted = 0 AND pipeline_id = ?", (number,))]):
        _mark_deleted(call, "stage", int(stage))
    return _mark_deleted(call, "pipeline", number)


def list_stages(call: Call) -> Answer:
    """Return a page of stages, of all pipelines or one."""
    return list_v2(call, "stage", ("pipeline_id",), sorts=(*STANDARD_SORTS, "order_nr"))


def get_stage(call: Call) -> Answer:
    """Return one stage."""
    return data_v2(call.row("stage", call.number()).doc)


def create_stage(call: Call) -> Answer:
    """Create a stage behind the others of its pipeline."""
    call.need_admin()
    body = call.fields()
    checks.validate(body, _STAGE_CHECKS, call.account, required=("name", "pipeline_id"))
    mine: Where = ("deleted = 0 AND pipeline_id = ?", (body["pipeline_id"],))
    doc = stage_doc("", body["pipeline_id"], call.store.count("stage", [mine]) + 1, "")
    return create(call, "stage", {**doc, **body, "name": body["name"].strip()})


def update_stage(call: Call) -> Answer:
    """Change a stage."""
    call.need_admin()
    return _update(call, "stage", _STAGE_CHECKS)


def delete_stage(call: Call) -> Answer:
    """Mark a stage deleted; its deals stay as they are."""
    call.need_admin()
    return _mark_deleted(call, "stage", call.number())


def _update(call: Call, table: str, table_checks: dict[str, checks.Check]) -> Answer:
    row = call.live_row(table, call.number())
    body = call.fields()
    checks.validate(body, table_checks, call.account)
    row.doc |= body
    row.doc["name"] = row.doc["name"].strip()
    return save(call, table, row)


def _mark_deleted(call: Call, table: str, number: int) -> Answer:
    row = call.live_row(table, number)
    row.deleted = row.doc["is_deleted"] = True
    save(call, table, row)
    return data_v2({"id": row.id})
