"""Reads what the embedded account holds, without the plugin, in the words of the simulated source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flitstack.testing.simulation.oracle import held
from flitstack_hubspot.files import contact_of
from flitstack_hubspot.objects import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.testing.simulation.port import Held


class Look:
    """Reads records of the sandbox in the words of the source."""

    def __init__(self, keys: Mapping[tuple[str, str], str], owners: Mapping[str, str]) -> None:
        self._keys = keys
        self._owners = owners

    def _link(self, record: Mapping[str, Any], to: str, label: str = "") -> str | None:
        ends = [one["id"] for one in record["associations"] if (one["to"], one["label"]) == (to, label)]
        return " and ".join(self._keys.get((to, id), "nothing") for id in ends) or None

    def _kind(self, record: Mapping[str, Any], kind: str) -> tuple[str, str]:
        key = record["properties"].get(KEY)
        return (kind, key) if key else ("stranger", str(record["properties"].get("lastname") or record["id"]))

    def company(self, record: Mapping[str, Any]) -> Held:
        links = {
            "@main": self._link(record, "contacts", "Main"),
            "@partner": self._link(record, "companies", "Partner"),
        }
        return held(*self._kind(record, "company"), {"name": record["properties"].get("name"), **links})

    def contact(self, record: Mapping[str, Any]) -> Held:
        given = record["properties"]
        values = {
            "name": given.get("lastname"),
            "phone": given.get("phone"),
            "born": given.get("born"),
            "score": given.get("score"),
            "since": _second(given.get("since")),
            "labels": sorted(one for one in given.get("labels", "").split(";") if one),
            "@company": self._link(record, "companies", "Company"),
            "@boss": self._link(record, "contacts", "Boss"),
            "@owner": self._owners.get(given.get("hubspot_owner_id", "")),
        }
        return held(*self._kind(record, "contact"), values)

    def visit(self, record: Mapping[str, Any]) -> Held:
        given = record["properties"]
        values = {
            "note": given.get("hs_meeting_body"),
            "@contact": self._link(record, "contacts"),
            "@type": given.get("kind"),
        }
        return held(*self._kind(record, "visit"), values)

    def round(self, record: Mapping[str, Any]) -> Held:
        what = sorted(part for part in re.split(r"<[^>]*>|\n", record["properties"].get("hs_note_body", "")) if part)
        return held(*self._kind(record, "round"), {"note": "|".join(what), "@contact": self._link(record, "contacts")})

    def memo(self, record: Mapping[str, Any]) -> Held:
        name = f"{record['name']}.{record['extension']}" if record["extension"] else record["name"]
        contact = self._keys.get(("contacts", str(contact_of(record["path"]))), "nothing")
        return held("memo", f"{name}/{record['size']}", {"@contact": contact})


def _second(moment: str | None) -> str | None:
    """Return a moment without its thousandths, as the source has it."""
    return moment and re.sub(r"\.\d+Z$", "Z", moment)
