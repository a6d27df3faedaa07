"""The company account behind the API: its users, custom fields and settings, and what a new one starts with."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.state import Row, Store
from flitstack_pipedrive.sandbox.texts import v1_time, v2_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.clock import Clock
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.plans import Plan
    from flitstack_pipedrive.sandbox.switches import Switches

CURRENCIES = (
    ("EUR", "Euro", 2, "€"),
    ("USD", "US Dollar", 2, "$"),
    ("GBP", "British Pound", 2, "£"),
    ("CAD", "Canadian Dollar", 2, "CA$"),
    ("AUD", "Australian Dollar", 2, "A$"),
    ("NZD", "New Zealand Dollar", 2, "NZ$"),
    ("CHF", "Swiss Franc", 2, "CHF"),
    ("SEK", "Swedish Krona", 2, "kr"),
    ("NOK", "Norwegian Krone", 2, "kr"),
    ("DKK", "Danish Krone", 2, "kr"),
    ("PLN", "Polish Zloty", 2, "zł"),
    ("JPY", "Japanese Yen", 0, "¥"),
)
CURRENCY_CODES = frozenset(code for code, *_ in CURRENCIES)
_STARTING_STAGES = ("Qualified", "Contact Made", "Demo Scheduled", "Proposal Made", "Negotiations Started")
_STARTING_TYPES = ("Call", "Meeting", "Task", "Deadline", "Email", "Lunch")
_STARTING_USERS = (
    ("Alex Admin", "alex.admin@practice.example", True, True),
    ("Sam Staff", "sam.staff@practice.example", False, True),
    ("Dana Departed", "dana.departed@practice.example", False, False),
)
_LEAD_LABELS = (("Hot", "red"), ("Cold", "blue"), ("Warm", "yellow"))


@dataclass(frozen=True, slots=True)
class CustomField:
    """What a value of a custom field must look like."""

    code: str
    type: str
    options: frozenset[int]


@dataclass(frozen=True, slots=True)
class Member:
    """A user of the account."""

    id: int
    name: str
    email: str
    token: str
    is_admin: bool
    active: bool


@dataclass(slots=True)
class Account:
    """One account: the store, the clock, what was bought, and caches of what every request needs."""

    store: Store
    clock: Clock
    plan: Plan
    seats: int
    switches: Switches
    seed: int
    currency: str = "USD"
    time_zone: str = "America/New_York"
    members: dict[int, Member] = field(default_factory=dict)
    tokens: dict[str, Member] = field(default_factory=dict)
    _fields: dict[str, dict[str, CustomField]] = field(default_factory=dict)
    _types: dict[str, str] = field(default_factory=dict)

    def now(self) -> str:
        """Return the account's time as it is stored, RFC 3339."""
        return v2_time(self.clock.now())

    def purged_before(self) -> str:
        """Return the time before which deleted records are gone for good: 30 days ago."""
        return v2_time(self.clock.now() - timedelta(days=30))

    def key(self, *parts: object) -> str:
        """Return 40 hex characters that differ per account and per what is named."""
        text = ":".join(str(part) for part in (self.seed, *parts))
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def uuid(self, *parts: object) -> str:
        """Return a uuid that differs per account and per what is named."""
        return str(uuid.UUID(self.key(*parts)[:32]))

    def new_row(self, table: str, doc: Doc, *, added: str | None = None, **hidden: Any) -> Row:
        """Return a row for a new record; its number is put in front of the record unless it has an id."""
        number = self.store.new_id(table)
        now = self.clock.now()
        stamp = v2_time(now)
        return Row(number, {"id": number, **doc}, added or stamp, stamp, now.timestamp(), False, hidden)

    def custom_fields(self, entity: str) -> Mapping[str, CustomField]:
        """Return the custom fields of persons, organizations or deals, by key."""
        if entity not in self._fields:
            docs = self.store.docs("field", [("entity = ? AND deleted = 0", (entity,))])
            self._fields[entity] = {
                doc["field_code"]: CustomField(
                    doc["field_code"], doc["field_type"], frozenset(option["id"] for option in doc["options"] or ())
                )
                for doc in docs
            }
        return self._fields[entity]

    def activity_types(self) -> Mapping[str, str]:
        """Return the names of active activity types, by key string."""
        if not self._types:
            docs = self.store.docs("activity_type")
            self._types.update((doc["key_string"], doc["name"]) for doc in docs)
        return self._types

    def schema_changed(self) -> None:
        """Forget what was cached of fields and types."""
        self._fields.clear()
        self._types.clear()

    def add_member(self, name: str, email: str, *, is_admin: bool, active: bool) -> Member:
        """Add a user; inside a transaction."""
        now = v1_time(self.now())
        doc = {"name": name, "email": email, "is_admin": is_admin, "active_flag": active, "created": now}
        row = self.new_row("user", doc, token=self.key("token", email))
        self.store.put("user", row)
        return self._remember(row.doc, row.hidden["token"])

    def _remember(self, doc: Doc, token: str) -> Member:
        member = Member(doc["id"], doc["name"], doc["email"], token, doc["is_admin"], doc["active_flag"])
        self.members[member.id] = member
        if member.active:
            self.tokens[token] = member
        return member

    def load_members(self) -> None:
        """Read the users of an account that exists already, and forget those read before."""
        self.members.clear()
        self.tokens.clear()
        for doc, token in self.store.select("user", "doc, token", ()):
            self._remember(json.loads(doc), token)

    def deactivate(self, email: str) -> bool:
        """Take a user's access away, who keeps what they own; return whether there is such a user."""
        row = self.store.find("user", [("email = ?", (email,))])
        if row is None:
            return False
        row.doc["active_flag"] = False
        with self.store.transaction():
            self.store.put("user", row)
        self.load_members()
        return True

    def found(self) -> None:
        """Fill a new account: users, one pipeline with five stages, six activity types, three lead labels."""
        with self.store.transaction():
            self.store.set_meta("seed", str(self.seed))
            for name, email, is_admin, active in _STARTING_USERS:
                self.add_member(name, email, is_admin=is_admin, active=active)
            self._found_pipeline()
            for order, name in enumerate(_STARTING_TYPES, 1):
                self.put_activity_type(name, name.lower(), order, icon=name.lower(), custom=False)
            for name, color in _LEAD_LABELS:
                label = self.uuid("label", name)
                stamp = self.now().replace("Z", ".000Z")
                doc = {"id": label, "name": name, "color": color, "add_time": stamp, "update_time": stamp}
                self.store.put("lead_label", self.new_row("lead_label", doc, uid=label))

    def _found_pipeline(self) -> None:
        now = self.now()
        pipeline = self.new_row("pipeline", pipeline_doc("Pipeline", 1, now))
        self.store.put("pipeline", pipeline)
        for order, name in enumerate(_STARTING_STAGES, 1):
            self.store.put("stage", self.new_row("stage", stage_doc(name, pipeline.id, order, now)))

    def put_activity_type(
        self, name: str, key: str, order: int, *, icon: str, color: str | None = None, custom: bool = True
    ) -> Doc:
        """Add an activity type and return it in v1's form."""
        now = v1_time(self.now())
        doc = {
            "order_nr": order,
            "name": name,
            "key_string": key,
            "icon_key": icon,
            "active_flag": True,
            "color": color or "FFFFFF",
            "is_custom_flag": custom,
            "add_time": now,
            "update_time": now,
        }
        row = self.new_row("activity_type", doc)
        self.store.put("activity_type", row)
        self.schema_changed()
        return row.doc


def pipeline_doc(name: str, order: int, now: str) -> Doc:
    """Return a pipeline as v2 shows it, without its id."""
    return {
        "name": name,
        "order_nr": order,
        "is_deleted": False,
        "is_deal_probability_enabled": False,
        "add_time": now,
        "update_time": now,
    }


def stage_doc(name: str, pipeline_id: int, order: int, now: str) -> Doc:
    """Return a stage as v2 shows it, without its id."""
    return {
        "order_nr": order,
        "name": name,
        "is_deleted": False,
        "deal_probability": 100,
        "pipeline_id": pipeline_id,
        "is_deal_rot_enabled": False,
        "days_to_rotten": None,
        "add_time": now,
        "update_time": now,
    }
