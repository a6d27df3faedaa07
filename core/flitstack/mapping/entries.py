"""Evaluates the entries of a spec: a record, or a group of them, becomes desired records."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from flitstack.errors import FlitError, Rejected
from flitstack.mapping.canonical import MOST_ITEMS, canonical
from flitstack.mapping.expressions import Unit, failed
from flitstack.mapping.model import (
    FOLDED,
    GROUPED,
    MAIN,
    SCHEMA_PREFIX,
    Contribution,
    Desired,
    Lineage,
    Owner,
    RejectedEntry,
    Skipped,
)
from flitstack.mapping.records import RecordView, Scope, Shape, SourceRecord, asked, record_key
from flitstack.protocols import JSON, LinkRef, SchemaItem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_NOT_CONCERNED = -1


@dataclass(frozen=True, slots=True)
class Condition:
    """A named reason to leave a record out: a skip rule, or a rejection (then with its words)."""

    name: str
    rejects: bool
    reason: str = ""
    hint: str = ""
    field: str | None = None

    def judge(self, entry: Entry, record_id: str) -> Skipped | RejectedEntry:
        """Return what becomes of the record for which the condition holds."""
        if not self.rejects:
            return Skipped(entry.name, entry.stream, record_id, self.name)
        return RejectedEntry(entry.name, entry.stream, record_id, self.name, self.reason, self.hint, self.field)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions in order, judged together; `places` says which condition each expression of the unit is."""

    unit: Unit
    conditions: tuple[Condition | None, ...]

    def first(self, names: dict[str, Any]) -> Condition | int | None:
        """Return the first that holds; None when none does; `_NOT_CONCERNED` when it is the entry's own `where`."""
        place = self.unit.run(names)
        return None if place is None else self.conditions[place] or _NOT_CONCERNED


@dataclass(frozen=True, slots=True)
class Collect:
    """Records of another stream that hang on this one, under one name.

    :param by: their field that holds an id; `of` computes that id, None stands for the record's own.
    :param pick: gives (order values..., item), or None for a record left out.
    :param descending: per order value, whether the greatest comes first.
    :param along: (field that holds an id, stream) of the records that fold with each, because it only leads to them.
    """

    name: str
    shape: Shape
    alias: str
    by: str
    of: Unit | None
    pick: Unit
    descending: tuple[bool, ...]
    limit: int | None
    fold: bool
    along: tuple[tuple[str, str], ...] = ()

    def gather(self, names: dict[str, Any], own_id: str, scope: Scope) -> tuple[list[Any], list[Contribution]]:
        """Return the items in order, and what they contribute."""
        wanted = own_id if self.of is None else link_id(self.of.run(names)[0], f"collect.{self.name}.is")
        if wanted is None:
            return [], []
        rows: list[tuple[Any, str]] = []
        along: dict[str, list[Contribution]] = {}
        for record_id, data in asked(scope.referring, self.shape.stream, self.by, wanted):
            names[self.alias] = RecordView(self.shape, record_id, data, scope)
            row = self.pick.run(names)
            if row is not None:
                rows.append((row, record_id))
                along[record_id] = self._led_to(data, scope) if self.along else []
        names.pop(self.alias, None)
        rows = self._ordered(rows)[: MOST_ITEMS if self.limit is None else self.limit]
        folded = [Contribution(self.shape.stream, record_id, FOLDED) for _, record_id in rows] if self.fold else []
        folded += [each for _, record_id in rows for each in along[record_id]]
        return [row[-1] for row, _ in rows], folded

    def _led_to(self, data: Mapping[str, JSON], scope: Scope) -> list[Contribution]:
        there = ((stream, data.get(field)) for field, stream in self.along)
        return [
            Contribution(stream, str(found), FOLDED)
            for stream, found in there
            if found is not None and asked(scope.lookup, stream, str(found)) is not None
        ]

    def _ordered(self, rows: list[tuple[Any, str]]) -> list[tuple[Any, str]]:
        """Return the rows by their order values, the first deciding; a missing value comes last, either way."""
        for place in range(len(self.descending) - 1, -1, -1):
            there = [row for row in rows if row[0][place] is not None]
            missing = [row for row in rows if row[0][place] is None]
            try:
                there.sort(key=_value_at(place), reverse=self.descending[place])
            except TypeError as exc:
                raise failed(f"collect.{self.name}.order", exc) from None
            rows = there + missing
        return rows


