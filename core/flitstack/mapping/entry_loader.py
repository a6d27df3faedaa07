"""Compiles one entry of a spec: which names its expressions see, in which order they are computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from flitstack.mapping.entries import Collect, Condition, Conditions, Entry, LinkRule, LinkTarget
from flitstack.mapping.expressions import Expression, ExpressionCompiler
from flitstack.mapping.kinds import Kind, ListOf, OneRecord, Scalar, member_names
from flitstack.mapping.model import Lineage
from flitstack.mapping.records import Shape, open_shape
from flitstack.mapping.words import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flitstack.mapping.yamltext import Path
    from flitstack.protocols import SchemaItem

RESERVED = frozenset(
    {"as_of", "group", "values", "true", "false", "none", "and", "or", "not", "in", "is", "if", "else"}
)
_TOO_EARLY = "it is computed after where and group"


class SpecContext:
    """What all entries of one spec share while they are compiled."""

    def __init__(
        self,
        compiler: ExpressionCompiler,
        shapes: Mapping[str, Shape],
        objects: Collection[str],
        items: Mapping[str, SchemaItem],
        strict_streams: bool,
        user: str,
    ) -> None:
        self.user = user
        self.compiler = compiler
        self.shapes = shapes
        self.objects = objects
        self.items = items
        self._strict = strict_streams

    def problem(self, path: Path, message: str) -> None:
        """Note what is wrong at `path`."""
        line = self.compiler.document.line(path)
        self.compiler.problems.add(line, ".".join(str(part) for part in path), message)

    def shape(self, path: Path, stream: str) -> Shape:
        """Return the stream's shape; one that no schema knows is a problem, or open when streams are not strict."""
        if stream in self.shapes:
            return self.shapes[stream]
        if self._strict:
            self.problem(path, f'unknown stream "{stream}".{nearest(stream, self.shapes)}')
        return open_shape(stream, self.shapes)

    def object(self, path: Path, name: str) -> str:
        """Return the object's name; one that the destination does not have is a problem."""
        if name not in self.objects:
            self.problem(path, f'the destination has no object "{name}".{nearest(name, self.objects)}')
        return name


