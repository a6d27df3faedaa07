"""What tests of destinations ask a trial: what was done in it, and what a fresh writer lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flitstack.protocols import Operation, Outcome, Stored, Writer
    from flitstack.testing.kit.trial import Trial


def record_objects(trial: Trial) -> list[str]:
    """Return the objects of which records were created."""
    schema = trial.behaviours.schema_objects
    return sorted({sent.object for sent, _ in done(trial, "create")} - set(schema))


def done(trial: Trial, verb: str) -> list[tuple[Operation, Outcome]]:
    """Return the operations of this verb that were done, with their outcomes, in their order."""
    return [(p, o) for p, o in trial.recording.applied if p.verb == verb and o.error is None]


def first_of_each(trial: Trial) -> list[tuple[Operation, Outcome]]:
    """Return the first create of each object of which records were created."""
    found: dict[str, tuple[Operation, Outcome]] = {}
    for sent, outcome in done(trial, "create"):
        if sent.object not in trial.behaviours.schema_objects:
            found.setdefault(sent.object, (sent, outcome))
    return list(found.values())


async def list_of(writer: Writer, object_: str, since: object = None) -> list[Stored]:
    """Return what a list gives."""
    return [one async for one in writer.list(object_, since=since)]  # type: ignore[arg-type]


def listed(trial: Trial, object_: str) -> list[Stored]:
    """Return what a fresh writer lists."""
    return trial.talk(lambda writer: list_of(writer, object_))
