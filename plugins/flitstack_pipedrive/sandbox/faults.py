"""Faults on order: which request goes wrong, and how; the front does what is decided here."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_KEYS = frozenset({"method", "path", "nth", "every", "probability", "fault"})
LONGEST_S = 86_400.0
# What the number after the colon is; None for a fault that takes none.
KINDS: Mapping[str, str | None] = MappingProxyType(
    {
        "status": "CODE",
        "status_after": "CODE",
        "drop_before": None,
        "drop_after": None,
        "late_commit": "SECONDS",
        "truncated": None,
        "not_json": None,
        "latency": "SECONDS",
        "drip": "SECONDS",
        "refuse": "SECONDS",
        "restart": "SECONDS",
        "storm": "SECONDS",
        "revoke": None,
        "list_lag": "SECONDS",
        "search_lag": "SECONDS",
    }
)
_WORDS = ", ".join(f"{kind}:{unit}" if unit else kind for kind, unit in KINDS.items()) + ", or a bare status code"
# These change how a request is answered, not whether; another fault may strike the same request.
QUIET = frozenset({"latency", "list_lag", "search_lag"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request.

    :param kind: before anything is kept: `status`, `drop_before`, `refuse` (nobody can connect for so long), `restart`
        (the same, and the server forgets what is not in its state), `storm` (429 to everybody for so long), `revoke`
        (401 to this token from now on). After it was kept: `status_after`, `drop_after`, `truncated` (half a body, then
        the connection breaks), `not_json` (200 with an HTML page), `drip` (the answer trickles in). `late_commit`: the
        connection breaks and the request is carried out so much later. `latency`: it waits first. `list_lag`,
        `search_lag`: from now on, lists or the search show a record only so long after it was created.
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

    def strike(self, method: str, path: str) -> tuple[Fault, ...]:
        """Count the request and return its faults: of the quiet ones all that are due, of the others the first."""
        struck: list[Fault] = []
        for place, rule in enumerate(self.rules):
            if rule.method not in ("*", method) or not fnmatchcase(path, rule.path):
                continue
            self._seen[place] += 1
            if not self._due(rule, self._seen[place]):
                continue
            if rule.fault.kind in QUIET or all(other.kind in QUIET for other in struck):
                struck.append(rule.fault)
        return tuple(struck)

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


def parse_fault(text: str) -> Fault | None:
    """Return the fault that a text such as `status:503` means, or None when it means none."""
    kind, _, amount = text.partition(":")
    if kind.isdecimal():
        kind, amount = "status", kind
    unit = KINDS.get(kind)
    if kind not in KINDS or (unit is None and amount):
        return None
    if unit is None:
        return Fault(kind)
    try:
        number = float(amount)
    except ValueError:
        return None
    sound = 0 <= number <= LONGEST_S if unit == "SECONDS" else number.is_integer() and 200 <= number <= 599
    return Fault(kind, number) if sound else None


def _fault(text: str, where: str) -> Fault:
    fault = parse_fault(text)
    if fault is None:
        raise UsageError(f'{where}: "fault" is one of {_WORDS}.')
    return fault


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
