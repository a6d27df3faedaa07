"""Questions about deleting: what goes with a person or an organization, and whether a deal comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.errors import Rejected
from flitstack.protocols import Probe, ProbeAnswer
from flitstack_pipedrive.probes.desk import Question, is_gone, took

if TYPE_CHECKING:
    from flitstack_pipedrive.probes.desk import Desk

SETTLING_S = 3.0  # what goes with a deleted record may go a moment later


async def deleting_a_person(desk: Desk) -> ProbeAnswer:
    """Delete a person with a deal, an activity and a note."""
    id = (await desk.make("person", {})).needed()
    number = int(id)
    children = {
        "deal": (await desk.make("deal", {"person_id": number})).needed(),
        "activity": (await desk.make("activity", {"participants": [{"person_id": number, "primary": True}]})).needed(),
        "note": (await desk.make("note", lambda name: {"content": name, "person_id": number})).needed(),
    }
    return await _delete_above(desk, "person", id, children)


async def deleting_an_organization(desk: Desk) -> ProbeAnswer:
    """Delete an organization with a person, a deal, an activity and a note."""
    id = (await desk.make("organization", {})).needed()
    number = int(id)
    children = {
        "person": (await desk.make("person", {"org_id": number})).needed(),
        "deal": (await desk.make("deal", {"org_id": number})).needed(),
        "activity": (await desk.make("activity", {"org_id": number})).needed(),
        "note": (await desk.make("note", lambda name: {"content": name, "org_id": number})).needed(),
    }
    return await _delete_above(desk, "organization", id, children)


async def _delete_above(desk: Desk, object: str, id: str, children: dict[str, str]) -> ProbeAnswer:
    answer = await desk.delete(object, id)
    if not took(answer):
        return ProbeAnswer(None, f"the {object} could not be deleted ({answer.status})")
    await desk.clock.sleep(SETTLING_S)
    found = {name: "deleted" if is_gone(await desk.read(name, one)) else "kept" for name, one in children.items()}
    gone = [name for name, what in found.items() if what == "deleted"]
    words = f"it takes its {', '.join(gone)} with it" if gone else "what hangs on it stays"
    changes = f"finding: deleting a {object} by hand deletes what was migrated below it" if gone else ""
    return ProbeAnswer(dict(found), words, changes)


async def undeleting_a_deal(desk: Desk) -> ProbeAnswer:
    """Delete a deal and try to bring it back."""
    id = (await desk.make("deal", {})).needed()
    if not took(await desk.delete("deal", id)):
        raise Rejected("destination_refused", "the deal could not be deleted.", "Ask again later.")
    answer = await desk.update("deal", id, {"is_deleted": False})
    if not took(answer):
        return ProbeAnswer("refused", f"no ({answer.status})")
    back = not is_gone(await desk.read("deal", id))
    changes = "finding: a deal deleted by mistake can be brought back through the API" if back else ""
    return ProbeAnswer("restored" if back else "ignored", "yes" if back else "no, without a word", changes)


QUESTIONS = (
    Question(
        Probe(
            "deleting_a_person",
            "Does deleting a person delete what hangs on it?",
            {"person": 1, "deal": 1, "activity": 1, "note": 1},
            60,
        ),
        deleting_a_person,
    ),
    Question(
        Probe(
            "deleting_an_organization",
            "Does deleting an organization delete what hangs on it?",
            {"organization": 1, "person": 1, "deal": 1, "activity": 1, "note": 1},
            70,
        ),
        deleting_an_organization,
    ),
    Question(Probe("undeleting_a_deal", "Can a deleted deal be brought back?", {"deal": 1}, 20), undeleting_a_deal),
)
