"""Turns checked expressions into one Python function: what Jinja would compile them to, without its template around."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jinja2 import nodes, runtime
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.utils import missing
from jinja2.visitor import NodeVisitor

from flitstack.mapping.functions import OF_SCOPE
from flitstack.mapping.kinds import Kind, OneRecord
from flitstack.mapping.records import CONVERSIONS, RecordView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flitstack.mapping.sandbox import ExpressionEnvironment

_DECIMAL = "decimal.Decimal"


class Generator(CodeGenerator):
    """Writes the code of expressions; names become variables, which `compile_function` sets before.

    What a name or value may do is decided by the environment, as in Jinja's own code: its `getattr`, `getitem`, `call`
    and `call_binop` are called. Only what is known beforehand goes without them: registered functions, and the members
    of records that the checker has marked.

    :param variables: name to variable.
    :param constants: variable to a dict or list that stands in an expression.
    """

    def __init__(self, environment: ExpressionEnvironment) -> None:
        super().__init__(environment, "expression", "expression", optimized=False)
        self.variables: dict[str, str] = {}
        self.records: set[str] = set()
        self.constants: dict[str, Any] = {}
        self._trusting = environment
        self.filters = {name: f"filter_{at}" for at, name in enumerate(environment.filters)}
        self.tests = {name: f"test_{at}" for at, name in enumerate(environment.tests)}
        self._frame = Frame(EvalContext(environment))

    def text(self, node: nodes.Expr) -> str:
        """Return the code of one expression."""
        start = self.stream.tell()
        self.visit(node, self._frame)
        self.stream.seek(start)
        return self.stream.read()

    def variable(self, name: str) -> str:
        """Return the variable of a name."""
        return self.variables.setdefault(name, f"name_{len(self.variables)}")

    def visit_Name(self, node: nodes.Name, frame: Frame) -> None:
        """Write a name as its variable."""
        self.write(self.variable(node.name))

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:
        """Write a constant; a collection is made once."""
        value = node.as_const(frame.eval_ctx)
        if isinstance(value, dict | list):
            name = f"constant_{len(self.constants)}"
            self.constants[name] = value
            self.write(name)
        else:
            self.write(repr(value))

    def visit_ImportedName(self, node: nodes.ImportedName, frame: Frame) -> None:
        """Write the one thing that expressions import."""
        if node.importname != _DECIMAL:
            raise ValueError(node.importname)
        self.write("Decimal")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        """Write what stands after a dot, by the shortest way that the record's stream allows."""
        owner, mark = node.node, getattr(node, MARK, None)
        if mark is None or not isinstance(owner, nodes.Name):
            super().visit_Getattr(node, frame)
            return
        name, by_rule = self.variable(owner.name), f"environment.getattr({self.variable(owner.name)}, {node.attr!r})"
        self.records.add(owner.name)
        value = (
            f"data_{name}({node.attr!r})" if mark == PLAIN else f"typed_{KINDS.index(mark)}(data_{name}({node.attr!r}))"
        )
        self.write(f"({value} if data_{name} is not None else {by_rule})")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        """Write a call: of a registered function at once, of anything else as the sandbox allows."""
        called = node.node
        if isinstance(called, nodes.Name):
            function = self._trusting.globals.get(called.name)
            if called.name not in OF_SCOPE and self._trusting.is_trusted(function):
                self._call_function(node, called.name, frame)
                return
        super().visit_Call(node, frame)

    def _call_function(self, node: nodes.Call, name: str, frame: Frame) -> None:
        held = f"function_{name}"
        self.constants[held] = self._trusting.globals[name]
        self.write(f"{held}(")
        start = self.stream.tell()
        self.signature(node, frame)
        self.stream.seek(start)
        arguments = self.stream.read().removeprefix(", ")
        self.stream.seek(start)
        self.stream.truncate()
        self.write(f"{arguments})")


MARK = "flitstack_member"
PLAIN = "plain"
KINDS = tuple(CONVERSIONS)


