"""Fits the schema a spec wants into what an account has and has room for; what finds no room folds into one text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack.errors import PlanLimit
from flitstack.protocols import JSON, LinkRef, ObjectBehaviour, SchemaItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.mapping.model import Desired
    from flitstack.mapping.spec import Spec

OVERFLOW_TYPE = "text"
ALIKE = ("type", "to")
"""Settings in which an item of the account must be like the wanted one, where both state them."""
NO_BEHAVIOURS: Mapping[str, ObjectBehaviour] = MappingProxyType({})
PLAIN = ObjectBehaviour(frozenset(), {}, 1, "name")


@dataclass(frozen=True, slots=True)
class Fit:
    """How a spec's schema lands in an account.

    :param items: key of each item that is used, under its final name, to the item: with an id when the account has it.
    :param reuse: those of them that the account has.
    :param create: those it has not, in order of creation.
    :param add_options: key of a reused item to the options it lacks.
    :param folded: fields that go into the overflow text, most important first.
    :param clashes: key as the spec has it to the item of another name that is used instead, because the account has
        one of that name and another type.
    :param kept: key of every field to whether it has a field of its own; hand it in again to decide the same.
    :param compromises: what is not as the spec asks, in words, for the gate.
    :param fields_of: entry to the object whose fields its records carry.
    """

    items: Mapping[str, SchemaItem]
    reuse: Mapping[str, SchemaItem]
    create: tuple[SchemaItem, ...]
    add_options: Mapping[str, tuple[str, ...]]
    folded: tuple[SchemaItem, ...]
    clashes: Mapping[str, SchemaItem]
    kept: Mapping[str, bool]
    overflow: str | None
    compromises: tuple[str, ...]
    fields_of: Mapping[str, str]

    def apply(self, desired: Desired) -> Desired:
        """Return the desired record with folded fields in the overflow text and renamed fields under their names."""
        if not self.folded and not self.clashes:
            return desired
        of = self.fields_of.get(desired.entry, desired.object)
        renamed = {_last(key): item.name for key, item in self.clashes.items() if item.of == of}
        folded = [item for item in self.folded if item.of == of]
        if not folded and not self.clashes:
            return desired
        fields = dict(desired.fields)
        links = {name: _relinked(link, self.clashes) for name, link in desired.links.items()}
        texts = []
        for item in folded:
            links.pop(item.name, None)
            text = readable(fields.pop(item.name, None))
            if text:
                texts.append(f"{item.settings.get('label') or item.name}: {text}")
        final: dict[str, JSON] = {renamed.get(name, name): value for name, value in fields.items()}
        if folded and self.overflow:
            name = renamed.get(self.overflow, self.overflow)
            before = readable(final.get(name))
            final[name] = "\n".join([*([before] if before else []), *texts]) or None
        return replace(desired, fields=final, links={renamed.get(name, name): link for name, link in links.items()})


def readable(value: JSON) -> str:
    """Return a canonical value as text for people; "" for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(text for text in map(readable, value) if text)
    if isinstance(value, dict):
        return " ".join(text for text in map(readable, value.values()) if text)
    return str(value)


