"""`flit probe`: asks an account what only trying tells, with throwaway records that are removed again."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING, Any

from flitstack.clock import Clock, clock_from_environment
from flitstack.errors import (
    ApprovalNeeded,
    AuthError,
    FlitError,
    InDoubt,
    Interrupted,
    PlanLimit,
    RateLimited,
    Rejected,
    Stopped,
    UsageError,
)
from flitstack.journal import Approval, Journal
from flitstack.protocols import Probe, ProbeAnswer, Probing
from flitstack.registry import load_plugins, nearest_name
from flitstack.settings import parse_sets, read_project_file
from flitstack.stages.gates.gate import Gate, Passing, chain
from flitstack.stages.opening import new_run_id, noted, opened
from flitstack.stages.setup import destination_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from flitstack.journal import Throwaway
    from flitstack.protocols import Account, DestinationPlugin, Writer
    from flitstack.registry import Registry
    from flitstack.stages.context import Progress, StopFlag

GATE = "probe"
LEARNED = "probe."

MARK = "flit probe"
# As for a create in doubt: the declared lag is for an account that works, this for one that is slow to do what it took.
LATE = 4


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """What the command line said.

    :param only: names of the questions to ask; empty for all but those that are asked on request.
    """

    dest: str
    journal: Path
    sets: Sequence[str] = ()
    only: Sequence[str] = ()
    passing: Passing = field(default_factory=Passing)


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What the account answered.

    :param answers: in the order of asking.
    :param left: throwaway records that could not be removed, each as object, name and id in words.
    """

    run_id: str
    journal: str
    account: str
    answers: Sequence[tuple[Probe, ProbeAnswer]]
    left: Sequence[str]
    requests: int
    tokens: int

    @property
    def exit_code(self) -> int:
        """0 when nothing was left behind; an answer that is not known is an answer."""
        return 1 if self.left else 0

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "run_id": self.run_id,
            "status": "left_behind" if self.left else "done",
            "answers": {
                probe.name: {"known": a.value is not None, "value": a.value, "words": a.words, "changes": a.changes}
                for probe, a in self.answers
            },
            "left": list(self.left),
            "requests": self.requests,
            "tokens": {"spent": self.tokens},
            "journal": self.journal,
        }


@dataclass(slots=True)
class _Run:
    """One probing under way."""

    id: str
    journal: Journal
    writer: Writer
    probing: Probing
    clock: Clock
    progress: Progress
    answers: list[tuple[Probe, ProbeAnswer]] = field(default_factory=list)

    def at(self) -> str:
        return self.clock.now().isoformat(timespec="milliseconds")


async def run_probes(
    options: ProbeOptions,
    progress: Progress,
    stop: StopFlag,
    *,
    registry: Registry | None = None,
    clock: Clock | None = None,
) -> ProbeReport:
    """Ask the account, keep its answers in the journal, remove what that took, and return the answers.

    :param registry, clock: in place of the installed plugins and the environment's clock, for tests and embedding.
    :raises ApprovalNeeded: nobody has agreed to the throwaway records.
    :raises FlitError: what stopped it; what is left in the account is removed when the same command is run again.
    """
    registry = load_plugins(beside=options.journal) if registry is None else registry
    clock = clock_from_environment() if clock is None else clock
    destination = registry.destination(options.dest)
    settings = _settings(destination, options)
    with Journal(options.journal, lease=True) as journal:
        async with opened(destination, settings, journal, clock) as writer:
            if not isinstance(writer, Probing):
                raise UsageError(f"{destination.name}: this destination has no questions to ask an account.")
            run_id = new_run_id(clock)
            run = _Run(run_id, journal, writer, writer, clock, progress)
            return await _run(run, options, destination, stop)


def _settings(destination: DestinationPlugin, options: ProbeOptions) -> dict[str, Any]:
    sets, project = parse_sets(options.sets), read_project_file(options.journal.parent)
    if strange := [*(f"source.{name}" for name in sets.source), *sets.variables]:
        raise UsageError(f"--set {strange[0]}: `flit probe` takes settings of the destination only, dest.KEY=VALUE.")
    return destination_settings(destination, sets, project)


async def _run(run: _Run, options: ProbeOptions, destination: DestinationPlugin, stop: StopFlag) -> ProbeReport:
    chosen = _chosen(run.probing.probes(), options.only)
    account = await run.writer.account()
    other = "Use another --journal for another account."
    run.journal.runs.identify("destination", destination.name, other)
    run.journal.runs.identify("account", account.id, f"The token belongs to another account. {other}")
    _pass(run, options, account, chosen)
    with noted(run) as ending:
        try:
            await _clear(run)
            await _ask_all(run, chosen, stop)
        except FlitError:
            _say_what_is_left(run)
            raise
        ending.status = "done"
    left = [_in_words(one) for one in (*run.journal.throwaways.left(), *run.journal.throwaways.kept())]
    spent = run.writer.spent()
    return ProbeReport(run.id, str(run.journal.path), account.name, run.answers, left, spent.requests, spent.tokens)


def _chosen(probes: Sequence[Probe], only: Sequence[str]) -> list[Probe]:
    """Return the questions to ask.

    :raises UsageError: one was named that the destination does not have.
    """
    known = {probe.name: probe for probe in probes}
    for name in only:
        if name not in known:
            meant = nearest_name(name, list(known))
            hint = f'Did you mean "{meant}"?' if meant else f"Known: {', '.join(known)}."
            raise UsageError(f"--only {name}: there is no such question. {hint}")
    return [probe for probe in probes if (probe.name in only if only else not probe.on_request)]


# --- the gate ---


