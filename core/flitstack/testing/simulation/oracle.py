"""The oracle: what the account must hold in the end, worked out from the exports alone, not by the engine."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from flitstack.testing.simulation.exports import merged
from flitstack.testing.simulation.port import Held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.testing.simulation.exports import Rows
    from flitstack.testing.simulation.scenario import Scenario

#: Who owns what a member of staff owned, by e-mail; anybody else is stood for by the token's user.
OWNERS: Mapping[str, str] = {"sam@example.org": "sam@example.org"}
FALLBACK = "admin@example.org"
AUTOMATED = "00 "  # what the account's automation puts before a phone


def key_of(stream: str, record_id: str) -> str:
    """Return the source key of a record."""
    return f"memory:{stream}:{record_id}"


def held(kind: str, name: str, values: Mapping[str, Any]) -> Held:
    """Return a record with what is not empty, in the form in which records are compared."""
    said = ((field, value if isinstance(value, str) else json.dumps(value)) for field, value in values.items() if value)
    return Held(kind, name, tuple(sorted(said)))


def expected(scenario: Scenario, phases: int) -> list[Held]:
    """Return what the account must hold of ours after so many exports."""
    known = _Known(scenario, phases)
    return [*known.companies(), *known.contacts(), *known.visits(), *known.rounds(), *known.memos()]


class _Known:
    """Everything known after some exports."""

    def __init__(self, scenario: Scenario, phases: int) -> None:
        self._scenario = scenario
        self._phases = phases
        self.rows: Rows = merged(scenario.exports[:phases])
        self._here = {
            stream: {one for one, data in self._of(stream).items() if self._moves(stream, one, data)}
            for stream in ("companies", "contacts")
        }

    def _of(self, stream: str) -> dict[str, dict[str, Any]]:
        return self.rows.get(stream, {})

    def _moves(self, stream: str, one: str, data: Mapping[str, Any]) -> bool:
        left = data["name"] is None or data.get("status") == "inactive"
        return not left and key_of(stream, one) not in self._scenario.refused

    def _link(self, stream: str, one: str | None) -> str | None:
        return key_of(stream, one) if one in self._here[stream] else None

    def companies(self) -> list[Held]:
        return [
            held(
                "company",
                key_of("companies", one),
                {
                    "name": data["name"],
                    "@main": self._link("contacts", data["main_id"]),
                    "@partner": self._link("companies", data["partner_id"]),
                },
            )
            for one, data in self._of("companies").items()
            if one in self._here["companies"]
        ]

    def contacts(self) -> list[Held]:
        return [self._contact(one, data) for one, data in self._of("contacts").items() if one in self._here["contacts"]]

    def _contact(self, one: str, data: Mapping[str, Any]) -> Held:
        staff = self._of("staff").get(data["staff_id"] or "", {})
        labels = {row["label"] for row in self._of("labels").values() if row["contact_id"] == one}
        values = {
            "name": data["name"],
            "phone": self._phone(one, data.get("phone")),
            "labels": sorted(labels),
            "born": data.get("born"),
            "score": data.get("score"),
            "since": data.get("since"),
            "@company": self._link("companies", data["company_id"]),
            "@boss": self._link("contacts", data["boss_id"]),
            "@owner": OWNERS.get(staff.get("email", ""), FALLBACK),
        }
        return held("contact", key_of("contacts", one), values)

    def _phone(self, one: str, phone: str | None) -> str | None:
        """Return the phone: as the account's automation left it, unless an export changed it since."""
        if phone is None or key_of("contacts", one) not in self._scenario.automated:
            return phone
        for number in range(1, self._phases + 1):
            first = merged(self._scenario.exports[:number]).get("contacts", {}).get(one)
            if first is not None and self._moves("contacts", one, first):
                return AUTOMATED + phone if first["phone"] == phone else phone
        return phone

    def visits(self) -> list[Held]:
        return [
            held(
                "visit",
                key_of("visits", one),
                {"note": data["note"], "@contact": self._link("contacts", data["contact_id"]), "@type": data["kind"]},
            )
            for one, data in self._of("visits").items()
            if self._link("contacts", data["contact_id"]) and key_of("visits", one) not in self._scenario.refused
        ]

    def rounds(self) -> list[Held]:
        groups: dict[tuple[str, str], list[str]] = {}
        for data in self._of("tasks").values():
            if data["contact_id"] in self._here["contacts"]:
                groups.setdefault((data["contact_id"], data["day"]), []).append(data["what"])
        return [
            held(
                "round",
                key_of("tasks", f"{contact}/{day}"),
                {"note": "|".join(sorted(what)), "@contact": self._link("contacts", contact)},
            )
            for (contact, day), what in groups.items()
        ]

    def memos(self) -> list[Held]:
        return [
            held("memo", f"{data['name']}/{data['size']}", {"@contact": self._link("contacts", data["contact_id"])})
            for data in self._of("memos").values()
            if data["contact_id"] in self._here["contacts"]
        ]


def differences(wanted: Sequence[Held], found: Sequence[Held]) -> list[str]:
    """Return what is wrong with an account, one line each: lost, twice, changed, wrongly linked, not ours and gone."""
    lines: list[str] = []
    by_name: dict[tuple[str, str], list[Held]] = {}
    for one in found:
        by_name.setdefault((one.kind, one.name), []).append(one)
    for want, times in Counter(wanted).items():
        have = by_name.pop((want.kind, want.name), [])
        who = f"{want.kind} {want.name}"
        if not have:
            lines.append(f"lost: {who}")
        elif len(have) > times:
            lines.append(f"duplicate: {who} is there {len(have)} times")
        elif have[0] != want:
            lines += _fields(who, dict(want.values), dict(have[0].values))
    for (kind, name), more in by_name.items():
        lines += [f"not wanted: {kind} {name} is there"] * len(more)
    return lines


def _fields(who: str, want: Mapping[str, str], have: Mapping[str, str]) -> list[str]:
    return [
        f"{'wrong link' if name.startswith('@') else 'wrong field'}: {who}, {name}"
        for name in sorted({*want, *have})
        if want.get(name) != have.get(name)
    ]