def fit_schema(
    spec: Spec,
    found: Sequence[SchemaItem],
    slots: Mapping[str, int],
    kept: Mapping[str, bool] | None = None,
    objects: Mapping[str, ObjectBehaviour] = NO_BEHAVIOURS,
) -> Fit:
    """Return how the spec's schema lands in the account.

    Items of the same object, owner, name and type are used as they are. Fields that must be created take the slots in
    order of priority, the source key's field before all; what is left over folds. The overflow field takes a slot only
    when something of its object folds and the account does not have it yet.

    :param found: what the account has.
    :param slots: per schema object, how many can still be created; an object that is absent has no cap.
    :param kept: an earlier decision, which holds whatever the account looks like now.
    :param objects: the destination's behaviours: they say how an item is named whose name is taken.
    :raises PlanLimit: no room for the source key, for a pipeline, stage or type, or for the overflow field.
    """
    account = {item.key: item for item in found}
    wanted: dict[str, SchemaItem] = {}
    clashes: dict[str, SchemaItem] = {}
    for item in spec.schema:
        placed = _placed(item, clashes, account, objects)
        if placed.key != item.key:
            clashes[item.key] = placed
        wanted[item.key] = placed
    overflow = _overflow_items(spec, wanted, clashes, account, objects)
    folded = _choose(spec, wanted, overflow, account, slots, dict(kept or {}))
    fold_keys = {item.key for item in folded}
    needed = {item.of for item in folded}
    unused = {key for of, key in _overflow_keys(overflow) if of not in needed and not _is_filled(spec, of)}
    final = [item for key, item in wanted.items() if key not in fold_keys and item.key not in unused]
    final += [item for of, item in overflow.items() if of in needed and item not in final]
    _check_room(final, account, slots)
    reuse = {item.key: account[item.key] for item in final if item.key in account}
    decisions = {
        key: key not in fold_keys for key, item in wanted.items() if item.object == "field" and item.key not in unused
    }
    return Fit(
        items={item.key: reuse.get(item.key, item) for item in final},
        reuse=reuse,
        create=tuple(item for item in final if item.key not in account),
        add_options=_missing_options(final, account),
        folded=tuple(sorted(folded, key=_priority)),
        clashes=clashes,
        kept=decisions,
        overflow=spec.overflow,
        compromises=_compromises(spec, folded, clashes),
        fields_of={entry.name: entry.fields_of for entry in spec.entries},
    )


def _last(key: str) -> str:
    return key.split("/", 2)[2]


def _relinked(link: LinkRef, clashes: Mapping[str, SchemaItem]) -> LinkRef:
    item = clashes.get(link.key.removeprefix("schema:")) if link.key.startswith("schema:") else None
    return link if item is None else replace(link, key=f"schema:{item.key}")


def _placed(
    item: SchemaItem,
    clashes: Mapping[str, SchemaItem],
    account: Mapping[str, SchemaItem],
    objects: Mapping[str, ObjectBehaviour],
) -> SchemaItem:
    """Return the item under the name and owner it will have in this account."""
    for key, owner in clashes.items():
        if not owner.of and _last(key) == item.of:  # what has no owner itself, such as a pipeline, may be one
            item = replace(item, of=owner.name)
    there = account.get(item.key)
    if there is None or _same_type(item, there):
        return item
    renamed = replace(item, name=_other_name(item, objects.get(item.object, PLAIN)))
    there = account.get(renamed.key)
    if there is not None and not _same_type(renamed, there):
        raise PlanLimit(
            f'the account has a {item.object} "{item.name}" and a "{renamed.name}", both of another type than the '
            "mapping needs. Rename one of them in the account, or the field in the mapping."
        )
    return renamed


def _other_name(item: SchemaItem, behaviour: ObjectBehaviour) -> str:
    """Return what an item is called whose name is taken, as long as the destination lets it be."""
    longest = behaviour.limits.get("name")
    kept = item.name if longest is None else item.name[: longest - len(behaviour.clash_suffix)]
    return kept + behaviour.clash_suffix


def _same_type(wanted: SchemaItem, there: SchemaItem) -> bool:
    pairs = ((wanted.settings.get(name), there.settings.get(name)) for name in ALIKE)
    return all(one is None or other is None or one == other for one, other in pairs)


def _priority(item: SchemaItem) -> int:
    return int(item.settings.get("priority", 0))


def _overflow_items(
    spec: Spec,
    wanted: Mapping[str, SchemaItem],
    clashes: dict[str, SchemaItem],
    account: Mapping[str, SchemaItem],
    objects: Mapping[str, ObjectBehaviour],
) -> dict[str, SchemaItem]:
    """Return the overflow field of each object that has fields: as the spec declares it, else a plain text."""
    if spec.overflow is None:
        return {}
    items: dict[str, SchemaItem] = {}
    for item in [item for item in wanted.values() if item.object == "field"]:
        if item.of in items:
            continue
        plain = SchemaItem("field", spec.overflow, item.of, {"type": OVERFLOW_TYPE})
        declared = wanted.get(plain.key)
        items[item.of] = declared or _placed(plain, clashes, account, objects)
        if items[item.of].key != plain.key:
            clashes[plain.key] = items[item.of]
    return items


