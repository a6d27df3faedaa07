"""Checks an expression before any record is seen: every name, attribute, function, filter and operator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from jinja2 import nodes

from flitstack.mapping.filters import FILTERS, TESTS
from flitstack.mapping.functions import OF_SCOPE
from flitstack.mapping.kinds import (
    ANY,
    METHODS,
    NONE,
    NUMBERS,
    TEXT,
    DictOf,
    Kind,
    ListOf,
    OneRecord,
    Scalar,
    described,
    joined,
    kind_of_constant,
    member_kind,
    member_names,
)
from flitstack.mapping.words import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from flitstack.protocols import Stream, Transform

_USE_JOIN = "would turn a missing value into text: use join_present(separator, ...)"
_REFUSED_FILTERS = {"string": _USE_JOIN, "format": _USE_JOIN, "join": _USE_JOIN}
_ITEM_OF = frozenset({"latest", "earliest", "first", "last", "min", "max"})
_SAME_LIST = frozenset({"unique", "sort", "reverse", "list", "select", "reject", "selectattr", "rejectattr"})
_FIRST_NAMES_A_FIELD = frozenset({"selectattr", "rejectattr"})
_RESULTS: Mapping[str, Kind] = {
    **dict.fromkeys(
        ("join_present", "lines", "text", "money", "html_text", "truncate_text", "date_text", "time_text",
         "minutes_text", "key_of", "upper", "lower", "trim", "title", "capitalize", "replace"), TEXT,
    ),
    **dict.fromkeys(("decimal", "sum_of", "round"), Scalar("decimal")),
    **dict.fromkeys(("days_between", "minutes_between", "length", "count", "int"), Scalar("integer")),
    **dict.fromkeys(("at_zone", "in_zone"), Scalar("datetime")),
    "day": Scalar("date"),
    "has_user": Scalar("boolean"),
    "referring": ListOf(ANY),
    "split_text": ListOf(TEXT),
}  # fmt: skip
_SAME_AS_FIRST = frozenset({"plus_days", "plus_minutes", "plus_months", "abs"})


class Flaw(Exception):
    """What is wrong in an expression, and the line inside it (from 1)."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


