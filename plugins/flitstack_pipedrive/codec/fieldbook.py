"""What the account calls its custom fields: names to keys and back, options to ids and back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flitstack.protocols import SchemaItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ENTITIES = ("person", "organization", "deal")
KEY_FIELD = "Source_System_ID__c"
KEY_TYPE = "varchar"
OPTION_TYPES = frozenset({"enum", "set"})
CLASH_SUFFIX = " (flit)"


@dataclass(frozen=True, slots=True)
class CustomField:
    """One custom field of the account.

    :param code: its key in requests, 40 hexadecimal characters.
    :param options: label to id, for the types `enum` and `set`; an option keeps the label under which records of ours
        knew it first, whatever it is called since.
    :param renamed: labels of options that are called otherwise now, to what the account calls them.
    """

    entity: str
    code: str
    name: str
    type: str
    options: Mapping[str, int] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)

    def item(self) -> SchemaItem:
        """Return it as a schema item."""
        settings: dict[str, Any] = {"type": self.type}
        if self.type in OPTION_TYPES:
            settings["options"] = list(self.options)
        if self.renamed:
            settings["renamed"] = dict(self.renamed)
        return SchemaItem("field", self.name, self.entity, settings, self.code)

    def option_id(self, label: str) -> int | None:
        """Return the id of an option, or None; spelling counts first, then letter case and spaces do not."""
        if label in self.options:
            return self.options[label]
        folded = _folded(label)
        called = {**{label: self.options[first] for first, label in self.renamed.items()}, **self.options}
        return next((id for known, id in called.items() if _folded(known) == folded), None)

    def option_label(self, id: int) -> str:
        """Return the label of an option; one that is gone shows its id."""
        return next((label for label, known in self.options.items() if known == id), f"option {id}")


class FieldBook:
    """All custom fields of the account, known by key, and by the name a spec or the account gives them."""

    def __init__(self) -> None:
        self._by_code: dict[str, dict[str, CustomField]] = {entity: {} for entity in ENTITIES}
        self._bound: dict[tuple[str, str], str] = {}
        self._names: dict[str, dict[str, str]] = {}
        self._named: dict[str, dict[str, CustomField]] = {}
        self._first: dict[str, dict[int, str]] = {}  # of the bound fields: key to option id to the label known first

    def first_labels(self) -> dict[str, dict[str, str]]:
        """Return under which label each option of a bound field was known first: key to option id to label."""
        return {code: {str(id): label for id, label in labels.items()} for code, labels in self._first.items()}

    def remember(self, first: Any) -> None:
        """Take over what `first_labels` returned to an earlier run."""
        for code, labels in (first if isinstance(first, dict) else {}).items():
            self._first[code] = {int(id): str(label) for id, label in labels.items()}

    def replace_all(self, entity: str, fields: Iterable[CustomField]) -> None:
        """Take these as all fields of the entity."""
        self._by_code[entity] = {known.code: self._as_known_first(known) for known in fields}
        self._forget_names()

    def add(self, known: CustomField) -> None:
        """Add a field, or replace what was known of it."""
        self._by_code[known.entity][known.code] = self._as_known_first(known)
        self._forget_names()

    def remove(self, code: str) -> None:
        """Forget a field."""
        for fields in self._by_code.values():
            fields.pop(code, None)
        self._forget_names()

    def bind(self, entity: str, name: str, item: SchemaItem) -> None:
        """Let `name` stand for the account's item, whatever the account calls it."""
        if item.id is None or entity not in self._by_code:
            return
        self._bound[(entity, name)] = item.id
        if item.id not in self._by_code[entity]:
            kind = str(item.settings.get("type", "varchar"))
            self._by_code[entity][item.id] = CustomField(entity, item.id, item.name, kind)
        if item.id not in self._first and self._by_code[entity][item.id].type in OPTION_TYPES:
            self._first[item.id] = {id: label for label, id in self._by_code[entity][item.id].options.items()}
        self._forget_names()

    def all(self) -> Iterator[CustomField]:
        """Yield every field, by entity."""
        for fields in self._by_code.values():
            yield from fields.values()

    def by_code(self, code: str) -> CustomField | None:
        """Return the field with this key, of whichever entity."""
        return next((known for known in self.all() if known.code == code), None)

    def named(self, entity: str) -> Mapping[str, CustomField]:
        """Return the entity's fields by the name that records use for them."""
        if entity not in self._named:
            fields, names = self._by_code[entity], self._names_of(entity)
            self._named[entity] = {name: replace(fields[code], name=name) for code, name in names.items()}
        return self._named[entity]

    def _as_known_first(self, known: CustomField) -> CustomField:
        """Return the field with the labels under which its options were known first, and remember new options.

        A label that another option bears by now is that option's.
        """
        first = self._first.get(known.code)
        if first is None:
            return known
        for label, id in known.options.items():
            first.setdefault(id, label)
        ours = {label: first[id] for label, id in known.options.items() if first[id] not in known.options}
        if not ours:
            return known
        options = {ours.get(label, label): id for label, id in known.options.items()}
        return replace(known, options=options, renamed={first: label for label, first in ours.items()})

    def _forget_names(self) -> None:
        self._names.clear()
        self._named.clear()

    def _names_of(self, entity: str) -> dict[str, str]:
        """Return key to name: bound names first, then the account's, with the key beside a name taken."""
        if entity in self._names:
            return self._names[entity]
        fields = self._by_code[entity]
        names = {code: name for (owner, name), code in self._bound.items() if owner == entity and code in fields}
        keys = self._key_codes(entity, names)
        names = {code: name for code, name in names.items() if name != KEY_FIELD} | dict.fromkeys(keys, KEY_FIELD)
        taken = {KEY_FIELD, *names.values()}
        for code, known in fields.items():
            if code not in names:
                names[code] = known.name if known.name not in taken else f"{known.name} ({code[:8]})"
                taken.add(names[code])
        self._names[entity] = names
        return names

    def _key_codes(self, entity: str, names: Mapping[str, str]) -> list[str]:
        """Return the field that holds the source keys: records know it by one name, whatever the account calls it.

        An account may have had a field of that name and another type; ours then has a name of its own.
        """
        texts = {code: known for code, known in self._by_code[entity].items() if known.type == KEY_TYPE}
        ways = [{code: names[code] for code in texts if code in names}, {c: known.name for c, known in texts.items()}]
        for called in ways:
            for name in (KEY_FIELD, f"{KEY_FIELD}{CLASH_SUFFIX}"):
                found = [code for code in called if called[code] == name]
                if found:
                    return found[:1]
        return []


def read_field(entity: str, raw: Mapping[str, Any]) -> CustomField:
    """Return a field as version 2 describes it."""
    return CustomField(
        entity, str(raw["field_code"]), str(raw["field_name"]), str(raw["field_type"]), read_options(raw.get("options"))
    )


def read_options(raw: Any) -> dict[str, int]:
    """Return label to id; the first of two options with one label counts."""
    options: dict[str, int] = {}
    for option in raw or ():
        options.setdefault(str(option["label"]), int(option["id"]))
    return options


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()
