"""Recheck: read an account back against a journal that is there, without an export and without writing anything."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.errors import ConfigurationError
from flitstack.journal import Journal
from flitstack.registry import load_plugins
from flitstack.stages.context import RunContext
from flitstack.stages.opening import know_account, opened
from flitstack.stages.proof.verify import SAMPLE, verify
from flitstack.stages.setup import settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from flitstack.clock import Clock
    from flitstack.protocols import JSON, Account, Spent
    from flitstack.registry import Registry
    from flitstack.stages.context import Progress, StopFlag
    from flitstack.stages.proof.verify import Verification


@dataclass(frozen=True, slots=True)
class RecheckOptions:
    """What the command line said.

    :param strict: what people changed since counts like what was lost.
    """

    journal: Path
    sets: Sequence[str] = ()
    demo: bool = False
    hash_files: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class RecheckReport:
    """What reading an account back came to.

    :param at: when reading began, UTC, RFC 3339.
    :param open: operations whose outcome is not known, or that were never sent: a run settles them.
    :param strict: what people changed since counts like what was lost.
    """

    journal: str
    account: str
    at: str
    verification: Verification
    open: int
    spent: Spent
    seconds: float
    strict: bool = False

    @property
    def status(self) -> str:
        """Return what was found, in one word; what people changed since is no fault of the migration."""
        if self.verification.mismatched:
            return "mismatched"
        return "drifted" if self.verification.drifted else "verified"

    @property
    def exit_code(self) -> int:
        """Return the exit code that follows from the status."""
        return 6 if self.status == "mismatched" or (self.strict and self.status == "drifted") else 0

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints."""
        return {
            "status": self.status,
            "journal": self.journal,
            "account": self.account,
            "at": self.at,
            **self.verification.as_json(),
            "open": self.open,
            "requests": self.spent.requests,
            "tokens": {"spent": self.spent.tokens},
            "seconds": round(self.seconds, 3),
        }


async def recheck(
    options: RecheckOptions,
    progress: Progress,
    stop: StopFlag,
    *,
    registry: Registry | None = None,
    clock: Clock | None = None,
) -> RecheckReport:
    """Compare everything that a journal says was written with what the account holds, and return what was found.

    :param registry, clock: in place of the installed plugins and the environment's clock, for tests and embedding.
    :raises ConfigurationError: there is no such journal, it is of no use yet, or the token is of another account.
    """
    began = time.monotonic()
    async with account_of(options, progress, stop, registry=registry, clock=clock) as (ctx, account):
        at = ctx.at()
        verification = await verify(ctx, hashes=None if options.hash_files else SAMPLE, keep=False)
        open_ = ctx.journal.operations.count("planned", "blocked", "intended", "in_doubt")
        seconds = time.monotonic() - began
        path, spent = str(ctx.journal.path), ctx.writer.spent()
        return RecheckReport(path, account.name, at, verification, open_, spent, seconds, options.strict)


@asynccontextmanager
async def account_of(
    options: RecheckOptions,
    progress: Progress,
    stop: StopFlag,
    *,
    registry: Registry | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[tuple[RunContext, Account]]:
    """Open the account that a journal wrote to, to be read: no export is needed, and nothing is written.

    :raises ConfigurationError: there is no such journal, it is of no use yet, or the token is of another account.
    """
    with Journal.existing(options.journal) as journal:
        name, source_id = journal.runs.meta("destination"), journal.runs.meta("source id")
        if name is None or source_id is None or journal.runs.meta("account") is None:
            raise ConfigurationError(f"{options.journal}: nothing was written from this journal yet. Use `flit run`.")
        destination = (load_plugins(beside=options.journal) if registry is None else registry).destination(name)
        settings = settings_of(journal, options.sets, destination, demo=options.demo)
        clock = clock or settings.clock
        async with opened(destination, settings.destination, journal, clock) as writer:
            ctx = RunContext(
                "verify", source_id, journal, writer, writer.behaviours, clock, progress, stop, _tell_nobody
            )
            yield ctx, await know_account(ctx, settings.core.get("fallback_owner"))


def _tell_nobody(hook: str, **arguments: Any) -> None:
    """Observers are told of runs alone."""
