"""Reads what the embedded account holds, without the plugin, in the words of the simulated source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flitstack.testing.simulation.oracle import held
from flitstack_pipedrive.codec.marker import split_marker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.testing.simulation.port import Held

KEY = "Source_System_ID__c"
OPENED = "2026-07-01T09:00:00Z"
"""The simulation begins then: a person who was added before was added with a time of their own."""


class Look:
    """Reads records of the sandbox in the words of the source."""

    def __init__(self, keys: Mapping[tuple[str, int], str], users: Mapping[int, str], types: Mapping[str, str]) -> None:
        self._keys = keys
        self._users = users
        self._types = types

    def _link(self, kind: str, value: Any) -> str | None:
        number = value.get("value") or value.get("id") if isinstance(value, dict) else value
        return None if number is None else self._keys.get((kind, int(number)), "nothing")

    def company(self, record: Mapping[str, Any]) -> Held:
        custom = record["by_name"]
        links = {
            "@main": self._link("person", custom.get("Main__c")),
            "@partner": self._link("organization", custom.get("Partner__c")),
        }
        kind = "company" if custom.get(KEY) else "stranger"
        return held(kind, custom.get(KEY) or record["name"], {"name": record["name"], **links})

    def contact(self, record: Mapping[str, Any]) -> Held:
        custom = record["by_name"]
        phones = [one["value"] for one in record["phones"]]
        values = {
            "name": record["name"],
            "phone": " and ".join(phones),
            "labels": sorted(custom.get("Labels__c") or ()),
            "born": custom.get("Born__c"),
            "score": _number(custom.get("Score__c")),
            "since": record["add_time"] if record["add_time"] < OPENED else None,
            "@company": self._link("organization", custom.get("Company__c")),
            "@boss": self._link("person", custom.get("Boss__c")),
            "@owner": self._users[record["owner_id"]],
        }
        kind = "contact" if custom.get(KEY) else "stranger"
        return held(kind, custom.get(KEY) or record["name"], values)

    def visit(self, record: Mapping[str, Any]) -> Held:
        note, key = split_marker(record["note"] or "")
        contacts = " and ".join(str(self._link("person", one["person_id"])) for one in record["participants"])
        links = {"@contact": contacts, "@type": self._types.get(record["type"], "nothing")}
        return held("visit" if key else "stranger", key or record["subject"], {"note": note, **links})

    def round(self, record: Mapping[str, Any]) -> Held:
        content, key = split_marker(record["content"])
        what = sorted(part for part in re.split(r"<[^>]*>|\n", content) if part)
        links = {"@contact": self._link("person", record["person_id"])}
        return held("round" if key else "stranger", key or content, {"note": "|".join(what), **links})

    def memo(self, record: Mapping[str, Any]) -> Held:
        links = {"@contact": self._link("person", record["person_id"])}
        return held("memo", f"{record['name']}/{record['file_size']}", links)


def _number(value: Any) -> str | None:
    return None if value is None else f"{value:g}"
