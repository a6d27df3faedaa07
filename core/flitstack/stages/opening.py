"""Opens a destination for a journal: what its writer is told of the budget, of the account, and of documents."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from flitstack import __version__
from flitstack.errors import ConfigurationError, FlitError, UsageError
from flitstack.journal import WAITING
from flitstack.protocols import Learning, WriterContext
from flitstack.stages.auditlog.purge import require_values
from flitstack.stages.intake.owners import fallback_user
from flitstack.stages.writing.schema import bind_links

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from typing import BinaryIO

    from flitstack.clock import Clock
    from flitstack.journal import Journal
    from flitstack.protocols import Account, DestinationPlugin, Writer
    from flitstack.stages.context import RunContext
    from flitstack.stages.writing.waiting import BudgetWait


def no_documents(path: str) -> BinaryIO:
    """:raises UsageError: always: the writer is opened for something that uploads nothing."""
    raise UsageError(f"{path}: nothing is uploaded here, so no document can be opened.")


@asynccontextmanager
async def opened(
    destination: DestinationPlugin,
    settings: Mapping[str, Any],
    journal: Journal,
    clock: Clock,
    *,
    open_attachment: Callable[[str], Any] = no_documents,
    waiting: BudgetWait | None = None,
) -> AsyncIterator[Writer]:
    """Open a writer that knows what was spent today and what was learned of the account; close it afterwards.

    :raises ConfigurationError: the journal's values were purged.
    """
    require_values(journal)
    context = WriterContext(clock, open_attachment, journal.runs.spent_today(clock.now()), journal.runs.learned())
    writer = destination.open(settings, replace(context, exhausted=waiting) if waiting is not None else context)
    if waiting is not None:
        journal.runs.remember(WAITING, "")
        waiting.watch(writer, partial(journal.runs.remember, WAITING))
    try:
        yield writer
    finally:
        await writer.aclose()


def new_run_id(clock: Clock) -> str:
    """Return a name for a run that begins now; names sort as runs began."""
    return f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


class Run(Protocol):
    """What is noted of a run."""

    @property
    def id(self) -> str: ...

    @property
    def journal(self) -> Journal: ...

    @property
    def writer(self) -> Writer: ...

    def at(self) -> str:
        """Return the time as the journal writes it."""
        ...


@dataclass(slots=True)
class Ending:
    """How a run ends."""

    status: str = "stopped"


@contextmanager
def noted(run: Run) -> Iterator[Ending]:
    """Note that a run begins, and however it ends: how, what it spent, and what was learned of the account.

    The block says how it ended; the name of an error takes its place. A journal that fails at the end is let be.
    """
    run.journal.runs.begin(run.id, run.at(), __version__)
    ending = Ending()
    try:
        yield ending
    except FlitError as exc:
        ending.status = type(exc).__name__
        raise
    finally:
        spent, at = run.writer.spent(), run.at()
        with suppress(FlitError):
            if isinstance(run.writer, Learning):
                run.journal.runs.learn(run.writer.learned(), at)
            run.journal.runs.finish(run.id, at, ending.status, spent.requests, spent.tokens)


async def know_account(ctx: RunContext, fallback_owner: str | None) -> Account:
    """Let writer and context know what a run would, from the journal, without an export; return the account.

    :param fallback_owner: e-mail of the user who owns what nobody else does, where it was set.
    :raises ConfigurationError: the token belongs to another account than the journal's.
    """
    found = await ctx.writer.schema()
    account = await ctx.writer.account()
    if account.id != ctx.journal.runs.meta("account"):
        raise ConfigurationError(f"{ctx.journal.path}: this journal was made for another account than the token's.")
    ctx.fallback_user = fallback_user(await ctx.writer.users(), account.user, fallback_owner).id
    ctx.owners.update(ctx.journal.records.owners(ctx.source_id))
    bind_links(ctx, found)
    return account