class Checker:
    """Infers the kind of expressions and refuses what no record could make right.

    :param names: what the expressions may name, with its kind.
    :param transforms: functions, filters and tests by (kind, name).
    :param hints: names that exist but cannot be used here, with the reason.
    :param streams: known streams, for functions that name one; None when any name may be one.
    """

    def __init__(
        self,
        names: Mapping[str, Kind],
        transforms: Mapping[tuple[str, str], Transform],
        hints: Mapping[str, str] | None = None,
        streams: Collection[str] | None = None,
    ) -> None:
        self._names = names
        self._transforms = transforms
        self._hints = hints or {}
        self._streams = streams
        self._functions = frozenset(name for kind, name in transforms if kind == "function")
        self._filters = frozenset({*FILTERS, *(name for kind, name in transforms if kind != "test")}) - OF_SCOPE
        self._tests = frozenset({*TESTS, *(name for kind, name in transforms if kind == "test")})

    def kind(self, node: nodes.Expr) -> Kind:
        """Return the kind of the expression.

        :raises Flaw: something in it is unknown or not allowed.
        """
        rule = _RULES.get(type(node))
        if rule is None:
            raise Flaw(f"{type(node).__name__} cannot be used in an expression", node.lineno)
        return rule(self, node)

    def _name(self, node: nodes.Name) -> Kind:
        if node.name in self._names:
            return self._names[node.name]
        if node.name in self._hints:
            raise Flaw(f'"{node.name}" cannot be used here: {self._hints[node.name]}', node.lineno)
        if node.name in self._functions:
            raise Flaw(f'"{node.name}" is a function: write {node.name}(...)', node.lineno)
        raise Flaw(f'unknown name "{node.name}".{nearest(node.name, self._names)}', node.lineno)

    def _member(self, kind: Kind, name: str, line: int) -> Kind:
        found = None if name.startswith("_") else member_kind(kind, name)
        if found is None:
            help_text = nearest(name, member_names(kind))
            if isinstance(kind, ListOf):
                help_text = " Choose an item first: first, last, latest(items, 'field'), map(attribute='...')."
            raise Flaw(f'{described(kind)} has no "{name}".{help_text}', line)
        return found

    def _path(self, kind: Kind, path: str, line: int) -> Kind:
        for name in path.split("."):
            kind = self._member(kind, name, line)
        return kind

    def _getattr(self, node: nodes.Getattr) -> Kind:
        owner = self.kind(node.node)
        kind = self._member(owner, node.attr, node.lineno)
        if isinstance(owner, Scalar) and owner != ANY and node.attr in METHODS:
            raise Flaw(f'"{node.attr}" is a function of its value: write {node.attr}(...)', node.lineno)
        return kind

    def _getitem(self, node: nodes.Getitem) -> Kind:
        kind = self.kind(node.node)
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._member(kind, node.arg.value, node.lineno)
        self.kind(node.arg)
        if isinstance(kind, ListOf):
            return kind if isinstance(node.arg, nodes.Slice) else kind.item
        if isinstance(kind, OneRecord):
            raise Flaw("what is read of a record must be named: write record.field", node.lineno)
        return TEXT if kind == TEXT else ANY

    def _slice(self, node: nodes.Slice) -> Kind:
        for part in (node.start, node.stop, node.step):
            if part is not None:
                self.kind(part)
        return ANY

    def _call(self, node: nodes.Call) -> Kind:
        if isinstance(node.node, nodes.Getattr):
            owner = self.kind(node.node.node)
            self._member(owner, node.node.attr, node.lineno)
            if node.node.attr not in METHODS:
                raise Flaw(f'"{node.node.attr}" is no function', node.lineno)
            self._arguments(node)
            return TEXT if owner == TEXT and node.node.attr in ("upper", "lower", "strip", "title") else ANY
        if not isinstance(node.node, nodes.Name):
            raise Flaw("only a function's name can be called", node.lineno)
        name = node.node.name
        if name not in self._functions:
            known = f'"{name}" is not a function' if name in self._names else f'unknown function "{name}"'
            raise Flaw(f"{known}.{nearest(name, self._functions)}", node.lineno)
        if name in OF_SCOPE:
            self._check_stream(node)
        return self._applied(name, "function", node, [])

    def _check_stream(self, node: nodes.Call) -> None:
        named = node.args[0] if node.args else None
        if not isinstance(named, nodes.Const) or not isinstance(named.value, str):
            raise Flaw("the stream must be named as plain text in quotes", node.lineno)
        if self._streams is not None and named.value not in self._streams:
            raise Flaw(f'unknown stream "{named.value}".{nearest(named.value, self._streams)}', node.lineno)
        if isinstance(node.node, nodes.Name) and node.node.name == "referring":
            self._check_field(node, self._streams[named.value] if isinstance(self._streams, Mapping) else None)

    def _check_field(self, node: nodes.Call, stream: Stream | None) -> None:
        field = node.args[1] if len(node.args) > 1 else None
        if not isinstance(field, nodes.Const) or not isinstance(field.value, str):
            raise Flaw("the field must be named as plain text in quotes", node.lineno)
        known = None if stream is None else stream.schema.get("properties", {})
        if known is not None and field.value not in known:
            raise Flaw(f'it has no field "{field.value}".{nearest(field.value, known)}', node.lineno)

    def _filter(self, node: nodes.Filter) -> Kind:
        if node.name in _REFUSED_FILTERS:
            raise Flaw(f"|{node.name} {_REFUSED_FILTERS[node.name]}", node.lineno)
        if node.name not in self._filters:
            raise Flaw(f'unknown filter "{node.name}".{nearest(node.name, self._filters)}', node.lineno)
        if node.node is None:
            raise Flaw("a filter needs a value before it", node.lineno)
        kind = "function" if ("function", node.name) in self._transforms else "filter"
        return self._applied(node.name, kind, node, [self.kind(node.node)])

    def _applied(self, name: str, sort: str, node: nodes.Call | nodes.Filter, given: list[Kind]) -> Kind:
        kinds = given + self._arguments(node)
        transform = self._transforms.get((sort, name))
        first = kinds[0] if kinds else ANY
        item = first.item if isinstance(first, ListOf) else ANY
        of_attribute = self._check_attributes(name, node, len(given), item, transform)
        if name == "map":
            return ListOf(of_attribute if of_attribute is not None else ANY)
        if name in _ITEM_OF:
            return item
        if name in _SAME_LIST:
            return first if isinstance(first, ListOf) else ListOf(ANY)
        if name in _SAME_AS_FIRST:
            return first
        if name in ("first_present", "default"):
            return self._either(kinds)
        if name == "choose":
            return ANY
        return _RESULTS.get(name, ANY)

    def _either(self, kinds: Sequence[Kind]) -> Kind:
        result: Kind = NONE
        for kind in kinds:
            result = joined(result, kind)
        return result

    def _arguments(self, node: nodes.Call | nodes.Filter | nodes.Test) -> list[Kind]:
        kinds = [self.kind(argument) for argument in node.args]
        for pair in node.kwargs:
            self.kind(pair.value)
        for more in (node.dyn_args, node.dyn_kwargs):
            if more is not None:
                self.kind(more)
        return kinds

    def _check_attributes(
        self, name: str, node: nodes.Call | nodes.Filter, shift: int, item: Kind, transform: Transform | None
    ) -> Kind | None:
        """Check the arguments that name a field of the items, and return the kind of the last of them."""
        named: list[nodes.Expr] = [pair.value for pair in node.kwargs if pair.key == "attribute"]
        if transform is None and name in _FIRST_NAMES_A_FIELD:
            named += node.args[:1]
        if transform is not None:
            named += [node.args[at - shift] for at in transform.attributes if 0 <= at - shift < len(node.args)]
        if name == "map" and node.args:
            self._known_operation(node.args[0], "filter", self._filters)
        if name in ("select", "reject") and node.args:
            self._known_operation(node.args[0], "test", self._tests)
        if name in ("selectattr", "rejectattr") and len(node.args) > 1:
            self._known_operation(node.args[1], "test", self._tests)
        found: Kind | None = None
        for argument in named:
            if not isinstance(argument, nodes.Const) or not isinstance(argument.value, str):
                raise Flaw(f"{name} needs the field's name as plain text in quotes", node.lineno)
            found = self._path(item, argument.value, node.lineno)
        return found

    def _known_operation(self, argument: nodes.Expr, sort: str, known: frozenset[str]) -> None:
        if not isinstance(argument, nodes.Const) or not isinstance(argument.value, str):
            raise Flaw(f"a {sort} must be named as plain text in quotes", argument.lineno)
        if argument.value in _REFUSED_FILTERS and sort == "filter":
            raise Flaw(f"{argument.value} {_REFUSED_FILTERS[argument.value]}", argument.lineno)
        if argument.value not in known:
            raise Flaw(f'unknown {sort} "{argument.value}".{nearest(argument.value, known)}', argument.lineno)

    def _test(self, node: nodes.Test) -> Kind:
        if node.name in ("defined", "undefined"):
            raise Flaw('every name is known here: ask "is none" or "is present"', node.lineno)
        if node.name not in self._tests:
            raise Flaw(f'unknown test "{node.name}".{nearest(node.name, self._tests)}', node.lineno)
        self.kind(node.node)
        self._arguments(node)
        return Scalar("boolean")

    def _binary(self, node: nodes.BinExpr) -> Kind:
        left, right = self.kind(node.left), self.kind(node.right)
        if node.operator == "**":
            raise Flaw("** cannot be used: multiply", node.lineno)
        if node.operator in ("%", "*") and TEXT in (left, right):
            reason = _USE_JOIN if node.operator == "%" else "does not work on text"
            raise Flaw(f"{node.operator} {reason}", node.lineno)
        if isinstance(left, OneRecord) or isinstance(right, OneRecord):
            raise Flaw(f"{node.operator} does not work on a record: name its field", node.lineno)
        if left == right:
            return left
        numbers = [kind for kind in (left, right) if isinstance(kind, Scalar) and kind.name in NUMBERS]
        return Scalar("number") if len(numbers) == 2 else ANY

    def _concat(self, node: nodes.Concat) -> Kind:
        raise Flaw(f"~ {_USE_JOIN}", node.lineno)

    def _logic(self, node: nodes.BinExpr) -> Kind:
        return joined(self.kind(node.left), self.kind(node.right))

    def _unary(self, node: nodes.UnaryExpr) -> Kind:
        kind = self.kind(node.node)
        return Scalar("boolean") if isinstance(node, nodes.Not) else kind

    def _compare(self, node: nodes.Compare) -> Kind:
        self.kind(node.expr)
        for operand in node.ops:
            self.kind(operand.expr)
        return Scalar("boolean")

    def _condition(self, node: nodes.CondExpr) -> Kind:
        self.kind(node.test)
        other = NONE if node.expr2 is None else self.kind(node.expr2)
        return joined(self.kind(node.expr1), other)

    def _list(self, node: nodes.List | nodes.Tuple) -> Kind:
        kinds = [self.kind(item) for item in node.items]
        return ListOf(kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else ANY)

    def _dict(self, node: nodes.Dict) -> Kind:
        keys: dict[str, Kind] = {}
        known = True
        for pair in node.items:
            kind = self.kind(pair.value)
            self.kind(pair.key)
            if isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str):
                keys[pair.key.value] = kind
            else:
                known = False
        return DictOf(keys) if known else ANY

    def _constant(self, node: nodes.Const) -> Kind:
        return kind_of_constant(node.value)


_RULES: Mapping[type[nodes.Expr], Callable[..., Kind]] = {
    nodes.Name: Checker._name,
    nodes.Const: Checker._constant,
    nodes.Getattr: Checker._getattr,
    nodes.Getitem: Checker._getitem,
    nodes.Slice: Checker._slice,
    nodes.Call: Checker._call,
    nodes.Filter: Checker._filter,
    nodes.Test: Checker._test,
    nodes.Concat: Checker._concat,
    nodes.And: Checker._logic,
    nodes.Or: Checker._logic,
    nodes.Compare: Checker._compare,
    nodes.CondExpr: Checker._condition,
    nodes.List: Checker._list,
    nodes.Tuple: Checker._list,
    nodes.Dict: Checker._dict,
    **dict.fromkeys((nodes.Not, nodes.Neg, nodes.Pos), Checker._unary),
    **dict.fromkeys(
        (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow), Checker._binary
    ),
}