def _value_at(place: int) -> Callable[[tuple[Any, str]], Any]:
    return lambda row: row[0][place]


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """What one link may point to: a record of a stream, or (`stream` empty) a schema item by its name.

    :param is_user: the record stands for a user of the destination, who may or may not be there.
    """

    object: str
    stream: str
    of: str
    part: str
    required: bool
    fallback: bool
    is_user: bool = False

    def holds(self, value: Any, field: str, scope: Scope) -> bool:
        """Return whether the record names something here, and where it names a user, one that the account has."""
        named = link_id(value, f"links.{field}")
        return named is not None and (not self.is_user or scope.is_matched(self.stream, named))

    def make(self, value: Any, field: str, scope: Scope, items: frozenset[str]) -> LinkRef | None:
        """Return the link; None when the record names nothing and may do so.

        :raises Rejected: a schema item that the spec does not have (`unknown_schema_item`).
        """
        named = link_id(value, f"links.{field}")
        if named is None:
            key = ""
            if not (self.required or self.fallback):
                return None
        elif self.stream:
            key = record_key(scope.source_id, self.stream, named)
        else:
            key = self._item_key(named, field, items)
        return LinkRef(self.object, key, self.part, self.required, self.fallback)

    def _item_key(self, name: str, field: str, items: frozenset[str]) -> str:
        key = SchemaItem(self.object, name, self.of).key
        if key not in items:
            raise Rejected(
                "unknown_schema_item",
                f"The mapping's schema has no {self.object} of the name that this record asks for.",
                "Add it to the mapping's schema, or map the record to one that is there.",
                field,
            )
        return SCHEMA_PREFIX + key


@dataclass(frozen=True, slots=True)
class LinkRule:
    """How one link is made: to the first of its targets that the record and the account have, else to the last."""

    field: str
    targets: tuple[LinkTarget, ...]

    def make(self, values: Sequence[Any], scope: Scope, items: frozenset[str]) -> LinkRef | None:
        """Return the link, or None; see `LinkTarget.make`.

        :param values: what the expression of each target gave.
        """
        last = len(self.targets) - 1
        for at, (target, value) in enumerate(zip(self.targets, values, strict=True)):
            if at == last or target.holds(value, self.field, scope):
                return target.make(value, self.field, scope, items)
        raise ValueError(f"link {self.field} has no target")


