"""Renders a template's body: every printed value becomes JSON, and what it may compute, and how much, has an end."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from flitstack.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LONGEST_OUTPUT = 20_000_000
MOST_STEPS = 2_000_000
MOST_SECONDS = 60.0
_LARGEST = 10**100
# They make text of any length out of a number.
_WIDENING = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "rjust", "translate", "zfill"})
# What YAML does not take as it is, or takes for a line break.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Renders one template: no value can change the YAML's structure, and no loop or text grows without bound."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            finalize=_printed,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
            optimized=False,
        )
        self._steps = 0
        self._until = time.monotonic() + MOST_SECONDS
        self.globals.pop("lipsum")
        self.filters = {name: self._limited(call) for name, call in self.filters.items() if name not in _WIDENING}
        self.filters |= {"_counted": self._counted, "_concatenated": _concatenated}

    def rendered(self, source: str, names: Mapping[str, Any]) -> str:
        """Return the output.

        :raises MappingError: it is too long, or takes too many steps or too much time.
        """
        tree = self.parse(source)
        for loop in tree.find_all(nodes.For):
            if loop.recursive:
                raise MappingError("loops that call themselves are not allowed")
            loop.iter = self._filter("_counted", loop.iter)
        _replace_concats(tree, lambda node: self._filter("_concatenated", nodes.List(node.nodes, lineno=node.lineno)))
        pieces: list[str] = []
        size = 0
        for piece in self.from_string(tree).generate(names):
            size += len(piece)
            if size > LONGEST_OUTPUT:
                raise MappingError(f"the output is longer than {LONGEST_OUTPUT} characters")
            pieces.append(piece)
        return "".join(pieces)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute or item; methods that make text of any length are refused."""
        if isinstance(obj, str) and attribute in _WIDENING:
            return self.unsafe_undefined(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item or attribute, refused as above."""
        if isinstance(obj, str) and argument in _WIDENING:
            return self.unsafe_undefined(obj, argument)
        return super().getitem(obj, argument)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call what the sandbox allows, and count it."""
        __self._step()
        owner = getattr(__obj, "__self__", None)
        _refuse_growth((owner, *args, *kwargs.values()) if isinstance(owner, str) else (*args, *kwargs.values()))
        return _bounded(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute `*` and `%` of numbers only, and `+` of what stays short."""
        if operator == "**" or (operator != "+" and not all(isinstance(each, int | float) for each in (left, right))):
            raise MappingError(f"{operator} works on numbers only")
        return _bounded(super().call_binop(context, operator, left, right))

    def _filter(self, name: str, node: Any) -> nodes.Filter:
        return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno, environment=self)

    def _limited(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a filter that counts its calls and refuses what is too much; what Jinja passes to it stays first."""

        def limited(*args: Any, **kwargs: Any) -> Any:
            self._step()
            _refuse_growth((*args, *kwargs.values()))
            return _bounded(call(*args, **kwargs))

        if (passed := getattr(call, "jinja_pass_arg", None)) is not None:
            limited.jinja_pass_arg = passed  # type: ignore[attr-defined]
        return limited

    def _counted(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._step()
            yield item

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS or (self._steps % 1_000 == 0 and time.monotonic() > self._until):
            raise MappingError("rendering takes too many steps; a template makes entries, not loops over records")


def _replace_concats(node: nodes.Node, replaced: Callable[[nodes.Concat], nodes.Node]) -> None:
    """Put another node in the place of every `a ~ b` beneath a node."""
    for name, value in node.iter_fields():
        if isinstance(value, list):
            for at, item in enumerate(value):
                if isinstance(item, nodes.Node):
                    _replace_concats(item, replaced)
                    value[at] = replaced(item) if isinstance(item, nodes.Concat) else item
        elif isinstance(value, nodes.Node):
            _replace_concats(value, replaced)
            if isinstance(value, nodes.Concat):
                setattr(node, name, replaced(value))


def _concatenated(parts: list[Any]) -> str:
    texts = [str(part) for part in parts]
    if sum(map(len, texts)) > LONGEST_OUTPUT:
        raise MappingError("a text grows too long")
    return "".join(texts)


def _refuse_growth(values: tuple[Any, ...]) -> None:
    """Refuse numbers and texts that, multiplied with each other, would make a text of absurd length."""
    product = 1
    for value in values:
        if isinstance(value, int) and abs(value) > LONGEST_OUTPUT:
            raise MappingError("a number is too large to call anything with")
        if isinstance(value, str | list | tuple):
            product *= max(len(value), 1)
    if product > LONGEST_OUTPUT * 10:
        raise MappingError("a text grows too long")


def _bounded(value: Any) -> Any:
    if isinstance(value, str | list | tuple) and isinstance(value, Sized) and len(value) > LONGEST_OUTPUT:
        raise MappingError("a text grows too long")
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise MappingError("a number grows too large")
    return value


def _printed(value: Any) -> str:
    if isinstance(value, Undefined):
        return str(value)  # raises, naming what is missing
    return str(value) if isinstance(value, Markup) else _json(value)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def expression_literal(value: Any) -> str:
    """Return a JSON value as it is written in an expression; the filter `literal` of templates."""
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_json(str(key))}: {expression_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(expression_literal(item) for item in value) + "]"
    return _json(value)