class EntryLoader:
    """Compiles one entry; the parts of the entry are read in the order in which names come to exist."""

    def __init__(self, context: SpecContext, at: int, data: Mapping[str, Any]) -> None:
        self._context = context
        self._path: Path = ("entries", at)
        self._data = data
        self._shape = context.shape((*self._path, "from"), data["from"])
        self._names: dict[str, Kind] = {}
        self._columns: dict[str, frozenset[str]] = {}
        self._late: set[str] = set()

    def load(self) -> Entry:
        """Return the compiled entry; what is wrong in it is noted in the problems."""
        data, compiler = self._data, self._context.compiler
        self._add("as", data["as"], OneRecord(self._shape))
        self._names["as_of"] = Scalar("datetime")
        early = dict(self._names)
        where = [self._negated(early)] if data.get("where") is not None else []
        group = self._group(early)
        collects = tuple(self._collect(name, given) for name, given in (data.get("collect") or {}).items())
        lets = [(name, self._let(name, given)) for name, given in (data.get("let") or {}).items()]
        first, later = self._conditions()
        key = self._expression(("key",), data["key"]) if "key" in data else None
        parts_of = self._parts()
        link_rules, link_ids = self._links()
        fields = {name: self._expression(("fields", name), given) for name, given in (data.get("fields") or {}).items()}
        written = [*(one for several in link_ids for one in several), *fields.values()]
        none = Expression("none", "key", nodes.Const(None), Scalar("none"), frozenset())
        at_once = parts_of is None and not later
        prepare = None if at_once else compiler.unit([key or none, parts_of or none], lets)
        write = compiler.unit([key or none, *written], lets) if at_once else compiler.unit(written)
        return Entry(
            name=data["entry"],
            object=self._context.object((*self._path, "object"), data["object"]),
            fields_of=self._context.object((*self._path, "fields_of"), data.get("fields_of", data["object"])),
            stream=data["from"],
            alias=data["as"],
            key_stream=data.get("key_stream", data["from"]),
            shape=self._shape,
            early=self._judges([*((expression, None) for expression in where), *first]),
            group=group,
            collects=collects,
            late=self._judges(later),
            prepare=prepare,
            has_key=key is not None,
            part_alias=data["parts"]["as"] if parts_of else None,
            write=write,
            links=link_rules,
            fields=tuple(fields),
            items=frozenset(self._context.items),
            lineage=self._lineage(link_rules, link_ids, fields),
            afterwards=dict(data.get("afterwards", {})),
        )

    # --- names ------------------------------------------------------------------------------------------------------

    def _add(self, place: str, name: str, kind: Kind) -> None:
        if name in RESERVED or name in self._context.compiler.environment.globals:
            self._context.problem(self._path, f'{place}: "{name}" means something already. Choose another name.')
        elif name in self._names:
            self._context.problem(self._path, f'{place}: "{name}" is taken in this entry. Choose another name.')
        self._names[name] = kind

    def _add_late(self, place: str, name: str, kind: Kind) -> None:
        self._add(place, name, kind)
        self._late.add(name)

    def _expression(
        self, place: tuple[str | int, ...], data: Any, names: Mapping[str, Kind] | None = None
    ) -> Expression:
        label = ".".join(str(part) for part in place)
        visible = self._names if names is None else names
        coming = {
            name: _TOO_EARLY
            for name in (*(self._data.get("collect") or ()), *(self._data.get("let") or ()), "group")
            if name not in visible
        }
        return self._context.compiler.expression((*self._path, *place), label, data, visible, coming)

    # --- conditions -------------------------------------------------------------------------------------------------

    def _negated(self, names: Mapping[str, Kind]) -> Expression:
        where = self._expression(("where",), self._data["where"], names)
        return Expression(where.source, where.label, nodes.Not(where.node, lineno=1), where.kind, where.names)

    def _conditions(
        self,
    ) -> tuple[list[tuple[Expression, Condition | None]], list[tuple[Expression, Condition | None]]]:
        """Return skip rules and rejections in order: those on the record alone, and all from the first that is not."""
        found: list[tuple[Expression, Condition | None]] = []
        for name, given in (self._data.get("skip") or {}).items():
            found.append((self._expression(("skip", name), given), Condition(name, rejects=False)))
        for name, given in (self._data.get("reject") or {}).items():
            condition = Condition(name, True, given["reason"], given["hint"], given.get("field"))
            found.append((self._expression(("reject", name, "when"), given["when"]), condition))
        for at, (expression, _) in enumerate(found):
            if expression.names & self._late:
                return found[:at], found[at:]
        return found, []

    def _judges(self, found: list[tuple[Expression, Condition | None]]) -> Conditions | None:
        if not found:
            return None
        unit = self._context.compiler.unit([expression for expression, _ in found], first=True)
        return Conditions(unit, tuple(condition for _, condition in found))

    # --- groups, collected records and let --------------------------------------------------------------------------

    def _group(self, names: Mapping[str, Kind]) -> Any:
        if "group" not in self._data:
            return None
        values = [self._expression(("group", at), given, names) for at, given in enumerate(self._data["group"])]
        self._names["group"] = ListOf(OneRecord(self._shape))
        self._late.add("group")
        return self._context.compiler.unit(values)

    def _collect(self, name: str, data: Mapping[str, Any]) -> Collect:
        place = ("collect", name)
        shape = self._context.shape((*self._path, *place, "from"), data["from"])
        if not shape.open and data["by"] not in shape.kinds:
            message = f'{data["from"]} has no field "{data["by"]}".{nearest(data["by"], shape.kinds)}'
            self._context.problem((*self._path, *place, "by"), message)
        if data["as"] in self._names or data["as"] in RESERVED:
            self._context.problem((*self._path, *place, "as"), f'"{data["as"]}" is taken. Choose another name.')
        of = self._expression((*place, "is"), data["is"]) if "is" in data else None
        inner = {**self._names, data["as"]: OneRecord(shape)}
        where = self._expression((*place, "where"), data["where"], inner) if data.get("where") is not None else None
        orders = [self._order((*place, "order", at), given, inner) for at, given in enumerate(data.get("order") or ())]
        each = self._expression((*place, "each"), data.get("each", data["as"]), inner)
        compiler = self._context.compiler
        columns = [self._columns_of(expression, inner) for expression in (*(order for order, _ in orders), each)]
        self._columns[name] = frozenset().union(*columns) or frozenset({f"{data['from']}.{data['by']}"})
        self._add_late("collect", name, ListOf(each.kind))
        return Collect(
            name=name,
            shape=shape,
            alias=data["as"],
            by=data["by"],
            of=None if of is None else compiler.unit([of]),
            pick=compiler.unit([*(order for order, _ in orders), each], guard=where),
            descending=tuple(descending for _, descending in orders),
            limit=data.get("limit"),
            fold=bool(data.get("fold", True)),
            along=self._along(place, shape, data["from"], data.get("fold", True)),
        )

    def _along(self, place: tuple[str, ...], shape: Shape, stream: str, given: Any) -> tuple[tuple[str, str], ...]:
        """Return the references, named under `fold`, whose records fold with the collected one."""
        names = given if isinstance(given, list) else []
        for name in names:
            if name not in shape.references:
                message = f'{stream} has no reference "{name}".{nearest(name, shape.references)}'
                self._context.problem((*self._path, *place, "fold"), message)
        return tuple(shape.references[name] for name in names if name in shape.references)

    def _order(self, place: tuple[str | int, ...], data: Any, names: Mapping[str, Kind]) -> tuple[Expression, bool]:
        if isinstance(data, Mapping):
            return self._expression((*place, "desc"), data["desc"], names), True
        return self._expression(place, data, names), False

    def _let(self, name: str, data: Any) -> Expression:
        expression = self._expression(("let", name), data)
        self._columns[name] = self._columns_of(expression)
        self._add_late("let", name, expression.kind)
        return expression

    def _parts(self) -> Expression | None:
        if not self._data.get("parts"):
            return None
        parts = self._data["parts"]
        of = self._expression(("parts", "of"), parts["of"])
        self._add("parts.as", parts["as"], of.kind.item if isinstance(of.kind, ListOf) else Scalar("any"))
        self._columns[parts["as"]] = self._columns_of(of)
        return of

    # --- links ------------------------------------------------------------------------------------------------------

    def _links(self) -> tuple[tuple[LinkRule, ...], list[tuple[Expression, ...]]]:
        """Return the links, and of each the expressions of its targets."""
        rules, ids = [], []
        for field, given in (self._data.get("links") or {}).items():
            alone = not isinstance(given, list)
            places = [("links", field) if alone else ("links", field, at) for at in range(1 if alone else len(given))]
            found = [self._target(place, data) for place, data in zip(places, [given] if alone else given, strict=True)]
            rules.append(LinkRule(field, tuple(target for target, _ in found)))
            ids.append(tuple(expression for _, expression in found))
        return tuple(rules), ids

    def _target(self, place: tuple[str | int, ...], data: Mapping[str, Any]) -> tuple[LinkTarget, Expression]:
        name = self._context.object((*self._path, *place, "object"), data["object"])
        stream, of = data.get("stream", ""), data.get("of", "")
        if stream:
            self._context.shape((*self._path, *place, "stream"), stream)
        what = "id" if stream else "name"
        expression = self._expression((*place, what), data[what])
        if not stream:
            self._check_item((*self._path, *place, "name"), name, of, expression)
        required, fallback = data.get("required", False), data.get("fallback", False)
        is_user = name == self._context.user
        return LinkTarget(name, stream, of, data.get("part", ""), required, fallback, is_user), expression

    def _check_item(self, path: Path, target: str, of: str, name: Expression) -> None:
        """Note a link to a schema item that the spec does not have, as far as that can be known before any record."""
        there = {item.name for item in self._context.items.values() if (item.object, item.of) == (target, of)}
        if not there:
            self._context.problem(path, f"the schema above has no {target}{f' of {of}' if of else ''} to link to")
        elif isinstance(name.node, nodes.Const) and isinstance(name.node.value, str) and name.node.value not in there:
            wanted = name.node.value
            self._context.problem(path, f'the schema above has no {target} "{wanted}".{nearest(wanted, there)}')

    # --- lineage ----------------------------------------------------------------------------------------------------

    def _lineage(
        self, rules: tuple[LinkRule, ...], ids: list[tuple[Expression, ...]], fields: Mapping[str, Expression]
    ) -> dict[str, Lineage]:
        by_name = {rule.field: found for rule, found in zip(rules, ids, strict=True)}
        return {name: self._lineage_of(found) for name, found in by_name.items()} | {
            name: self._lineage_of((found,)) for name, found in fields.items()
        }

    def _lineage_of(self, found: Sequence[Expression]) -> Lineage:
        columns = frozenset().union(*(self._columns_of(expression) for expression in found))
        return Lineage(" | ".join(expression.source for expression in found), tuple(sorted(columns)))

    def _columns_of(self, expression: Expression, names: Mapping[str, Kind] | None = None) -> frozenset[str]:
        visible = self._names if names is None else names
        found: set[str] = set()
        for name in expression.names:
            found |= self._columns.get(name, frozenset())
        whole = expression.node
        inside = [*([whole] if isinstance(whole, nodes.Getattr) else []), *whole.find_all(nodes.Getattr)]
        for node in inside:
            chain: list[str] = []
            owner: nodes.Node = node
            while isinstance(owner, nodes.Getattr):
                chain.insert(0, owner.attr)
                owner = owner.node
            if isinstance(owner, nodes.Name):
                found |= _columns(visible.get(owner.name), chain)
        return frozenset(found)


def _columns(kind: Kind | None, chain: list[str]) -> set[str]:
    """Return the columns that a chain of names reads: of each reference its id, and what stands at the end."""
    found: set[str] = set()
    for name in chain:
        if not isinstance(kind, OneRecord):
            break
        shape = kind.shape
        field, stream = shape.references.get(name, ("", ""))
        if field:
            found.add(f"{shape.stream}.{field}")
        elif name in member_names(kind) or shape.open:
            found.add(f"{shape.stream}.{name}")
        kind = OneRecord(shape.peers[stream]) if stream in shape.peers else None
    return found
