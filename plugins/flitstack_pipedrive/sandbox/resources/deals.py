"""Deals, v2: Pipedrive API `/deals` and `/deals/archived`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox import checks
from flitstack_pipedrive.sandbox.answers import Answer, plan_cap, refused_v2
from flitstack_pipedrive.sandbox.resources.entities import (
    create,
    custom_object,
    delete,
    get_entity,
    list_entities,
    save,
    take_customs,
)
from flitstack_pipedrive.sandbox.resources.native_fields import DEAL_LABELS
from flitstack_pipedrive.sandbox.shapes import not_a
from flitstack_pipedrive.sandbox.texts import parse_v1_time, parse_v2_time

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call
    from flitstack_pipedrive.sandbox.state import Where

STATUSES = ("open", "won", "lost")
_SHOWN = (
    "title",
    "creator_user_id",
    "owner_id",
    "value",
    "person_id",
    "org_id",
    "stage_id",
    "pipeline_id",
    "currency",
    "archive_time",
    "add_time",
    "update_time",
    "stage_change_time",
    "status",
    "is_archived",
    "is_deleted",
    "probability",
    "lost_reason",
    "visible_to",
    "close_time",
    "won_time",
    "lost_time",
    "local_won_date",
    "local_lost_date",
    "local_close_date",
    "expected_close_date",
    "label_ids",
    "origin",
    "origin_id",
    "channel",
    "channel_id",
    "source_lead_id",
    "acv",
    "arr",
    "mrr",
    "custom_fields",
)


def _archive_moment(value: Any, account: object) -> str | None:
    return None if parse_v1_time(value) else "The value is not a valid datetime"


def _percentage(value: Any, account: object) -> str | None:
    return None if type(value) in (int, float) and 0 <= value <= 100 else not_a("number")


def _only_false(value: Any, account: object) -> str | None:
    return None if value is False else "The value is not allowed"


_CHECKS: dict[str, checks.Check] = {
    "title": checks.title,
    "owner_id": checks.owner,
    "person_id": checks.nullable(checks.reference("person")),
    "org_id": checks.nullable(checks.reference("organization")),
    "pipeline_id": checks.reference("pipeline"),
    "stage_id": checks.reference("stage"),
    "value": checks.number,
    "currency": checks.currency,
    # Nobody knows what setting it does, so nothing may rely on it.
    "is_deleted": _only_false,
    "is_archived": checks.boolean,
    "archive_time": checks.nullable(_archive_moment),
    "status": checks.one_of(*STATUSES),
    "probability": checks.nullable(_percentage),
    "lost_reason": checks.nullable(checks.text(255)),
    "visible_to": checks.visibility,
    "close_time": checks.nullable(checks.moment),
    "won_time": checks.moment,
    "lost_time": checks.moment,
    "expected_close_date": checks.day,
    "label_ids": checks.labels([number for number, _ in DEAL_LABELS]),
    "channel_id": checks.text(255),
    "custom_fields": custom_object,
}


def list_deals(call: Call) -> Answer:
    """Return a page of deals that are not archived; `status=deleted` shows those of the last 30 days."""
    return _list(call, archived=False)


def list_archived_deals(call: Call) -> Answer:
    """Return a page of archived deals."""
    return _list(call, archived=True)


def _list(call: Call, *, archived: bool) -> Answer:
    wheres: list[Where] = [("is_archived = ?", (int(archived),))]
    if "status" not in call.query:
        wheres.append(("deleted = 0", ()))
    equal = ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id")
    return list_entities(call, "deal", equal, extra={"status": lambda text: _by_status(call, text)}, wheres=wheres)


def _by_status(call: Call, text: str) -> Where:
    wanted = text.split(",")
    if not set(wanted) <= {*STATUSES, "deleted"}:
        raise refused_v2({"status": "The value is not allowed"})
    stated = [status for status in wanted if status != "deleted"]
    sql = f"(deleted = 0 AND status IN ({','.join('?' * len(stated))}))"
    values: tuple[str, ...] = tuple(stated)
    if "deleted" in wanted:
        sql += " OR (deleted = 1 AND update_time >= ?)"
        values += (call.account.purged_before(),)
    return sql, values


def get_deal(call: Call) -> Answer:
    """Return one deal, archived or not."""
    return get_entity(call, "deal")


def create_deal(call: Call) -> Answer:
    """Create a deal, within the plan's cap of deals and leads together."""
    body = dict(call.fields())
    added = _take_add_time(call, body)
    body.pop("origin_id", None)
    checks.validate(body, _CHECKS, call.account, required=("title",))
    need_room(call)
    now = call.account.now()
    doc = _new_deal(call, now)
    _take(call, doc, body, now)
    if doc["stage_id"] is None:
        doc["pipeline_id"], doc["stage_id"] = _first_stage(call, body.get("pipeline_id"))
    return create(call, "deal", doc, added)


def _new_deal(call: Call, now: str) -> Doc:
    doc: Doc = dict.fromkeys(_SHOWN)
    doc |= {
        "creator_user_id": call.user.id,
        "owner_id": call.user.id,
        "value": 0,
        "currency": call.account.currency,
        "stage_change_time": now,
        "status": "open",
        "is_archived": False,
        "is_deleted": False,
        "visible_to": max(call.account.plan.visibilities),
        "label_ids": [],
        "origin": "API",
        "custom_fields": {},
    }
    return doc


