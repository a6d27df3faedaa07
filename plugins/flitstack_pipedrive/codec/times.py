"""Times as Pipedrive writes them: RFC 3339 in version 2, `YYYY-MM-DD HH:MM:SS` in UTC in version 1."""

from __future__ import annotations

from datetime import UTC, datetime


def read_time(text: object) -> datetime | None:
    """Return the time, UTC; one without a zone is UTC already. None when there is none, or it is no time."""
    if not isinstance(text, str) or not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def canonical_time(text: object) -> str | None:
    """Return the time as `YYYY-MM-DDTHH:MM:SSZ`, or None when there is none."""
    time = read_time(text)
    return None if time is None else rfc3339(time)


def rfc3339(time: datetime) -> str:
    """Return the time in UTC, whole seconds, as version 2 writes it; it refuses fractions."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def version_1_time(text: str) -> str | None:
    """Return a canonical time as version 1 writes it, or None when it is no time."""
    time = read_time(text)
    return None if time is None else time.strftime("%Y-%m-%d %H:%M:%S")


def clock_time(text: object) -> str | None:
    """Return `HH:MM` of a time of day or a duration, which Pipedrive returns with seconds."""
    return ":".join(text.split(":")[:2]) if isinstance(text, str) and text else None
