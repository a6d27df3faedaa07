"""Derive the page that says what the sandbox does and which checks each operation is under.

    python tools/derive_coverage.py > docs/sandbox-coverage.md

It is measured: the tests' scenario is played against a sandbox, and an operation counts as checked when it was asked.
"""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

# The tests are no installed package.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
from tests.pipedrive_sandbox.conftest import InProcess
from tests.pipedrive_sandbox.official import waiver
from tests.pipedrive_sandbox.scenario import every_call

from flitstack.clock import VirtualClock
from flitstack_pipedrive.costs import cost_table
from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.contract import operation, tables
from flitstack_pipedrive.sandbox.resources.left_v1 import left_operations
from flitstack_pipedrive.sandbox.routes import OFFERED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Which operations a switch changes; a switch that is not here changes all.
SWITCHES: Mapping[str, str] = {
    "deal_add_time": r"v2 (POST|PATCH) /deals(/\{id\})?$",
    "activity_person_id": r"v2 (POST|PATCH) /activities",
    "list_lag_s": r"v\d GET /(persons|organizations|deals|activities|products|leads|notes|files|pipelines|stages)"
    r"(/archived|/products)?$|v1 GET /\w+/\{id\}/files$|v2 GET /\w+/\{id\}/(followers|products)$",
    "search_lag_s": r"GET /(\w+/search|itemSearch)",
    "search_keeps_deleted": r"GET /(persons/search|organizations/search|itemSearch)",
    "search_burst": r"GET /(\w+/search|itemSearch)",
    "contact_sync": r"v2 (POST|PATCH) /persons(/\{id\})?$",
    "organization_profile": r"v2 (POST|PATCH) /organizations(/\{id\})?$",
    "daily_writes_cap": r" (POST|PUT) ",
    "name_max": r"v2 (POST|PATCH) /(persons|organizations|deals|activities|products|pipelines|stages|\w+Fields)"
    r"(/\{\w+\})?$|v1 (POST|PUT|PATCH) /(leads|activityTypes)",
    "left_v1": r"^(?!.)",
    "due_time_zone": r"v1 GET /recents$",
    "activity_times": r"v2 (POST|PATCH) /activities",
    "deletes_below": r"v2 DELETE /(persons|organizations)/\{id\}$",
    "undelete_deal": r"v2 PATCH /deals/\{id\}$",
    "required_fields": r"v2 POST /(persons|organizations|deals)$",
    "over_limit": r"v\d GET /\w+$",
    "empty_lists": r"v2 (POST|PATCH) /persons(/\{id\})?$",
    "empty_natives": r"v2 (POST|PATCH) /(deals|activities)(/\{id\})?$",
    "repeated_options": r"v2 POST /(person|organization|deal)Fields$",
    "repeated_names": r"v2 POST /(person|organization|deal)Fields$",
    "note_tags": r"v1 (POST|PUT) /notes(/\{id\})?$",
    "note_max": r"v1 (POST|PUT) /notes(/\{id\})?$|v2 (POST|PATCH) /activities(/\{id\})?$",
}
HEAD = """# What the sandbox covers

Made by `tools/derive_coverage.py`; a test says when it is out of date.

*Request*: what of a request is checked against the tables derived from the official specifications, before the rules
of the account. *Response*: the tests compare an answer of every operation, and every answer of the fuzz, with the
official schema; a number counts the known errors of that schema which the answers run into, and which are waived
(`tests/pipedrive_sandbox/waivers.json`). *Tokens*: the official price, which the tests compare with what the sandbox
takes. *Switches*: what changes the operation where the documentation is silent; see
`flitstack_pipedrive/sandbox/switches.py`. *flit*: the destination calls it.

The comparison with the specifications needs their files: `FLITSTACK_SPECS` names the folder with `openapi-v1.yaml` and
`openapi-v2.yaml`. The fuzz makes three thousand requests with the other tests, and fifty thousand with `nox -s fuzz`.
"""


@dataclass(slots=True)
class Measured:
    """What the scenario showed of one operation.

    :param right: status and price were as documented each time.
    :param waivers: known errors of the specification that its answers ran into.
    """

    right: bool = True
    waivers: set[str] = field(default_factory=set)


