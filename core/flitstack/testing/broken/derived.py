"""Mutants of a destination, derived from what it writes: each field dropped, each link swapped, each error misreported.

They are made of any port: `mutated(PORT, MUTATION)` is that port with writers that are wrong in one way, and
`mutations_of(PORT)` is the list of ways, found by watching a migration.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.errors import AuthError, BudgetExhausted, FlitError, InDoubt, NotSent, Rejected, Unavailable
from flitstack.protocols import Operation, Outcome
from flitstack.testing.kit.guards import Guards
from flitstack.testing.kit.loads import changed, typical
from flitstack.testing.kit.port import find_port
from flitstack.testing.kit.trial import trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flitstack.protocols import DestinationPlugin, Writer, WriterContext
    from flitstack.testing.kit.port import Port, SimulatedAccount
    from flitstack.testing.kit.trial import Trial
    from flitstack.testing.simulation.world import World

_ERRORS: Mapping[str, Callable[[], FlitError]] = {
    "NotSent": lambda: NotSent("mutant: not sent."),
    "InDoubt": lambda: InDoubt("mutant: no answer."),
    "Rejected": lambda: Rejected("refused", "Mutant: refused.", "Correct it."),
    "AuthError": lambda: AuthError("mutant: 401."),
    "Unavailable": lambda: Unavailable("mutant: down."),
    "BudgetExhausted": lambda: BudgetExhausted("mutant: no more today."),
}
_FAULTS = ("connect", "commit_then_drop", "commit_then_5xx", "signed_out")
DONE = "done"


def mutations_of(port: Port) -> list[str]:
    """Return the ways in which a port's writers can be made wrong: `drop person.name`, `misreport InDoubt NotSent`."""
    seen: dict[str, None] = {}
    errors: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="flit-mutants-") as folder:
        with trial(port, Path(folder) / "calm", Guards(), typical()) as calm:
            calm.run()
            calm.give(changed(typical(), "contacts", "1", phone="+49 30 9"))
            calm.run()
            seen.update(dict.fromkeys(_of_operations(calm)))
            last = calm.world.wire.writes
        for number, fault in enumerate(_FAULTS):
            struck = {last[len(last) // 2]: fault}
            with trial(port, Path(folder) / str(number), Guards(), typical(), faults=struck) as one:
                _run(one)
                errors |= {type(o.error).__name__ for _, o in one.recording.applied if o.error is not None}
        with trial(port, Path(folder) / "refused", Guards(), typical(), refused=frozenset({_V2})) as one:
            _run(one)
            errors |= {type(o.error).__name__ for _, o in one.recording.applied if o.error is not None}
    for said in sorted(errors & set(_ERRORS)):
        seen.update(dict.fromkeys(f"misreport {said} {other}" for other in (*_ERRORS, DONE) if other != said))
    return list(seen)


_V2 = "memory:visits:v2"


def _run(one: Trial) -> None:
    try:
        one.run()
    except FlitError:
        return


def _of_operations(calm: Trial) -> list[str]:
    found = []
    targets: dict[tuple[str, str, str], set[str]] = {}
    for operation, _ in calm.recording.applied:
        for link, target in operation.links.items():
            targets.setdefault((operation.object, operation.verb, link), set()).add(target)
    for operation, _ in calm.recording.applied:
        if operation.object in calm.behaviours.schema_objects:
            continue
        name = operation.object
        verb = "" if operation.verb == "create" else f"-{operation.verb}"
        found += [f"drop{verb} {name}.{field}" for field, value in operation.fields.items() if value not in (None, [])]
        found += [
            f"swap{verb} {name}.{link}" for link in operation.links if len(targets[name, operation.verb, link]) > 1
        ]
        found += [f"unlink{verb} {name}.{link}" for link in operation.links]
    return found


def mutated(port: Any, mutation: str) -> Port:
    """Return a port whose writers are wrong in this way.

    :param port: the port, or its `MODULE:NAME`.
    """
    found = find_port(port, None)
    if found is None:
        raise LookupError(f"{port}: there is no such port")
    return _MutatedPort(found, mutation)


class _MutatedPort:
    """A port with wrong writers."""

    def __init__(self, port: Port, mutation: str) -> None:
        self._port = port
        self._mutation = mutation
        self.name, self.template, self.sets = port.name, port.template, port.sets
        if hasattr(port, "holds"):
            self.holds = port.holds

    def account(self, world: World) -> SimulatedAccount:
        """Return the port's account, whose destination opens wrong writers."""
        account: Any = self._port.account(world)
        destination: DestinationPlugin = account.destination()
        ids: dict[tuple[str, str], list[str]] = {}

        def open_(settings: Mapping[str, Any], context: WriterContext) -> Writer:
            writer = destination.open(settings, context)
            _corrupt(writer, self._mutation, ids)
            return writer

        account.destination = lambda: replace(destination, open=open_)
        return account  # type: ignore[no-any-return]


def _corrupt(writer: Any, mutation: str, ids: dict[tuple[str, str], list[str]]) -> None:
    """Put a subclass in the place of the writer's class that changes what goes in, or what comes out."""
    kind: Any = type(writer)

    async def apply(self: Any, operations: Sequence[Operation]) -> list[Outcome]:
        outcomes: list[Outcome] = await kind.apply(self, [_changed(one, mutation, ids) for one in operations])
        return [_misreported(one, mutation) for one in outcomes]

    writer.__class__ = type(kind.__name__, (kind,), {"__slots__": (), "apply": apply})


def _changed(operation: Operation, mutation: str, ids: dict[tuple[str, str], list[str]]) -> Operation:
    """Return what is sent in an operation's place."""
    for link, target in operation.links.items():
        ids.setdefault((operation.object, link), []).append(target)
    how, _, where = mutation.partition(" ")
    how, _, verb = how.partition("-")
    object_, _, name = where.partition(".")
    if operation.object != object_ or operation.verb != (verb or "create"):
        return operation
    if how == "drop" and name in operation.fields:
        return replace(operation, fields={n: v for n, v in operation.fields.items() if n != name})
    if name not in operation.links or how not in ("swap", "unlink"):
        return operation
    if how == "unlink":
        return replace(operation, links={n: t for n, t in operation.links.items() if n != name})
    others = [one for one in ids[object_, name] if one and one != operation.links[name]]
    return replace(operation, links={**operation.links, name: others[0]}) if others else operation


def _misreported(outcome: Outcome, mutation: str) -> Outcome:
    how, _, classes = mutation.partition(" ")
    said, _, other = classes.partition(" ")
    if how != "misreport" or type(outcome.error).__name__ != said:
        return outcome
    if other == DONE:
        return Outcome(outcome.operation, "1")
    return Outcome(outcome.operation, error=_ERRORS[other]())