def _typed(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def typed(value: Any) -> Any:
        return None if value is None or value == "" else convert(value)

    return typed


_TYPED = {f"typed_{at}": _typed(CONVERSIONS[kind]) for at, kind in enumerate(KINDS)}


class Marker(NodeVisitor):
    """Marks the members of records whose stream is known: their text as it is, or their value by the schema."""

    def __init__(self, names: Mapping[str, Kind]) -> None:
        self._names = names

    def visit_Getattr(self, node: nodes.Getattr) -> None:
        """Mark a member of a name."""
        owner = node.node
        kind = self._names.get(owner.name) if isinstance(owner, nodes.Name) else None
        if isinstance(kind, OneRecord) and node.attr not in ("id", "key"):
            sort = PLAIN if node.attr in kind.shape.plain else kind.shape.kinds.get(node.attr)
            if sort is not None:
                setattr(node, MARK, sort)
        self.generic_visit(node)


class Names(Context):
    """The names an expression sees; for the filters that ask for a template's context."""

    def __init__(self, environment: ExpressionEnvironment, names: Mapping[str, Any], shared: EvalContext) -> None:
        self.environment = environment
        self.parent = {**environment.globals, **names}
        self.vars = {}
        self.exported_vars = set()
        self.eval_ctx = shared
        self.name = None
        self.blocks = {}

    def resolve_or_missing(self, key: str) -> Any:
        """Return the value of a name."""
        return self.parent.get(key, missing)


def compile_function(
    environment: ExpressionEnvironment,
    assigned: Sequence[tuple[str, nodes.Expr]],
    result: nodes.Expr,
    bounded: Callable[[Any], Any],
) -> Callable[[dict[str, Any]], Any]:
    """Return a function from names to the result.

    :param assigned: names to compute before, in order, each through `bounded`; they are added to the names at the end.
    """
    generator = Generator(environment)
    body: list[tuple[str, str]] = []  # what is to be set once it is known, and its code
    for name, node in assigned:
        body.append((name, f"bounded({generator.text(node)})"))
        generator.variable(name)
    text = generator.text(result)
    given = [name for name in generator.variables if name not in dict(assigned)]
    lines = [line for name in given for line in _loaded(name, generator)]
    for name, code in body:
        lines += [f"{generator.variable(name)} = {code}", *_held(name, generator)]
    lines.append(f"found = {text}")
    lines += [f"names[{name!r}] = {generator.variable(name)}" for name, _ in assigned]
    if "context" in text or any("context" in code for _, code in body):
        lines.insert(0, "context = Names(environment, names, shared)")
    source = "def evaluate(names):\n" + "".join(f"    {line}\n" for line in (*lines, "return found"))
    namespace: dict[str, Any] = {
        **{name: getattr(runtime, name) for name in runtime.exported},
        **{variable: environment.filters[name] for name, variable in generator.filters.items()},
        **{variable: environment.tests[name] for name, variable in generator.tests.items()},
        **generator.constants,
        **_TYPED,
        "environment": environment, "undefined": environment.undefined, "RecordView": RecordView, "Decimal": Decimal,
        "bounded": bounded, "Names": Names, "shared": EvalContext(environment),
    }  # fmt: skip
    # Jinja runs its code in the same way; what it may do is limited by the checks and by the environment.
    exec(compile(source, "<expression>", "exec"), namespace)  # noqa: S102 - the code is the generator's
    function: Callable[[dict[str, Any]], Any] = namespace["evaluate"]
    return function


def _loaded(name: str, generator: Generator) -> list[str]:
    variable = generator.variable(name)
    return [
        f"{variable} = names[{name!r}] if {name!r} in names else undefined(name={name!r})",
        *_held(name, generator),
    ]


def _held(name: str, generator: Generator) -> list[str]:
    variable = generator.variable(name)
    if name not in generator.records:
        return []
    return [f"data_{variable} = {variable}.data.get if type({variable}) is RecordView else None"]