def _overflow_keys(overflow: Mapping[str, SchemaItem]) -> list[tuple[str, str]]:
    return [(of, item.key) for of, item in overflow.items()]


def _is_filled(spec: Spec, of: str) -> bool:
    """Whether an entry writes the overflow field of this object itself."""
    return any(entry.fields_of == of and spec.overflow in entry.lineage for entry in spec.entries)


def _choose(
    spec: Spec,
    wanted: Mapping[str, SchemaItem],
    overflow: Mapping[str, SchemaItem],
    account: Mapping[str, SchemaItem],
    slots: Mapping[str, int],
    kept: dict[str, bool],
) -> list[SchemaItem]:
    """Return the fields that fold, as the spec names them."""
    by_key = {item.key: item for item in spec.schema}
    overflow_keys = {item.key for item in overflow.values()}
    fields = {key: item for key, item in wanted.items() if item.object == "field" and item.key not in overflow_keys}
    fold = [by_key[key] for key in fields if kept.get(key) is False and not by_key[key].settings.get("key")]
    room = slots.get("field")
    if room is None:
        return fold
    fixed = [
        key
        for key, item in fields.items()
        if item.key not in account and (by_key[key].settings.get("key") or kept.get(key) is True)
    ]
    fixed += [item.key for of, item in overflow.items() if item.key not in account and _is_filled(spec, of)]
    loose = [
        by_key[key]
        for key, item in fields.items()
        if item.key not in account and key not in fixed and by_key[key] not in fold
    ]
    loose.sort(key=_priority)
    for count in range(len(loose), -1, -1):
        left = fold + loose[count:]
        new_overflow = {item.of for item in left if overflow and overflow[item.of].key not in account}
        extra = [of for of in new_overflow if not _is_filled(spec, of)]
        if len(fixed) + count + len(extra) <= room and (overflow or not left):
            return left
    raise _no_room(spec, len(fixed), room)


def _no_room(spec: Spec, fixed: int, room: int) -> PlanLimit:
    keys = sum(1 for item in spec.schema if item.settings.get("key"))
    if room < keys:
        return PlanLimit(
            f"the account can take {room} more custom fields, and the source keys alone need {keys}. "
            "Remove custom fields that are not used, or choose a larger plan."
        )
    what = "an overflow field for what does not fit" if spec.overflow else "all fields (the mapping has no overflow)"
    return PlanLimit(
        f"the account can take {room} more custom fields; {fixed} are fixed and there must be room for {what}. "
        "Remove custom fields that are not used, or choose a larger plan."
    )


def _check_room(final: Sequence[SchemaItem], account: Mapping[str, SchemaItem], slots: Mapping[str, int]) -> None:
    for name, room in slots.items():
        needed = sum(1 for item in final if item.object == name and item.key not in account)
        if needed > room:
            raise PlanLimit(
                f"the mapping needs {needed} new items of {name} and the account's plan has room for {room}. "
                "Remove unused ones in the account, or choose a larger plan."
            )


def _missing_options(final: Sequence[SchemaItem], account: Mapping[str, SchemaItem]) -> dict[str, tuple[str, ...]]:
    missing: dict[str, tuple[str, ...]] = {}
    for item in final:
        there: Any = account[item.key].settings.get("options", ()) if item.key in account else None
        if there is not None:
            lacking = tuple(option for option in item.settings.get("options", ()) if option not in there)
            if lacking:
                missing[item.key] = lacking
    return missing


def _compromises(spec: Spec, folded: Sequence[SchemaItem], clashes: Mapping[str, SchemaItem]) -> tuple[str, ...]:
    said = list(spec.compromises)
    links = {(entry.fields_of, rule.field) for entry in spec.entries for rule in entry.links}
    for item in sorted(folded, key=_priority):
        if (item.of, item.name) in links:
            said.append(f'{item.of}: the link "{item.name}" is left out, the account has no slot for its field.')
        else:
            said.append(f'{item.of}: "{item.name}" goes into "{spec.overflow}", the account has no slot for it.')
    for key, item in clashes.items():
        said.append(f'{item.object} "{_last(key)}" exists with another type: "{item.name}" is used instead.')
    return tuple(said)
