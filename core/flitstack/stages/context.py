"""What every stage of one run is given."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from flitstack.errors import Interrupted
from flitstack.journal import Spending
from flitstack.stages.intake.decisions import Decisions
from flitstack.stages.intake.merged import Merged
from flitstack.stages.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from flitstack.clock import Clock
    from flitstack.errors import Rejected
    from flitstack.journal import Journal
    from flitstack.protocols import Behaviours, LinkRef, Writer
    from flitstack.stages.standing import Guard

T = TypeVar("T")


class Progress(Protocol):
    """Shows a person how far a stage is."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """A stage begins; `total` is what it will advance to, None when nobody knows."""
        ...

    def advance(self, count: int = 1) -> None:
        """That much more is done."""
        ...

    def end(self) -> None:
        """The stage is over."""
        ...

    def say(self, text: str) -> None:
        """Print one line of words."""
        ...


async def on_disk(written: Future[T]) -> T:
    """Wait, without holding up the event loop, until a write to the journal is committed; return its result."""
    return await asyncio.wrap_future(written)


@dataclass(slots=True)
class StopFlag:
    """Raised by a person's Ctrl-C: what is under way is finished, nothing new is begun."""

    raised: bool = False

    def check(self) -> None:
        """:raises Interrupted: a person asked to stop."""
        if self.raised:
            raise Interrupted("Stopped as asked; nothing is lost. Run the same command again to carry on.")


@dataclass(slots=True)
class RunContext:
    """One run.

    :param notify: tells observers; (hook name, **arguments).
    :param decisions: what people decided about single records. :param merged: the merges among them.
    :param sampled: plan and price the sample alone.
    :param allow_irreversible: fill fields of adopted records that no undo could empty again.
    :param standing: where people changed the account since it was written, and what becomes of that.
    :param guard: of an undo, what looks at each record once more before its write leaves.
    """

    id: str
    source_id: str
    journal: Journal
    writer: Writer
    behaviours: Behaviours
    clock: Clock
    progress: Progress
    stop: StopFlag
    notify: Callable[..., None]
    spec_sha256: str = ""
    fallback_user: str | None = None
    owners: dict[str, str] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=Decisions)
    merged: Merged = field(default_factory=Merged)
    sampled: bool = False
    allow_irreversible: bool = False
    guard: Guard | None = None
    standing: Standing = field(default_factory=Standing)
    _given_up: dict[int, float] = field(default_factory=dict)
    _refusals: dict[int, Rejected] = field(default_factory=dict)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock.monotonic()

    def give_up(self, operation: int) -> None:
        """Note that no answer to an operation is waited for any more."""
        self._given_up[operation] = self.clock.monotonic()

    def doubt(self, operation: int, refusal: Rejected | None) -> None:
        """Note that it is not known whether an operation was done, though its answer may say that it was refused."""
        self.give_up(operation)
        self._refusals.pop(operation, None)
        if refusal is not None:
            self._refusals[operation] = refusal

    def refusal(self, operation: int) -> Rejected | None:
        """Return what the answer to an operation in doubt said, if it said that it was refused."""
        return self._refusals.get(operation)

    def since_given_up_s(self, operation: int) -> float:
        """Return the seconds since an operation was given up, at the latest when this run began.

        Wall times would not do: the machine's clock may have been set since.
        """
        return self.clock.monotonic() - self._given_up.get(operation, self._began)

    def user_for(self, link: LinkRef) -> str | None:
        """Return the user a link to one leads to: who was matched, else the fallback where the link allows it."""
        return self.owners.get(link.key) or (self.fallback_user if link.fallback else None)

    def key_field(self, object_: str) -> str | None:
        """Return the field in which records of an object carry their source key; None where no field does."""
        place, _, name = self.behaviours.objects[object_].key_in.partition(":")
        return name if place == "field" else None

    def at(self) -> str:
        """Return the time as the journal writes it."""
        return self.clock.now().isoformat(timespec="milliseconds")

    def spending(self, leaving: float = 0) -> Spending:
        """Return what this run has spent until now.

        :param leaving: units of what is being sent: a run that is killed may have spent them.
        """
        spent = self.writer.spent()
        return Spending(self.id, spent.requests, spent.tokens + math.ceil(leaving))

    def facts(self, operation: Any) -> dict[str, Any]:
        """Return what the audit log says of an operation: names, never a value.

        Where each field comes from is said once per spec and entry, by the line that introduces the spec.
        """
        return {
            "run": self.id,
            "verb": operation.verb,
            "entry": operation.entry,
            "object": operation.object,
            "key": operation.key,
            "part": operation.part,
            "fields": sorted({*operation.fields, *operation.links}),
            "spec": self.spec_sha256,
        }