def link_id(value: Any, label: str) -> str | None:
    """Return an id as text: of a text, a whole number or a record; None for nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, RecordView):
        return value.id
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    raise failed(label, TypeError())


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a spec, compiled.

    :param fields_of: the object whose fields its records carry; mostly `object` itself.
    :param early: conditions on the record alone, its `where` among them; `late`: those that need collected names.
    :param prepare: computes the `let` names and (key, parts); None when `write` computes everything at once.
    :param write: gives (key when `prepare` is None, link ids..., field values...).
    :param items: keys of the spec's schema items.
    :param afterwards: fields, as constants, that a record gets once the entry makes it no more.
    """

    name: str
    object: str
    fields_of: str
    stream: str
    alias: str
    key_stream: str
    shape: Shape
    early: Conditions | None
    group: Unit | None
    collects: tuple[Collect, ...]
    late: Conditions | None
    prepare: Unit | None
    has_key: bool
    part_alias: str | None
    write: Unit
    links: tuple[LinkRule, ...]
    fields: tuple[str, ...]
    items: frozenset[str]
    lineage: Mapping[str, Lineage]
    afterwards: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def is_grouped(self) -> bool:
        """Whether records come in groups: then `group_key` and `evaluate_group` are used, not `evaluate`."""
        return self.group is not None

    def evaluate(self, record: SourceRecord, scope: Scope) -> list[Desired] | Skipped | RejectedEntry | None:
        """Return the desired records, or what else becomes of the record; None when the entry does not concern it."""
        view = RecordView(self.shape, record.id, record.data, scope)
        names: dict[str, Any] = {self.alias: view, **scope.names(self.shape.peers)}
        try:
            if self.early is not None:
                verdict = self._judged(self.early, names, record.id)
                if verdict is not None:
                    return None if isinstance(verdict, int) else verdict
            return self._desired(names, record.id, [Contribution(self.stream, record.id, MAIN)], scope)
        except Rejected as exc:
            return self._rejected(exc, record.id)

    def group_key(self, record: SourceRecord, scope: Scope) -> str | Skipped | RejectedEntry | None:
        """Return the text that is equal for the records of one group; None when the entry does not concern it.

        Conditions on the record alone are judged here, record by record, so a group holds only what is moved.
        """
        if self.group is None:
            raise ValueError(f"entry {self.name} has no groups")
        view = RecordView(self.shape, record.id, record.data, scope)
        names: dict[str, Any] = {self.alias: view, **scope.names(self.shape.peers)}
        try:
            verdict = self._judged(self.early, names, record.id)
            if verdict is not None:
                return None if isinstance(verdict, int) else verdict
            values = _canonical(self.group.run(names), "group")
            return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        except Rejected as exc:
            return self._rejected(exc, record.id)

    def evaluate_group(
        self, records: Sequence[SourceRecord], scope: Scope
    ) -> list[Desired] | Skipped | RejectedEntry | None:
        """Return what the group becomes; its records are those of one `group_key`, in the stream's order.

        What is skipped or rejected here (named by the first record) is so for all of them.
        """
        views = [RecordView(self.shape, record.id, record.data, scope) for record in records]
        names: dict[str, Any] = {self.alias: views[0], "group": views, **scope.names(self.shape.peers)}
        contributions = [Contribution(self.stream, record.id, GROUPED) for record in records]
        try:
            return self._desired(names, records[0].id, contributions, scope)
        except Rejected as exc:
            return self._rejected(exc, records[0].id)

    def _judged(
        self, conditions: Conditions | None, names: dict[str, Any], record_id: str
    ) -> Skipped | RejectedEntry | int | None:
        found = None if conditions is None else conditions.first(names)
        return found.judge(self, record_id) if isinstance(found, Condition) else found

    def _rejected(self, exc: Rejected, record_id: str) -> RejectedEntry:
        return RejectedEntry(self.name, self.stream, record_id, exc.code, exc.reason, exc.hint, exc.field)

    def _desired(
        self, names: dict[str, Any], record_id: str, contributions: list[Contribution], scope: Scope
    ) -> list[Desired] | Skipped | RejectedEntry:
        for collect in self.collects:
            names[collect.name], folded = collect.gather(names, record_id, scope)
            contributions += folded
        made_of = tuple(dict.fromkeys(contributions) if len(contributions) > 1 else contributions)
        if self.prepare is None:
            key, *row = self.write.run(names)
            return [self._record(self._key(key, record_id, scope), "", row, made_of, scope)]
        key, parts = self.prepare.run(names)
        verdict = self._judged(self.late, names, record_id)
        if isinstance(verdict, Skipped | RejectedEntry):
            return verdict
        full_key = self._key(key, record_id, scope)
        if self.part_alias is None:
            return [self._record(full_key, "", self.write.run(names), made_of, scope)]
        desired = []
        for at, item in enumerate(parts or ()):
            names[self.part_alias] = item
            part = str(at + 1) if at else ""
            desired.append(self._record(full_key, part, self.write.run(names), made_of, scope))
        return desired

    def _key(self, value: Any, record_id: str, scope: Scope) -> str:
        named = link_id(value, "key") if self.has_key else record_id
        if named is None:
            raise Rejected(
                "no_key",
                "The mapping's key for this record is empty, so it could not be found again.",
                "Fill what the entry's key is made of, or change the key.",
                "key",
            )
        return record_key(scope.source_id, self.key_stream, named)

    def _record(
        self, key: str, part: str, row: Sequence[Any], made_of: tuple[Contribution, ...], scope: Scope
    ) -> Desired:
        links: dict[str, LinkRef] = {}
        at = 0
        for rule in self.links:
            end = at + len(rule.targets)
            link = rule.make(row[at:end], scope, self.items)
            at = end
            if link is not None:
                links[rule.field] = link
        fields: dict[str, JSON] = {}
        for name, value in zip(self.fields, row[at:] if at else row, strict=True):
            kind = type(value)
            if kind is str or value is None or kind is bool:
                fields[name] = value
            else:
                fields[name] = value.isoformat() if kind is date else _canonical(value, name)
        return Desired(self.object, self.name, key, part, fields, links, made_of)


def _canonical(value: Any, field: str) -> JSON:
    try:
        return canonical(value)
    except Rejected as exc:
        raise Rejected(exc.code, exc.reason, exc.hint, field) from None
    except FlitError:
        raise
    except Exception as exc:  # noqa: BLE001 - whatever an expression gave that is no JSON
        raise failed(f"fields.{field}", exc) from None


@dataclass(frozen=True, slots=True)
class OwnerSource:
    """A stream of people who may own records; `unit` gives (email, name, active)."""

    stream: str
    alias: str
    shape: Shape
    unit: Unit

    def evaluate(self, record: SourceRecord, scope: Scope) -> Owner | RejectedEntry:
        """Return the owner that the record stands for."""
        view = RecordView(self.shape, record.id, record.data, scope)
        try:
            email, name, active = self.unit.run({self.alias: view, "as_of": scope.as_of})
        except Rejected as exc:
            return RejectedEntry("owners", self.stream, record.id, exc.code, exc.reason, exc.hint, exc.field)
        key = record_key(scope.source_id, self.stream, record.id)
        return Owner(self.stream, record.id, key, _words(email), _words(name), active is None or bool(active))


def _words(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
