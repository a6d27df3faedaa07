"""Merged records as the mapping reads them: what hangs on a record hangs on the one it was merged into."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import Staged, Staging
    from flitstack.protocols import JSON, Schema


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Merged:
    """Answers for staged records as they are after the merges that people decided on.

    :param into: stream to (id to the id of the record it was merged into).
    :param schemas: of the streams; `x-references` says which fields hold ids.
    """

    def __init__(
        self,
        into: Mapping[str, Mapping[str, str]] = NOTHING,
        schemas: Mapping[str, Schema] = NOTHING,
        staging: Staging | None = None,
    ) -> None:
        self._into = into
        self._staging = staging
        self._fields = {name: _references(schema, into) for name, schema in schemas.items()} if into else {}
        self._absorbed: dict[tuple[str, str], list[str]] = {}
        for stream, pairs in into.items():
            for gone, stays in pairs.items():
                self._absorbed.setdefault((stream, stays), []).append(gone)

    def __bool__(self) -> bool:
        """Tell whether anything was merged."""
        return bool(self._into)

    def survivor(self, stream: str, record_id: str) -> str:
        """Return the id of the record that stands for this one: mostly itself."""
        pairs = self._into.get(stream)
        return record_id if pairs is None else pairs.get(record_id, record_id)

    def absorbed(self, stream: str, record_id: str) -> Sequence[str]:
        """Return the ids of the records that were merged into this one."""
        return self._absorbed.get((stream, record_id), ())

    def named(self, stream: str, field: str, target: str) -> Sequence[str]:
        """Return all ids that a field may hold when it means the target."""
        of = self._fields.get(stream, {}).get(field)
        return (target, *self.absorbed(of, target)) if of is not None else (target,)

    def record(self, record: Staged) -> Staged:
        """Return a record as it is after the merges."""
        data = self.data(record.stream, record.id, record.data)
        return record if data is record.data else record._replace(data=data)

    def data(self, stream: str, record_id: str, data: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return a record's data with its references led on, and what it lacks filled in from what it absorbed."""
        for gone in self.absorbed(stream, record_id):
            more = (self._staging.get(stream, gone) if self._staging else None) or {}
            data = {**data, **{name: value for name, value in more.items() if data.get(name) in (None, "")}}
        changed: dict[str, JSON] = {}
        for field, of in self._fields.get(stream, {}).items():
            value = data.get(field)
            if isinstance(value, str) and (led := self.survivor(of, value)) != value:
                changed[field] = led
        return {**data, **changed} if changed else data


def _references(schema: Schema, into: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    properties: Mapping[str, Mapping[str, str]] = schema.get("properties", {})
    return {name: each["x-references"] for name, each in properties.items() if each.get("x-references") in into}
