"""Questions about times: which may be set, in which zone a due time is, how late lists and the search are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flitstack.protocols import Probe, ProbeAnswer
from flitstack_pipedrive.answers import Call
from flitstack_pipedrive.codec.times import read_time, version_1_time
from flitstack_pipedrive.probes.desk import Question, blames, shown, took

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from flitstack_pipedrive.probes.desk import Desk

LONG_AGO = "2001-02-03T04:05:06Z"
NOON = "12:00"
LONGEST_WAIT_S = 60.0
POLLS_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_WAIT_S)
LISTS = ("person", "activity", "note")


async def _set_time(desk: Desk, object: str, key: str, more: Mapping[str, Any]) -> str | None:
    """Return what happens to a time that a creation states: `stored`, `dropped`, `refused`; None if something else."""
    made = await desk.make(object, {**more, key: LONG_AGO})
    if made.id is None:
        return "refused" if blames(made.answer, key) else None
    raw = await desk.read(object, made.id) or {}
    return "stored" if read_time(raw.get(key)) == read_time(LONG_AGO) else "dropped"


async def deal_add_time(desk: Desk) -> ProbeAnswer:
    """Create a deal of long ago."""
    found = await _set_time(desk, "deal", "add_time", {})
    if found is None:
        return ProbeAnswer(None, "the deal was refused for another reason")
    words = {"stored": "a deal can be backdated", "dropped": "dropped without a word", "refused": "refused"}[found]
    stored = "finding: this account could backdate deals; flit keeps the date in Original_Create_Date__c all the same"
    return ProbeAnswer(found, words, stored if found == "stored" else "nothing: the date is in Original_Create_Date__c")


async def activity_times(desk: Desk) -> ProbeAnswer:
    """Create done activities of long ago."""
    found = {key: await _set_time(desk, "activity", key, {"done": True}) for key in ("add_time", "marked_as_done_time")}
    if None in found.values():
        return ProbeAnswer(None, "an activity was refused for another reason")
    words = ", ".join(f"{key} {what}" for key, what in found.items())
    stored = "finding: this account could backdate activities; flit keeps the times in the activity's note"
    return ProbeAnswer(found, words, stored if "stored" in found.values() else "")


async def activity_due_time_zone(desk: Desk) -> ProbeAnswer:
    """Create an activity at noon and compare it with what version 1, which documents UTC, shows of it."""
    zone_name = str(desk.me.get("timezone_name") or "")
    day = _telling_day(zone_name, desk.clock.now())
    if day is None:
        return ProbeAnswer(None, f"the token's user is in {zone_name or 'no zone'}, where it makes no difference")
    made = await desk.make("activity", {"due_date": day.isoformat(), "due_time": NOON})
    id = made.needed()
    added = read_time(made.data.get("add_time")) or desk.clock.now()
    since = version_1_time((added - timedelta(seconds=2)).isoformat()) or ""
    query = {"since_timestamp": since, "items": "activity", "limit": "500"}
    answer = await desk.send(Call(1, "GET", "/recents", query=query))
    items = (answer.parsed() or {}).get("data") or [] if took(answer) else []
    raw = next((item["data"] for item in items if str(item.get("id")) == id and item.get("data")), None)
    if raw is None or not raw.get("due_time"):
        return ProbeAnswer(None, "version 1 does not show the activity")
    shown_at = f"{raw.get('due_date')} {str(raw['due_time'])[:5]}"
    noon = datetime.combine(day, datetime.min.time().replace(hour=12))
    if shown_at == f"{noon:%Y-%m-%d %H:%M}":
        return ProbeAnswer("utc", "UTC, as version 1 documents it", "activity_time_zone is utc unless you set it")
    if shown_at == f"{noon.replace(tzinfo=ZoneInfo(zone_name)).astimezone(UTC):%Y-%m-%d %H:%M}":
        return ProbeAnswer("user", "the user's own zone", "activity_time_zone is user unless you set it")
    return ProbeAnswer(None, "version 1 shows another time than either zone gives")


def _telling_day(zone_name: str, now: datetime) -> date | None:
    """Return a day next year on which the zone differs from UTC, None when there is none."""
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
    days = (date(now.year + 1, month, 15) for month in (1, 7))
    noons = (datetime(day.year, day.month, day.day, 12, tzinfo=zone) for day in days)
    return next((noon.date() for noon in noons if noon.utcoffset()), None)


async def list_lag(desk: Desk) -> ProbeAnswer:
    """Create a record of each kind of list and look for it until it shows."""
    person = await desk.make("person", {})
    bodies: dict[str, Any] = {
        "person": {},
        "activity": {},
        "note": lambda name: {"content": name, "person_id": int(person.needed())},
    }
    found: dict[str, float | None] = {}
    for object, body in bodies.items():
        made = await desk.make(object, body)
        id, began = made.needed(), desk.clock.monotonic()
        since = (read_time(made.data.get("update_time")) or desk.clock.now()) - timedelta(seconds=1)

        async def shows(object: str = object, id: str = id, since: datetime = since) -> bool:
            return any(str(raw["id"]) == id for raw in await desk.listed(object, since))

        found[object] = await _seconds_until(desk, began, shows)
    late = [name for name, seconds in found.items() if seconds is None]
    slowest = max((seconds for seconds in found.values() if seconds is not None), default=0.0)
    words = f"{', '.join(late)}: not within {LONGEST_WAIT_S:.0f} s" if late else f"at most {slowest:.1f} s"
    return ProbeAnswer(dict(found), words, "list_lag_s is three times the slowest, and at least 5 s, unless you set it")


async def search_lag(desk: Desk) -> ProbeAnswer:
    """Create a person and search for it until it is found."""
    made = await desk.make("person", {})
    id, began = made.needed(), desk.clock.monotonic()
    query = {"term": made.name, "fields": "name", "exact_match": "true"}

    async def shows() -> bool:
        answer = await desk.send(Call(2, "GET", "/persons/search", query=query))
        items = shown(answer).get("items") or ()
        return any(str(item.get("item", {}).get("id")) == id for item in items)

    seconds = await _seconds_until(desk, began, shows)
    if seconds is None:
        return ProbeAnswer({"seconds": None}, f"not within {LONGEST_WAIT_S:.0f} s", "")
    return ProbeAnswer({"seconds": seconds}, f"{seconds:.1f} s", "nothing: flit never searches to see what it wrote")


async def _seconds_until(desk: Desk, began: float, shows: Callable[[], Awaitable[bool]]) -> float | None:
    """Return the seconds after which it was first seen, rounded up; None when it was not within the longest wait."""
    for at in POLLS_S:
        await desk.clock.sleep(max(0.0, began + at - desk.clock.monotonic()))
        if await shows():
            return -(-(desk.clock.monotonic() - began) * 10 // 1) / 10
    return None


_POLLS = len(POLLS_S)
QUESTIONS = (
    Question(
        Probe("deal_add_time", "Can a new deal be given the day it was really made?", {"deal": 1}, 5 + 1 + 4),
        deal_add_time,
    ),
    Question(
        Probe("activity_times", "Can an activity be given its real creation and completion time?", {"activity": 2}, 20),
        activity_times,
    ),
    Question(
        Probe("activity_due_time_zone", "In which zone does it read an activity's due time?", {"activity": 1}, 29),
        activity_due_time_zone,
    ),
    Question(
        Probe(
            "list_lag",
            "How long until a list shows a new record?",
            {"person": 2, "activity": 1, "note": 1},
            45 + _POLLS * 40,
        ),
        list_lag,
    ),
    Question(
        Probe("search_lag", "How long until the search finds a new record?", {"person": 1}, 9 + _POLLS * 20),
        search_lag,
    ),
)
