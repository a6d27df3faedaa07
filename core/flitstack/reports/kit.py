"""What the test-kit made of a plugin, for people: a summary on the terminal, a page, and the same as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from flitstack.reports.html import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

LEVELS = ("bronze", "silver", "gold")
OUTCOMES = ("passed", "failed", "lacking", "waived", "not_applicable")
WORDS: Mapping[str, str] = {
    "passed": "passed",
    "failed": "failed",
    "lacking": "left out: the port lacks something",
    "waived": "left out by its author",
    "not_applicable": "does not apply",
}
SEVERITIES: Mapping[str, str] = {"passed": "ok", "failed": "error", "lacking": "warning", "waived": "warning"}


@dataclass(frozen=True, slots=True)
class KitTest:
    """One standard test; `reason` says why it failed or was left out."""

    id: str
    level: str
    kind: str
    suite: str
    test: str
    title: str
    outcome: str
    reason: str
    seconds: float

    @property
    def order(self) -> tuple[int, str, int]:
        """Return its place in reports: by level, then by id."""
        level = LEVELS.index(self.level) if self.level in LEVELS else len(LEVELS)
        return level, self.id[:1], int(self.id[1:] or 0)


@dataclass(frozen=True, slots=True)
class KitResult:
    """A run of the kit.

    :param asked, reached: levels; `reached` is "" when not even the first one is.
    :param only: ids, when no others were run: nothing is said of a level then.
    """

    plugin: str
    distribution: str
    version: str
    core: str
    kit: int
    asked: str
    reached: str
    seconds: float
    only: tuple[str, ...]
    tests: tuple[KitTest, ...]

    @property
    def exit_code(self) -> int:
        """Return 0 when the level that was asked for is reached, else 1; of single tests, 0 when none failed."""
        if self.only:
            return int(any(one.outcome == "failed" for one in self.tests))
        return 0 if self.reached == self.asked else 1

    @property
    def ending(self) -> str:
        """Return what it comes to, in one sentence."""
        if self.only:
            return f"Only {', '.join(self.only)}: {sum(one.outcome == 'passed' for one in self.tests)} passed."
        if self.reached == self.asked:
            return f"{self.plugin} is {self.reached}."
        best = f"{self.plugin} is {self.reached}" if self.reached else f"{self.plugin} is not even {LEVELS[0]}"
        return f"{best}; {self.asked} was asked for."

    def of(self, level: str, outcome: str) -> int:
        """Return how many tests of a level came to this."""
        return sum((one.level, one.outcome) == (level, outcome) for one in self.tests)

    def not_passed(self) -> list[KitTest]:
        """Return the tests that did not pass, the failed ones first."""
        left = [one for one in self.tests if one.outcome != "passed"]
        # A plugin that registers several kinds meets what they have in common in each suite: told once.
        left = list({(one.id, one.level, one.test, one.outcome, one.reason): one for one in left}.values())
        return sorted(left, key=lambda one: (OUTCOMES.index(one.outcome), one.order))


def kit_result(found: Mapping[str, Any]) -> KitResult:
    """Return a run of the kit from its data, as `flit plugins test --json` prints it."""
    tests = tuple(sorted((KitTest(**one) for one in found["results"]), key=lambda one: one.order))
    names = ("plugin", "distribution", "version", "core", "kit", "asked", "reached", "seconds")
    return KitResult(**{name: found[name] for name in names}, only=tuple(found["only"]), tests=tests)


def print_kit(result: KitResult, console: Console) -> None:
    """Print counts by level, what did not pass and why, and what it comes to."""
    about = f"{result.distribution} {result.version}".strip()
    title = f"{result.plugin}{f' ({about})' if about else ''}: kit {result.kit}, {result.seconds:.0f} s"
    console.print(title, markup=False, highlight=False)
    table = Table(box=box.SIMPLE)
    table.add_column("level")
    used = [
        outcome for outcome in OUTCOMES if outcome == "passed" or any(one.outcome == outcome for one in result.tests)
    ]
    for outcome in used:
        table.add_column(outcome.replace("_", " "), justify="right")
    for level in LEVELS:
        if any(one.level == level for one in result.tests):
            table.add_row(level, *(str(result.of(level, outcome) or "") for outcome in used))
    console.print(table)
    for one in result.not_passed():
        line = f"{one.id:>3} {one.outcome.replace('_', ' ')}: {one.title} {one.reason}".rstrip()
        console.print(line, markup=False, highlight=False)
    console.print(result.ending, markup=False, highlight=False)


def write_kit(result: KitResult, found: Mapping[str, Any], path: Path) -> None:
    """Write the report where it was asked for: a page, or JSON when the name ends in `.json`."""
    text = json.dumps(found, ensure_ascii=False, indent=1) if path.suffix == ".json" else kit_page(result)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text.rstrip()}\n", encoding="utf-8")


def kit_page(result: KitResult) -> str:
    """Return a run of the kit as one HTML page."""
    levels: list[tuple[str, Sequence[int]]] = [
        (level, [result.of(level, outcome) for outcome in OUTCOMES]) for level in LEVELS
    ]
    return render(
        "kit.html.j2",
        {
            "result": result,
            "levels": [one for one in levels if sum(one[1])],
            "outcomes": [WORDS[outcome] for outcome in OUTCOMES],
            "open": [one for one in result.not_passed() if one.outcome in SEVERITIES],
            "words": WORDS,
            "severities": SEVERITIES,
            "failed": sum(one.outcome == "failed" for one in result.tests),
            "passed": sum(one.outcome == "passed" for one in result.tests),
        },
    )
