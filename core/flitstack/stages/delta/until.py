"""Until when: a time as people write it on a command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from flitstack.errors import UsageError

_DURATION = re.compile(r"\+?(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
FORMS = "Say +48h, 90m, 2d12h, 18:30 (the next on this machine's clock), or 2026-07-01T18:30:00+02:00."


def read_until(text: str, now: datetime) -> datetime:
    """Return the time that a text names.

    :param now: aware; a time of day is the next one after it on the machine's own clock.
    :raises UsageError: it names none, or one that is past.
    """
    text = text.strip()
    duration = _DURATION.fullmatch(text)
    if duration and any(duration.groups()):
        days, hours, minutes, seconds = (int(part or 0) for part in duration.groups())
        until = now + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    elif time := _TIME.fullmatch(text):
        local = now.astimezone()
        until = local.replace(hour=int(time[1]), minute=int(time[2]), second=0, microsecond=0)
        until += timedelta(days=1) if until <= local else timedelta()
    else:
        until = _instant(text)
    if until <= now:
        raise UsageError(f"--until: this is past already ({until:%Y-%m-%d %H:%M %z}). {FORMS}")
    return until


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(f"--until: not a time. {FORMS}") from exc
    if found.tzinfo is None:
        raise UsageError(f"--until: a date and time needs its zone. {FORMS}")
    return found
