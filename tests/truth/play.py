"""Plays a story on a migration and on the truth side by side."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.truth.model import Fields, Held, Truth
from tests.truth.story import NAMES, NOTES, Add, Edit, Remove, Run

from flitstack.stages.rollback.walk import RollbackOptions, rollback
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from pathlib import Path

    from tests.truth.story import Contact, Story

    from flitstack.protocols import JSON, Stored
    from flitstack.stages.rollback.report import RollbackReport

STREAMS = {"contact": "contacts", "company": "companies", "visit": "visits"}
FIELDS = {"contact": ("name", "email", "phone"), "company": ("name",), "visit": ("note",)}
Picture = dict[str, tuple[str, Fields, str | None]]


class Play:
    """A story under way.

    :ivar ids: label of a record to its id in the account.
    """

    def __init__(self, folder: Path, story: Story) -> None:
        self.migration = Migration(folder, required=("contacts",))
        decisions = folder / "decisions.csv"
        self.migration.sets = (*self.migration.sets, "existing=create", f"decisions={decisions}")
        self.truth = Truth()
        self.ids: dict[str, str] = {}
        self._story = story
        self._added = 0
        for stream in ("contacts", "companies", "visits"):
            self.migration.export.rows[stream] = []
        for number, name in enumerate(story.companies):
            self._to_source("company", f"f{number}", {"name": name}, None)
        for number, contact in enumerate(story.contacts):
            self._begin_with(number, contact)
        for number, (whose, note) in enumerate(story.visits):
            self._to_source("visit", f"v{number}", {"note": note}, f"c{whose}")
        adopt = [f"adopt,{label.split(':', 1)[1]},{id_}" for label, id_ in self.ids.items()]
        decisions.write_text("\n".join(["decision,record,other", *adopt, ""]), encoding="utf-8")

    def _begin_with(self, number: int, contact: Contact) -> None:
        fields: Fields = {"name": NAMES[number], "email": f"c{number}@example.org", "phone": contact.phone}
        label = f"c{number}"
        if contact.company is not None:
            self.truth.beside[self._key("contact", label)] = self._key("company", f"f{contact.company}")
        more = {"company_id": f"f{contact.company}"} if contact.company is not None else {}
        self._to_source("contact", label, fields, None, **more)
        if contact.there is not None:
            there: Fields = {**fields, "phone": contact.there or None}
            self._to_account("contact", self._key("contact", label), there, None)

    def go(self) -> None:
        """Play every step."""
        for step in self._story.steps:
            self.play(step)

    def play(self, step: Edit | Add | Remove | Run) -> None:
        """Play one step."""
        if isinstance(step, Run):
            self.migration.run()
            self.truth.run()
            self._learn()
        elif isinstance(step, Edit):
            self._edit(step)
        elif isinstance(step, Add):
            self._add(step)
        else:
            self._remove(step)

    # --- the source ---

    def _key(self, object_: str, record_id: str) -> str:
        return f"memory:{STREAMS[object_]}:{record_id}"

    def _to_source(self, object_: str, record_id: str, fields: Fields, parent: str | None, **more: JSON) -> None:
        data = {"contact_id": parent} if object_ == "visit" else {}
        kind = {"kind": "check"} if object_ == "visit" else {}
        self.migration.export.add(STREAMS[object_], record_id, **fields, **data, **kind, **more)
        above = self._key("contact", parent) if parent else None
        self.truth.source[self._key(object_, record_id)] = (object_, dict(fields), above)

    def _pick(self, labels: list[str], which: int) -> str | None:
        return sorted(labels)[which % len(labels)] if labels else None

    def _sourced(self, object_: str) -> list[str]:
        return [label for label, (kind, _, _) in self.truth.source.items() if kind == object_]

    # --- the account ---

    def _to_account(self, object_: str, label: str, fields: Fields, parent: str | None) -> None:
        account = self.migration.account
        stored = account.put(object_, None, **{name: value for name, value in fields.items() if value is not None})
        if parent is not None:
            account.records[object_, stored.id] = replace(stored, links={"contact": self.ids[parent]})
        self.ids[label] = stored.id
        self.truth.account[label] = Held(object_, dict(fields), parent)

    def _held(self, object_: str) -> list[str]:
        return [label for label, held in self.truth.account.items() if held.object == object_ and label in self.ids]

    def _learn(self) -> None:
        """Learn under which ids the account holds what was made."""
        for (object_, id_), stored in self.migration.account.records.items():
            if stored.key is not None and stored.key not in self.ids:
                assert object_ in FIELDS
                self.ids[stored.key] = id_

    # --- the steps ---

    def _edit(self, step: Edit) -> None:
        labels = self._sourced(step.object) if step.side == "source" else self._held(step.object)
        label = self._pick(labels, step.which)
        if label is None:
            return
        if step.side == "source":
            self.truth.source[label][1][step.field] = step.value
            self.migration.export.change(STREAMS[step.object], label.rsplit(":", 1)[1], **{step.field: step.value})
        else:
            self.truth.account[label].fields[step.field] = step.value
            self.migration.account.edit(self._stored(label), **{step.field: step.value})

    def _stored(self, label: str) -> Stored:
        return self.migration.account.records[self.truth.account[label].object, self.ids[label]]

    def _add(self, step: Add) -> None:
        self._added += 1
        fields: Fields
        if step.object == "contact":
            fields = {"name": f"New {self._added}", "email": f"new{self._added}@example.net", "phone": None}
        else:
            fields = {"note": NOTES[step.which % len(NOTES)]}
        if step.side == "source":
            above = self._pick(self._sourced("contact"), step.which) if step.object == "visit" else None
            if step.object == "contact" or above is not None:
                parent = above.rsplit(":", 1)[1] if above else None
                self._to_source(step.object, f"n{self._added}", fields, parent)
            return
        above = self._pick(self._held("contact"), step.which) if step.object == "visit" else None
        if step.object == "contact" or above is not None:
            self._to_account(step.object, f"theirs {self._added}", fields, above)

    def _remove(self, step: Remove) -> None:
        labels = self._sourced(step.object) if step.side == "source" else self._held(step.object)
        label = self._pick(labels, step.which)
        if label is None or (step.side == "source" and step.object == "contact" and len(labels) == 1):
            return  # an export without contacts is refused
        if step.side == "source":
            del self.truth.source[label]
            stream, record_id = STREAMS[step.object], label.rsplit(":", 1)[1]
            rows = self.migration.export.rows
            rows[stream] = [row for row in rows[stream] if row.id != record_id]
        else:
            stored = self._stored(label)
            del self.migration.account.records[stored.object, stored.id]
            del self.truth.account[label]
            self.truth.removed.add(label)

    # --- undo ---

    def undo(self) -> RollbackReport:
        """Undo the whole migration."""
        migration, options = self.migration, RollbackOptions(self.migration.journal, unseen="test")
        return asyncio.run(
            rollback(options, migration.words, migration.stop, registry=migration.registry, clock=migration.clock)
        )

    # --- what there is ---

    def picture(self) -> Picture:
        """Return what the account holds: label to object, fields and the label of the record it hangs on."""
        labels = {id_: label for label, id_ in self.ids.items()}
        held: Picture = {}
        for (object_, id_), stored in self.migration.account.records.items():
            label = labels.get(id_) or stored.key or id_
            assert label not in held, f"{label} is there twice"
            fields = {name: stored.fields.get(name) for name in FIELDS[object_]}
            parent = stored.links.get("contact") if object_ == "visit" else None
            held[label] = (object_, fields, labels.get(parent, parent) if parent else None)  # type: ignore[assignment]
        return held

    def expected(self) -> Picture:
        """Return what the truth says that it holds."""
        return {
            label: (held.object, {name: held.fields.get(name) for name in FIELDS[held.object]}, held.parent)
            for label, held in self.truth.account.items()
        }
