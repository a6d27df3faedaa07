"""Makes a failing scenario smaller while it still fails, so that a person can read what it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flitstack.testing.simulation.exports import Rows
    from flitstack.testing.simulation.scenario import Scenario

MOST_TRIES = 250


def shrink(scenario: Scenario, fails: Callable[[Scenario], bool], tries: int = MOST_TRIES) -> Scenario:
    """Return a scenario that still fails and of which, as far as was tried, nothing can be left out.

    :param fails: tells whether a scenario fails.
    :param tries: how many scenarios to try at the most.
    """
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(scenario):
            if tries == 0:
                return scenario
            tries -= 1
            if fails(candidate):
                scenario, smaller = candidate, True
                break
    return scenario


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Yield scenarios with something left out, the largest pieces first."""
    if len(scenario.exports) > 1:
        yield replace(scenario, exports=scenario.exports[:-1])
        yield replace(scenario, exports=scenario.exports[1:])
    for name, none in _NOTHING.items():
        if getattr(scenario, name) != none:
            yield replace(scenario, **{name: none})
    for name in ("deaths", "disk_full"):
        kept = getattr(scenario, name)
        if len(kept) > 1:
            yield from (replace(scenario, **{name: kept[:n] + kept[n + 1 :]}) for n in range(len(kept)))
    if len(scenario.faults) > 1:
        yield from (replace(scenario, faults=_without(scenario.faults, number)) for number in scenario.faults)
    if len(scenario.jumps) > 1:
        yield from (replace(scenario, jumps=_without(scenario.jumps, number)) for number in scenario.jumps)
    for name in ("refused", "automated", "rivals"):
        kept = getattr(scenario, name)
        if len(kept) > 1:
            yield from (replace(scenario, **{name: kept - {one}}) for one in sorted(kept))
    for stream in dict.fromkeys(stream for rows in scenario.exports for stream in rows):
        if stream not in ("companies", "contacts"):
            yield _each(scenario, lambda rows, stream=stream: _without(rows, stream))  # type: ignore[misc]
    for stream, one in dict.fromkeys(
        (s, one) for rows in scenario.exports for s, found in rows.items() for one in found
    ):
        yield _each(scenario, lambda rows, s=stream, one=one: _without_row(rows, s, one))  # type: ignore[misc]


_NOTHING: dict[str, Any] = {
    "faults": {}, "deaths": (), "disk_full": (), "jumps": {}, "rivals": frozenset(), "refused": frozenset(),
    "automated": frozenset(), "lag_s": 0.0, "concurrency": 1,
}  # fmt: skip


def _each(scenario: Scenario, change: Callable[[Rows], Rows]) -> Scenario:
    return replace(scenario, exports=tuple(change(rows) for rows in scenario.exports))


def _without(kept: Mapping[Any, Any], name: Any) -> dict[Any, Any]:
    return {key: value for key, value in kept.items() if key != name}


def _without_row(rows: Rows, stream: str, one: str) -> Rows:
    return {**rows, stream: _without(rows[stream], one)} if stream in rows else rows


def described(scenario: Scenario) -> str:
    """Return a scenario in lines, for people."""
    said = [f"concurrency {scenario.concurrency}, lists late by up to {scenario.lag_s} s"]
    said += [f"request {number}: {fault}" for number, fault in sorted(scenario.faults.items())]
    said += [
        f"request {number}: the machine's clock jumps by {by:g} s" for number, by in sorted(scenario.jumps.items())
    ]
    said += [f"request {number}: a second run is started" for number in sorted(scenario.rivals)]
    said += [f"process {number} dies at its moment {last}" for number, last in enumerate(scenario.deaths, 1)]
    said += [f"process {number}: the disk is full from commit {at}" for number, at in enumerate(scenario.disk_full, 1)]
    said += [f"the account refuses {key}" for key in sorted(scenario.refused)]
    said += [f"the account changes the phone of {key}" for key in sorted(scenario.automated)]
    for number, rows in enumerate(scenario.exports, 1):
        said.append(f"export {number}:")
        said += [f"  {stream} {one} {data}" for stream, found in rows.items() for one, data in found.items()]
    return "\n".join(said)
