"""Names that are taken: by a property of another type, by HubSpot's own; and the last stages of pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.errors import PlanLimit, Rejected
from flitstack_hubspot.answers import Call
from flitstack_hubspot.behaviours import CLASH_SUFFIX, NAME_LIMIT, behaviours
from flitstack_hubspot.schema import NAME

if TYPE_CHECKING:
    from tests.hubspot.conftest import Desk
    from tests.hubspot.moved import Moved

PROPERTY = {"label": "Theirs", "type": "number", "fieldType": "number", "groupName": "contactinformation"}
PIPELINES = "/crm/v3/pipelines/deals"
STAGE: dict[str, Any] = {"label": "Theirs", "displayOrder": 0, "metadata": {"probability": "0.5"}}


def test_a_property_of_another_type_gives_way_to_one_beside_it(account: Moved) -> None:
    account.post("/crm/v3/properties/contacts", {"name": "recall_type", **PROPERTY})

    code, report, words = account.run()

    assert (code, report["verified"]["mismatched"]) == (0, 0), words
    held = [one["properties"] for one in account.held("contacts").values()]
    assert any(one.get("recall_type_flit") for one in held)
    assert not any(one.get("recall_type") for one in held)
    assert account.run()[1]["objects"]["field"]["created"] == 0
    assert account.rollback()[0] == 0
    left = [one["name"] for one in account.http.get("/crm/v3/properties/contacts").json()["results"]]
    assert "recall_type" in left
    assert "recall_type_flit" not in left


def test_people_can_tell_which_of_the_two_is_ours(desk: Desk) -> None:
    desk.make("field", {"name": "coverage_flit", "of": "contact", "type": "string", "label": "Coverage"})

    made = desk.sandbox.account.store.get("property:contacts", "coverage_flit")

    assert made is not None
    assert made["label"] == "Coverage (flit)"


@given(st.from_regex(r"[a-z][a-z0-9_]{0,99}", fullmatch=True))
def test_what_gives_way_is_a_name_that_hubspot_takes(name: str) -> None:
    field = behaviours().objects["field"]

    assert field.limits["name"] == NAME_LIMIT
    assert NAME.fullmatch(name[: NAME_LIMIT - len(CLASH_SUFFIX)] + field.clash_suffix)


def test_a_property_of_hubspots_own_is_used_where_it_does_as_well_and_never_deleted(desk: Desk) -> None:
    fields = {"name": "jobtitle", "of": "contact", "type": "string", "label": "Job"}

    id = desk.make("field", fields)
    (gone,) = desk.apply(desk.operation("delete", "field", {"name": "jobtitle", "of": "contact"}, id=id))

    assert (id, gone.error) == ("contact/jobtitle", None)
    assert desk.sandbox.account.store.get("property:contacts", "jobtitle") is not None


@pytest.mark.parametrize(("name", "type_"), [("jobtitle", "number"), ("lifecyclestage", "enum")])
def test_a_property_of_hubspots_own_that_holds_something_else_stops_the_run(desk: Desk, name: str, type_: str) -> None:
    (outcome,) = desk.apply(desk.operation("create", "field", {"name": name, "of": "contact", "type": type_}))

    assert isinstance(outcome.error, PlanLimit)
    assert "another name" in str(outcome.error)


def test_the_last_stage_of_our_pipeline_goes_with_it(desk: Desk) -> None:
    made = desk.set_up()

    for name in ("Open", "Won"):
        (outcome,) = desk.apply(
            desk.operation("delete", "stage", {"name": name, "of": "Plans"}, id=made[f"stage/Plans/{name}"])
        )
        assert outcome.error is None

    assert "pipeline//Plans" not in {item.key for item in desk.do(desk.writer.schema())}


def test_the_last_stage_of_somebodys_pipeline_stays(desk: Desk) -> None:
    theirs = desk.do(
        desk.client.send(Call("POST", PIPELINES, body={"label": "Theirs", "displayOrder": 0, "stages": [STAGE]}))
    )
    desk.clock.advance(3_600)
    ours = desk.make("stage", {"name": "Ours", "of": "Theirs", "probability": "0.5"})
    desk.do(desk.client.send(Call("DELETE", f"{PIPELINES}/{theirs['id']}/stages/{theirs['stages'][0]['id']}")))

    (outcome,) = desk.apply(desk.operation("delete", "stage", {"name": "Ours", "of": "Theirs"}, id=ours))

    assert isinstance(outcome.error, Rejected)
    assert "pipeline//Theirs" in {item.key for item in desk.do(desk.writer.schema())}


def test_a_stage_in_which_a_deal_stands_is_not_deleted(desk: Desk) -> None:
    made = desk.set_up()
    desk.make("deal", {"dealname": "A"}, links={"dealstage": made["stage/Plans/Open"]})

    (outcome,) = desk.apply(
        desk.operation("delete", "stage", {"name": "Open", "of": "Plans"}, id=made["stage/Plans/Open"])
    )

    assert isinstance(outcome.error, Rejected)
