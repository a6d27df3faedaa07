"""Faults on order: answers and connections that go wrong before or after a write was kept."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_KEYS = frozenset({"method", "path", "nth", "every", "probability", "fault"})
_WORDS = "status:CODE, status_after:CODE, drop_before, drop_after, latency:SECONDS, or a bare status code"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request.

    :param kind: `status` (refused before anything was kept), `status_after` (kept, and yet an error answered),
        `drop_before`, `drop_after` (the connection breaks), `latency`.
    :param amount: the status, or seconds.
    """

    kind: str
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class FaultRule:
    """When a fault happens: at matching requests, the `nth`, each `every`-th, or each with a probability.

    :param method: `*` for any.
    :param path: glob over the whole path, such as `/api/v2/persons*`.
    """

    fault: Fault
    method: str = "*"
    path: str = "*"
    nth: int | None = None
    every: int | None = None
    probability: float | None = None


class Faults:
    """Decides for each request which fault strikes it, the first rule that does wins."""

    def __init__(self, rules: Iterable[FaultRule] = (), seed: int = 0) -> None:
        self.rules = tuple(rules)
        self._seen = [0] * len(self.rules)
        self._random = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret

    def strike(self, method: str, path: str) -> Fault | None:
        """Count the request and return its fault, or None."""
        struck = None
        for place, rule in enumerate(self.rules):
            if rule.method not in ("*", method) or not fnmatchcase(path, rule.path):
                continue
            self._seen[place] += 1
            if self._due(rule, self._seen[place]) and struck is None:
                struck = rule.fault
        return struck

    def _due(self, rule: FaultRule, seen: int) -> bool:
        if rule.nth is not None:
            return seen == rule.nth
        if rule.every is not None:
            return seen % rule.every == 0
        return rule.probability is None or self._random.random() < rule.probability


def read_rules(path: Path) -> tuple[FaultRule, ...]:
    """Return the rules of a JSON file: a list of objects with `fault` and what narrows it.

    :raises UsageError: the file cannot be read, or a rule is not as it should be; says which.
    """
    try:
        items = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path}: cannot be read as a JSON list of fault rules ({exc}).") from exc
    if not isinstance(items, list):
        raise UsageError(f"{path}: holds no JSON list; write [{{...}}, {{...}}].")
    return tuple(_rule(item, f"{path}, rule {place}") for place, item in enumerate(items, 1))


def _rule(item: Any, where: str) -> FaultRule:
    if not isinstance(item, Mapping) or not isinstance(item.get("fault"), str | int):
        raise UsageError(f'{where}: needs a "fault": {_WORDS}.')
    unknown = set(item) - _KEYS
    if unknown:
        raise UsageError(f'{where}: "{min(unknown)}" is no part of a rule; use {", ".join(sorted(_KEYS))}.')
    if sum(key in item for key in ("nth", "every", "probability")) > 1:
        raise UsageError(f"{where}: use one of nth, every and probability.")
    return FaultRule(
        _fault(str(item["fault"]), where),
        str(item.get("method", "*")).upper(),
        str(item.get("path", "*")),
        _count(item, "nth", where),
        _count(item, "every", where),
        _chance(item, where),
    )


def _fault(text: str, where: str) -> Fault:
    kind, _, amount = text.partition(":")
    if kind.isdecimal():
        kind, amount = "status", kind
    if kind in ("drop_before", "drop_after") and not amount:
        return Fault(kind)
    try:
        number = float(amount)
    except ValueError:
        number = -1.0
    in_range = 0 <= number <= 3600 if kind == "latency" else number.is_integer() and 200 <= number <= 599
    if kind not in ("status", "status_after", "latency") or not in_range:
        raise UsageError(f'{where}: "fault" is one of {_WORDS}.')
    return Fault(kind, number)


def _count(item: Mapping[str, Any], key: str, where: str) -> int | None:
    value = item.get(key)
    if value is None or (type(value) is int and value >= 1):
        return value
    raise UsageError(f'{where}: "{key}" is a whole number from 1.')


def _chance(item: Mapping[str, Any], where: str) -> float | None:
    value = item.get("probability")
    if value is None or (type(value) in (int, float) and 0 <= value <= 1):
        return value
    raise UsageError(f'{where}: "probability" is a number from 0 to 1.')