def update_deal(call: Call) -> Answer:
    """Change a deal."""
    row = call.live_row("deal", call.number())
    body = dict(call.fields())
    _take_add_time(call, body)
    checks.validate(body, _CHECKS, call.account)
    _take(call, row.doc, body, call.account.now())
    if "pipeline_id" in body and "stage_id" not in body and body["pipeline_id"] != row.doc["pipeline_id"]:
        row.doc["pipeline_id"], row.doc["stage_id"] = _first_stage(call, body["pipeline_id"])
        row.doc["stage_change_time"] = call.account.now()
    return save(call, "deal", row)


def delete_deal(call: Call) -> Answer:
    """Delete a deal."""
    return delete(call, "deal")


def need_room(call: Call) -> None:
    """Raise the 403 of a plan whose deals and leads are used up."""
    cap = call.account.plan.deals(call.account.seats)
    # Counting is slow in a full account; as long as fewer than that were ever made, there is room.
    if call.store.next_id("deal") + call.store.next_id("lead") <= cap:
        return
    live: Where = ("deleted = 0", ())
    held = call.store.count("deal", [live]) + call.store.count("lead", [live])
    if held >= cap:
        raise plan_cap("Couldn't add the deal. Open deals limit reached.", "feature_capping_deals_limit")


def _take_add_time(call: Call, body: Doc) -> str | None:
    """Return the time to backdate to, and take it out of the body unless it is to be refused."""
    how = call.account.switches.deal_add_time
    if how == "refuse" or "add_time" not in body:
        return None
    stated = body.pop("add_time")
    if how == "drop":
        return None
    added = parse_v2_time(stated)
    if added is None:
        raise refused_v2({"add_time": "The value is not a valid datetime"})
    return added


def _take(call: Call, doc: Doc, body: Doc, now: str) -> None:
    for key in (
        "owner_id",
        "person_id",
        "org_id",
        "value",
        "currency",
        "probability",
        "visible_to",
        "expected_close_date",
        "label_ids",
        "channel_id",
    ):
        if key in body:
            doc[key] = body[key]
    if "title" in body:
        doc["title"] = body["title"].strip()
    if "stage_id" in body and body["stage_id"] != doc["stage_id"]:
        (pipeline,) = call.store.select("stage", "pipeline_id", [("id = ?", (body["stage_id"],))])[0]
        # A pipeline beside a stage is ignored (v1 text on deals): the stage decides.
        doc |= {"stage_id": body["stage_id"], "pipeline_id": pipeline, "stage_change_time": now}
    _take_status(doc, body, now)
    _take_archive(doc, body, now)
    take_customs(call, "deal", doc, body)


def _take_status(doc: Doc, body: Doc, now: str) -> None:
    """Set status and its times: won, lost and close time only with the status they belong to."""
    status = str(body.get("status", doc["status"]))
    _refuse_foreign_times(status, body)
    if status != doc["status"]:
        doc |= {"status": status, "won_time": None, "lost_time": None, "close_time": None, "lost_reason": None}
    if status != "open":
        name = f"{status}_time"
        at = parse_v2_time(body.get(name) or body.get("close_time")) or doc[name] or now
        doc[name] = at
        doc["close_time"] = parse_v2_time(body.get("close_time")) or at
    if "lost_reason" in body:
        doc["lost_reason"] = body["lost_reason"]
    for local, exact in (
        ("local_won_date", "won_time"),
        ("local_lost_date", "lost_time"),
        ("local_close_date", "close_time"),
    ):
        doc[local] = doc[exact][:10] if doc[exact] else None


def _refuse_foreign_times(status: str, body: Doc) -> None:
    needs = {"won_time": ("won",), "lost_time": ("lost",), "lost_reason": ("lost",), "close_time": ("won", "lost")}
    reasons = {
        key: f"The value is only allowed with status {' or '.join(statuses)}"
        for key, statuses in needs.items()
        if body.get(key) is not None and status not in statuses
    }
    if reasons:
        raise refused_v2(reasons)


def _take_archive(doc: Doc, body: Doc, now: str) -> None:
    if "is_archived" in body:
        doc["is_archived"] = body["is_archived"]
    if body.get("archive_time") is not None and not doc["is_archived"]:
        raise refused_v2({"archive_time": "The value is only allowed on an archived deal"})
    if not doc["is_archived"]:
        doc["archive_time"] = None
    else:
        doc["archive_time"] = parse_v1_time(body.get("archive_time")) or doc["archive_time"] or now


def _first_stage(call: Call, pipeline: int | None) -> tuple[int, int]:
    """Return pipeline and first stage; None means the account's first pipeline."""
    if pipeline is None:
        found = call.store.select("pipeline", "id", [("deleted = 0", ())], limit=1)
        if not found:
            raise refused_v2({"pipeline_id": "The account has no pipeline"})
        pipeline = int(found[0][0])
    stages = call.store.select("stage", "id", [("deleted = 0 AND pipeline_id = ?", (pipeline,))], "order_nr, id", 1)
    if not stages:
        raise refused_v2({"pipeline_id": "The pipeline has no stage"})
    return pipeline, int(stages[0][0])
