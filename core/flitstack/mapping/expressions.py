"""Compiles expressions: parsed, checked, and put together so that one call computes many of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

from flitstack.errors import FlitError, Rejected
from flitstack.mapping.canonical import LONGEST_TEXT, MOST_ITEMS
from flitstack.mapping.check import Checker, Flaw
from flitstack.mapping.kinds import ANY, DictOf, Kind, ListOf, kind_of_constant
from flitstack.mapping.units import Marker, compile_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.mapping.sandbox import ExpressionEnvironment
    from flitstack.mapping.words import Problems
    from flitstack.mapping.yamltext import Path, YamlText

LONGEST_EXPRESSION = 20_000


@dataclass(frozen=True, slots=True)
class Expression:
    """One checked expression.

    :param source: as it is written; for a dict or list of expressions, its YAML data as text.
    :param label: where it stands in its entry: `fields.name`, `let.next_visit`.
    :param node: its syntax tree with constants put in.
    :param names: names it uses.
    """

    source: str
    label: str
    node: nodes.Expr
    kind: Kind
    names: frozenset[str]


class ExpressionCompiler:
    """Turns the texts of one spec into expressions, and groups of expressions into units."""

    def __init__(
        self,
        environment: ExpressionEnvironment,
        document: YamlText,
        problems: Problems,
        values: Mapping[str, Any],
        streams: Collection[str] | None = None,
    ) -> None:
        self.environment = environment
        self.document = document
        self.problems = problems
        self.values = values
        self.streams = streams

    def expression(
        self,
        path: Path,
        label: str,
        data: Any,
        names: Mapping[str, Kind],
        hints: Mapping[str, str] | None = None,
    ) -> Expression:
        """Return the checked expression at `path`; a wrong one is noted in the problems and stands for None.

        :param data: text is an expression, another scalar itself; a dict or list has expressions inside.
        """
        checker = Checker(self._visible(names), self.environment.transforms, hints, self.streams)
        node, kind = self._build(path, data, checker)
        used = frozenset(found.name for found in node.find_all(nodes.Name))
        if isinstance(node, nodes.Name):
            used |= {node.name}
        constants = {name: value for name, value in self._constants().items() if name not in names}
        final = _Constants(constants).visit(node)
        Marker(names).visit(final)
        return Expression(_source(data), label, final, kind, used)

    def _constants(self) -> dict[str, Any]:
        return {**self.values, "values": dict(self.values)}

    def _visible(self, names: Mapping[str, Kind]) -> dict[str, Kind]:
        return {**{name: kind_of_constant(value) for name, value in self._constants().items()}, **names}

    def _build(self, path: Path, data: Any, checker: Checker) -> tuple[nodes.Expr, Kind]:
        if isinstance(data, Mapping):
            pairs = {str(key): self._build((*path, key), value, checker) for key, value in data.items()}
            items = [nodes.Pair(nodes.Const(key), node) for key, (node, _) in pairs.items()]
            return nodes.Dict(items), DictOf({key: kind for key, (_, kind) in pairs.items()})
        if isinstance(data, list):
            built = [self._build((*path, at), item, checker) for at, item in enumerate(data)]
            return nodes.List([node for node, _ in built]), ListOf(ANY)
        if isinstance(data, str):
            return self._parsed(path, data, checker)
        return _Tidy().visit(nodes.Const(data, lineno=1)), kind_of_constant(data)

    def _parsed(self, path: Path, text: str, checker: Checker) -> tuple[nodes.Expr, Kind]:
        line = self.document.line(path)
        place = ".".join(str(part) for part in path)
        try:
            node = parse(self.environment, text)
            kind = checker.kind(node)
            return _Tidy().visit(node), kind
        except Flaw as flaw:
            self.problems.add(line + flaw.line - 1, place, str(flaw))
        except RecursionError:
            self.problems.add(line, place, "nested too deep")
        return nodes.Const(None, lineno=1), ANY

    def unit(
        self,
        expressions: Sequence[Expression],
        assigned: Sequence[tuple[str, Expression]] = (),
        *,
        first: bool = False,
        guard: Expression | None = None,
    ) -> Unit:
        """Return a unit that computes the expressions.

        :param assigned: names to compute before, in order, each usable by what comes after it.
        :param first: stop at the first expression that is true, and give its place in the list, or None.
        :param guard: compute the expressions only if this one is true, else give None.
        """
        result: nodes.Expr = _first_true(expressions) if first else nodes.Tuple([e.node for e in expressions], "load")
        if guard is not None:
            result = nodes.CondExpr(guard.node, result, nodes.Const(None))
        computed = [(name, expression.node) for name, expression in assigned]
        labels = [*assigned, *([("", guard)] if guard else []), *(("", expression) for expression in expressions)]
        return Unit(self.environment, compile_function(self.environment, computed, result, bounded), labels)


class Unit:
    """Several expressions compiled into one function."""

    __slots__ = ("_environment", "_function", "_labels", "_single")

    def __init__(
        self,
        environment: ExpressionEnvironment,
        function: Callable[[dict[str, Any]], Any],
        labels: Sequence[tuple[str, Expression]],
    ) -> None:
        self._environment = environment
        self._function = function
        self._labels = labels
        self._single: dict[int, Callable[[dict[str, Any]], Any]] = {}

    def run(self, names: dict[str, Any]) -> Any:
        """Return what the unit computes (a tuple, or with `first` a place or None); adds assigned names to `names`.

        :raises Rejected: an expression failed; code `expression_failed` unless a function said otherwise.
        """
        try:
            return self._function(names)
        except FlitError:
            raise
        except Exception as exc:  # noqa: BLE001 - any function of a plugin may raise anything
            raise self._explained(names, exc) from None

    def _explained(self, names: dict[str, Any], failure: Exception) -> Rejected:
        """Compute one by one, to name the expression that fails; the fast way does not know."""
        known = dict(names)
        for at, (name, expression) in enumerate(self._labels):
            if at not in self._single:
                self._single[at] = compile_function(self._environment, (), expression.node, bounded)
            try:
                value = self._single[at](known)
                if name:
                    known[name] = bounded(value)
            except FlitError:
                raise
            except Exception as exc:  # noqa: BLE001 - see run
                return failed(expression.label, exc)
        return failed("", failure)


def failed(label: str, failure: Exception) -> Rejected:
    """Return the rejection for an expression that failed: its place and the kind of failure, never a value."""
    return Rejected(
        "expression_failed",
        f"The mapping's expression {label or 'of this entry'} failed: {type(failure).__name__}.",
        "Look at the record's values in that place, or make the expression allow for them.",
        label.rpartition(".")[2] or None,
    )


def bounded(value: Any) -> Any:
    """Return the value.

    :raises ValueError: it has grown beyond what any record needs.
    """
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise ValueError("text too long")
    elif isinstance(value, list | tuple | dict) and len(value) > MOST_ITEMS:
        raise ValueError("too many items")
    return value


def parse(environment: ExpressionEnvironment, text: str) -> nodes.Expr:
    """Return the syntax tree of one expression.

    :raises Flaw: it is no expression; with the line inside the text.
    """
    if not text.strip():
        raise Flaw("the expression is empty; write none for no value")
    if len(text) > LONGEST_EXPRESSION:
        raise Flaw(f"the expression is longer than {LONGEST_EXPRESSION} characters")
    if "{{" in text or "{%" in text:
        raise Flaw("braces belong to the template: an expression stands without them")
    try:
        parser = Parser(environment, text, state="variable")
        node = parser.parse_expression()
        if not parser.stream.eos:
            raise Flaw("something follows the end of the expression", parser.stream.current.lineno)
    except TemplateSyntaxError as exc:
        raise Flaw(f"this is no expression: {exc.message}", exc.lineno) from None
    except (ValueError, AssertionError) as exc:
        raise Flaw(f"this is no expression ({type(exc).__name__})") from None
    return node


class _Tidy(NodeTransformer):
    """Makes numbers with a point exact, and an `if` without `else` give None."""

    def visit_Const(self, node: nodes.Const) -> nodes.Expr:
        return _exact(node.value) if isinstance(node.value, float) else node

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Expr:
        self.generic_visit(node)
        if node.expr2 is None:
            node.expr2 = nodes.Const(None, lineno=node.lineno)
        return node


def _exact(value: float) -> nodes.Expr:
    number = nodes.ImportedName("decimal.Decimal", lineno=1)
    return nodes.Call(number, [nodes.Const(repr(value), lineno=1)], [], None, None, lineno=1)


class _Constants(NodeTransformer):
    """Puts the spec's values in the place of their names."""

    def __init__(self, constants: Mapping[str, Any]) -> None:
        self._constants = constants

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:
        if node.name not in self._constants:
            return node
        value = self._constants[node.name]
        return _exact(value) if isinstance(value, float) else nodes.Const(value, lineno=node.lineno)

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Expr:
        owner = node.node
        if isinstance(owner, nodes.Name) and owner.name in self._constants:
            value = self._constants[owner.name]
            if isinstance(value, Mapping) and node.attr in value:
                inner = value[node.attr]
                return _exact(inner) if isinstance(inner, float) else nodes.Const(inner, lineno=node.lineno)
        self.generic_visit(node)
        return node


def _first_true(expressions: Sequence[Expression]) -> nodes.Expr:
    result: nodes.Expr = nodes.Const(None)
    for at in range(len(expressions) - 1, -1, -1):
        result = nodes.CondExpr(expressions[at].node, nodes.Const(at), result)
    return result


def _source(data: Any) -> str:
    return data if isinstance(data, str) else repr(data)
