"""Compiles expressions: parsed, checked, and put together so that one call computes many of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.nodes import EvalContext
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

from flitstack.errors import FlitError, Rejected
from flitstack.mapping.canonical import LONGEST_TEXT, MOST_ITEMS
from flitstack.mapping.check import Checker, Flaw
from flitstack.mapping.kinds import ANY, DictOf, Kind, ListOf, kind_of_constant

if TYPE_CHECKING:
    from flitstack.mapping.sandbox import ExpressionEnvironment
    from flitstack.mapping.words import Problems
    from flitstack.mapping.yamltext import Path, YamlText

LONGEST_EXPRESSION = 20_000
_BOUNDED = "_bounded"  # no filter of an author or a plugin can have this name
_RESULT = "result"


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
        environment.filters[_BOUNDED] = bounded
        self.environment = environment
        self.document = document
        self.problems = problems
        self.values = values
        self.streams = streams
        self.shared = EvalContext(environment)

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
        return Expression(_source(data), label, _Constants(constants).visit(node), kind, used)

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
        body: list[nodes.Node] = []
        for name, expression in assigned:
            kept = nodes.Filter(deepcopy(expression.node), _BOUNDED, [], [], None, None)
            body.append(nodes.Assign(nodes.Name(name, "store"), kept))
        result: nodes.Expr = (
            _first_true(expressions) if first else nodes.Tuple([deepcopy(e.node) for e in expressions], "load")
        )
        if guard is not None:
            result = nodes.CondExpr(deepcopy(guard.node), result, nodes.Const(None))
        body.append(nodes.Assign(nodes.Name(_RESULT, "store"), result))
        labels = [*assigned, *([("", guard)] if guard else []), *(("", expression) for expression in expressions)]
        return Unit(self, _render_function(self.environment, body), labels, tuple(name for name, _ in assigned))


class _Names(Context):
    """The names an expression sees; made once per evaluation, so it leaves out what templates need and these do not."""

    def __init__(self, environment: ExpressionEnvironment, names: dict[str, Any], shared: EvalContext) -> None:
        self.environment = environment
        self.parent = names
        self.vars = {}
        self.exported_vars = set()
        self.eval_ctx = shared
        self.name = None
        self.blocks = {}

    def resolve_or_missing(self, key: str) -> Any:
        """Return the value of a name; names that a unit assigns are its own variables and never asked for here."""
        return self.parent.get(key, missing)


class Unit:
    """Several expressions compiled into one function."""

    __slots__ = ("_assigned", "_compiler", "_globals", "_labels", "_root", "_single")

    def __init__(
        self, compiler: ExpressionCompiler, root: Any, labels: Sequence[tuple[str, Expression]], assigned: Sequence[str]
    ) -> None:
        self._compiler = compiler
        self._root = root
        self._labels = labels
        self._assigned = assigned
        self._globals = dict(compiler.environment.globals)
        self._single: dict[int, Any] = {}

    def run(self, names: dict[str, Any]) -> Any:
        """Return what the unit computes (a tuple, or with `first` a place or None); adds assigned names to `names`.

        :raises Rejected: an expression failed; code `expression_failed` unless a function said otherwise.
        """
        try:
            found = self._call(self._root, names)
        except Rejected:
            raise
        except FlitError:
            raise
        except Exception as exc:  # noqa: BLE001 - any function of a plugin may raise anything
            raise self._explained(names, exc) from None
        for name in self._assigned:
            names[name] = found[name]
        return found[_RESULT]

    def _call(self, root: Any, names: Mapping[str, Any]) -> dict[str, Any]:
        context = _Names(self._compiler.environment, {**self._globals, **names}, self._compiler.shared)
        for _ in root(context):
            pass
        return context.vars

    def _explained(self, names: dict[str, Any], failure: Exception) -> Rejected:
        """Compute one by one, to name the expression that fails; the fast way does not know."""
        known = dict(names)
        for at, (name, expression) in enumerate(self._labels):
            if at not in self._single:
                body: list[nodes.Node] = [nodes.Assign(nodes.Name(_RESULT, "store"), deepcopy(expression.node))]
                self._single[at] = _render_function(self._compiler.environment, body)
            try:
                value = self._call(self._single[at], known)[_RESULT]
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
        result = nodes.CondExpr(deepcopy(expressions[at].node), nodes.Const(at), result)
    return result


def _render_function(environment: ExpressionEnvironment, body: list[nodes.Node]) -> Any:
    tree = nodes.Template(body)
    tree.set_lineno(1)
    tree.set_environment(environment)
    return environment.from_string(tree).root_render_func


def _source(data: Any) -> str:
    return data if isinstance(data, str) else repr(data)