def measure() -> Mapping[str, Measured]:
    """Return every operation that the scenario asks."""
    found: dict[str, Measured] = {}
    switches = Switches(burst=100_000, search_burst=100_000)
    clock = VirtualClock(datetime(2026, 3, 2, tzinfo=UTC))
    with asyncio.Runner() as runner, Sandbox(plan="ultimate", seats=1000, clock=clock, switches=switches) as sandbox:
        headers = {"x-api-token": sandbox.users[0]["token"]}
        transport = InProcess(runner, sandbox)
        with httpx.Client(transport=transport, base_url="http://sandbox.example", headers=headers) as client:
            for one in every_call(sandbox, client):
                official = operation(one.call)
                measured = found.setdefault(one.call, Measured())
                measured.right &= (one.answer.status_code, one.cost) == (official.status, official.cost)
                if one.answer.headers["content-type"].startswith("application/json"):
                    said = said_of(one.answer.json(), f"{one.call} ")
                    measured.waivers |= {known for fault in said if (known := waiver(fault))}
    return found


def said_of(value: Any, place: str) -> Iterator[str]:
    """Yield what a schema might have against each part of an answer, as the waivers write it."""
    yield from [f"{place} type null"] if value is None else [f"{place} type", f"{place} undocumented"]
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else (("*", one) for one in value)
        for name, one in inside:
            yield from said_of(one, f"{place}/{name}")


def row(call: str, measured: Measured | None) -> str:
    """Return one operation's line of the table."""
    cost = operation(call).cost
    response, tokens = "not checked", f"{cost}, not checked"
    if measured is not None:
        response = "checked" + (f", {len(measured.waivers)} waived" if measured.waivers else "")
        tokens = f"{cost}, checked" if measured.right else tokens
    named = ", ".join(f"`{name}`" for name, pattern in SWITCHES.items() if re.search(pattern, call))
    return f"| `{call}` | {request(call)} | {response} | {tokens} | {named} | {'yes' if call in cost_table() else ''} |"


def request(call: str) -> str:
    """Return which parts of a request are checked; an operation without a table has only its path."""
    official = operation(call)
    parts = ["path", *(["query"] if official.query else [])]
    parts += [name for name in ("body", "form") if getattr(official, name) is not None]
    return f"checked: {', '.join(parts)}"


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield HEAD
    measured = measure()
    everywhere = [f"`{one.name}`" for one in fields(Switches) if one.name not in SWITCHES]
    yield f"All operations: {', '.join(everywhere)}.\n"
    yield f"## The {len(OFFERED)} operations it does\n"
    yield "| operation | request | response | tokens | switches | flit |"
    yield "|---|---|---|---|---|---|"
    for call in sorted(OFFERED, key=_by_path):
        yield row(call, measured.get(call))
    left = left_operations()
    yield f"\n## The {len(left)} operations of v1 that have left the specifications\n"
    yield "They answer 410; the switch `left_v1` makes it 404, or lets persons, organizations, deals and activities be"
    yield "listed, read, created, changed and deleted in v1's form.\n"
    yield from _by_item(f"v1 {line}" for line in left)
    rest = [call for call in tables() if call not in OFFERED]
    yield f"\n## The {len(rest)} operations it does not do\n"
    yield "They answer 501 and say so.\n"
    yield from _by_item(rest)


def _by_path(call: str) -> tuple[str, str, str]:
    version, method, path = call.split(" ")
    return path.split("/")[1].lower(), path, f"{version}{method}"


def _by_item(calls: Iterator[str] | list[str]) -> Iterator[str]:
    """Yield one line per kind of item with the operations on it."""
    items: dict[str, list[str]] = {}
    for call in sorted(calls, key=_by_path):
        items.setdefault(call.split("/")[1], []).append(f"`{call}`")
    for name, lines in items.items():
        yield f"* {name}: {', '.join(lines)}"


def rendered() -> str:
    """Return the page."""
    return "\n".join(page()) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
