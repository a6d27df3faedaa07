"""Write the tables of docs/testkit.md: the standard tests of each suite, and the destinations broken on purpose.

`python tools/derive_testkit.py` writes them; a test checks that they are as this would write them.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from flitstack import testing
from flitstack.testing.broken import BROKEN
from flitstack.testing.kit.levels import LEVELS
from flitstack.testing.kit.loads import STREAM_OF
from flitstack.testing.kit.suite import checks_of
from flitstack.testing.memory_source import SCHEMAS
from flitstack.testing.simulation.port import EVERYTHING

PAGE = Path(__file__).parents[1] / "docs" / "testkit.md"
SUITES = (
    "PluginSuite", "DestinationSuite", "SourceSuite", "TransformSuite", "ValidatorSuite", "TemplateSuite",
    "ProposerSuite",
)  # fmt: skip


def tests_table() -> str:
    """Return a table of all standard tests, suite by suite."""
    common = {found.name for found in checks_of(testing.PluginSuite)}
    lines: list[str] = []
    for name in SUITES:
        suite = getattr(importlib.import_module("flitstack.testing"), name)
        found = [one for one in checks_of(suite) if name == "PluginSuite" or one.name not in common]
        lines += [f"### `{name}`", "", "| id | level | what it shows |", "|---|---|---|"]
        lines += [f"| {one.id} | {one.level} | {one.title} |" for one in found]
        counts = ", ".join(f"{sum(one.level == level for one in found)} {level}" for level in LEVELS)
        lines += ["", f"{len(found)} tests: {counts}.", ""]
    return "\n".join(lines).rstrip()


def broken_table() -> str:
    """Return a table of the broken destinations, with the tests that must see each."""
    lines = ["| broken destination | what is wrong | seen by |", "|---|---|---|"]
    lines += [f"| `{one.name}` | {one.what} | {', '.join(one.killed_by)} |" for one in BROKEN.values()]
    return "\n".join(lines)


def source_table() -> str:
    """Return a table of the simulated source: its streams, with the fields that a template may map."""
    lines = ["| stream | fields |", "|---|---|"]
    for name, fields in SCHEMAS.items():
        said = [
            f"`{field}`" + (f" (of `{schema['x-references']}`)" if "x-references" in schema else "")
            for field, schema in fields.items()
        ]
        lines.append(f"| `{name}` | {', '.join(said)} |")
    return "\n".join(lines)


def held_table() -> str:
    """Return a table of what accounts are compared in, kind by kind."""
    lines = ["| kind | comes of | compared in |", "|---|---|---|"]
    lines += [
        f"| `{kind}` | `{STREAM_OF[kind]}` | {', '.join(f'`{field}`' for field in fields)} |"
        for kind, fields in EVERYTHING.items()
    ]
    return "\n".join(lines)


def derived(page: str) -> str:
    """Return the page with its tables as they should be."""
    tables = {"source": source_table(), "held": held_table(), "tests": tests_table(), "broken": broken_table()}
    for name, table in tables.items():
        begin, end = f"<!-- {name}: derived -->", f"<!-- {name}: end -->"
        page = re.sub(f"{begin}.*?{end}", lambda _, t=table, b=begin, e=end: f"{b}\n\n{t}\n\n{e}", page, flags=re.S)  # type: ignore[misc]
    return page


if __name__ == "__main__":
    PAGE.write_text(derived(PAGE.read_text("utf-8")), encoding="utf-8")