def _pass(run: _Run, options: ProbeOptions, account: Account, chosen: Sequence[Probe]) -> None:
    """Let a person agree to what is about to be made.

    :raises ApprovalNeeded: nobody did.
    """
    text = gate_text(account, run.probing.probes(), chosen, run.journal.throwaways.left())
    (gate,) = chain([Gate(GATE, text)])
    passing = options.passing
    name = passing.unseen or (passing.ask(gate, bool) if passing.ask is not None else None)
    if not name:
        command = f"  flit probe --dest {quote(options.dest)} --journal {quote(str(options.journal))}"
        raise ApprovalNeeded(
            f"== {GATE} ==\n{text}\n\nNothing was written. To go ahead, run it on a terminal, or:\n"
            f"{command} --approve-unseen NAME",
            [(gate.name, gate.hash)],
        )
    _approve(run, gate, name, "unseen" if passing.unseen else "approved")


def _approve(run: _Run, gate: Gate, name: str, how: str) -> None:
    run.journal.runs.show(run.id, run.at(), {gate.name: (gate.hash, gate.text)})
    run.journal.runs.approve(run.at(), [Approval(gate.name, gate.hash, name, run.at(), how)])


def gate_text(account: Account, offered: Sequence[Probe], chosen: Sequence[Probe], left: Sequence[Throwaway]) -> str:
    """Return what is about to be made in the account, what it costs, and what is asked with it."""
    made: dict[str, int] = {}
    for probe in chosen:
        for object_, count in probe.creates.items():
            made[object_] = made.get(object_, 0) + count
    records = ", ".join(f"{count} {object_}" for object_, count in made.items()) or "nothing"
    lines = [
        f'Account "{account.name}" ({account.id}), as {account.user.email}.',
        f"Creates at most {records}; each is named `{MARK} ...`, belongs to the token's user, and is removed again.",
        f"Costs at most {sum(probe.cost for probe in chosen):,} more of the account's daily tokens.",
        "Automations, webhooks and notifications of the account see these records like any others.",
        *([f"First removes {len(left)} records that an interrupted probe may have left."] if left else []),
        "Asks:",
        *(f"  {probe.name}: {probe.question}" for probe in chosen),
        *(f"  Mind: {probe.name}: {probe.warning}" for probe in chosen if probe.warning),
    ]
    rest = [probe for probe in offered if probe not in chosen and probe.on_request]
    lines += [f"Not asked unless named with --only: {probe.name} ({probe.warning})" for probe in rest]
    return "\n".join(lines)


# --- asking ---


class _Bench:
    """Makes one probe's throwaway records."""

    def __init__(self, run: _Run, probe: str) -> None:
        self._run = run
        self._probe = probe

    async def make(
        self, object: str, create: Callable[[str], Awaitable[str | None]], name: str | None = None
    ) -> str | None:
        """Create one throwaway record and return its id, None when it was refused."""
        notes = self._run.journal.throwaways
        name = name or f"{MARK} {secrets.token_hex(6)}"
        number = notes.intend(self._probe, object, name, self._run.at())
        try:
            id = await create(name)
        except Rejected:
            notes.settle(number, "removed")
            raise
        if id is None:
            notes.settle(number, "removed")
        else:
            notes.made(number, id)
        return id


async def _ask_all(run: _Run, chosen: Sequence[Probe], stop: StopFlag) -> None:
    run.progress.begin("probe", len(chosen))
    try:
        for probe in chosen:
            stop.check()
            answer = await _ask(run, probe)
            run.answers.append((probe, answer))
            if answer.value is not None:
                run.journal.runs.learn({f"{LEARNED}{probe.name}": answer.value}, run.at())
            run.progress.advance()
    finally:
        run.progress.end()


async def _ask(run: _Run, probe: Probe) -> ProbeAnswer:
    """Ask one question and remove what that took; what goes wrong with it makes the answer unknown.

    :raises FlitError: nothing more can be asked now.
    """
    try:
        answer = await run.probing.ask(probe.name, _Bench(run, probe.name))
    except (Rejected, InDoubt, PlanLimit, RateLimited) as exc:
        answer = ProbeAnswer(None, str(exc))
    except (AuthError, Interrupted, Stopped):
        with suppress(FlitError):
            await _clear(run)
        raise
    except FlitError as exc:
        answer = ProbeAnswer(None, str(exc))
    except Exception as exc:  # noqa: BLE001 - a plugin may raise anything; its text may hold an answer's values
        answer = ProbeAnswer(None, f"the plugin failed with {type(exc).__name__}; please report this")
    await _clear(run)
    return answer


def _say_what_is_left(run: _Run) -> None:
    left = run.journal.throwaways.left()
    if left:
        run.progress.say(f"Left in the account, removed by the next `flit probe`: {', '.join(map(_in_words, left))}")


# --- removing ---


async def _clear(run: _Run) -> None:
    """Remove what probes have made, the newest first.

    One whose answer was lost is looked for once its list must show it.
    :raises FlitError: the account takes no more requests; what is left stays noted.
    """
    notes = run.journal.throwaways
    for one in notes.left():
        since = datetime.fromisoformat(one.at)
        if one.destination_id is None:
            lag_s = run.writer.behaviours.objects[one.object].lag_s * LATE
            await run.clock.sleep(max(0.0, lag_s - (run.clock.now() - since).total_seconds()))
        try:
            gone = await run.probing.remove(one.object, one.name, one.destination_id, since)
        except (Rejected, InDoubt, RateLimited):
            continue  # stays noted: the end of the report names it, and the next probe tries again
        notes.settle(one.id, "removed" if gone else "kept")


def _in_words(one: Throwaway) -> str:
    return f'{one.object} "{one.name}"' + (f" (id {one.destination_id})" if one.destination_id else "")
