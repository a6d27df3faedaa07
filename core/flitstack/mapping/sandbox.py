"""The environment expressions run in: Jinja's immutable sandbox, narrowed to what mappings need."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Undefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flitstack.errors import MappingError
from flitstack.mapping.access import read_member
from flitstack.mapping.filters import FILTERS, TESTS
from flitstack.mapping.functions import BUILTIN, OF_SCOPE
from flitstack.mapping.records import RecordView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jinja2.runtime import Context

    from flitstack.protocols import Transform

_NUMBERS = (int, float, Decimal)


class ExpressionEnvironment(ImmutableSandboxedEnvironment):
    """Compiles expressions; at run time lets them reach named values and registered functions only.

    :param transforms: what plugins registered; the built-in functions are always there.
    """

    # Not only refused on text (`'x' * 10**9`): an intercepted operator is never computed while compiling.
    intercepted_binops = frozenset({"*", "%", "**"})

    def __init__(self, transforms: Sequence[Transform]) -> None:
        super().__init__(undefined=StrictUndefined, optimized=False, autoescape=False)
        self.transforms = _by_name(transforms)
        functions = {name: item.call for (kind, name), item in self.transforms.items() if kind == "function"}
        self.globals.clear()
        self.globals.update(functions)
        filters = {name: call for name, call in functions.items() if name not in OF_SCOPE}
        self.filters = {**FILTERS, **filters, **self._of_kind("filter")}
        self.tests = {**TESTS, **self._of_kind("test")}
        self._trusted = frozenset({*functions.values(), Decimal})

    def _of_kind(self, wanted: str) -> dict[str, Callable[..., Any]]:
        return {name: item.call for (kind, name), item in self.transforms.items() if kind == wanted}

    def is_trusted(self, function: Any) -> bool:
        """Return whether it is a registered function, which is called without being asked about."""
        return function is not None and function in self._trusted

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return what stands after the dot; something undefined, which nothing accepts, when it may not."""
        if type(obj) is RecordView:
            return obj.data.get(attribute) if attribute in obj.plain else obj.read(attribute)
        if isinstance(obj, Undefined) or attribute.startswith("_"):
            return self.undefined(name=attribute, exc=SecurityError)
        try:
            return read_member(obj, attribute)
        except AttributeError:
            return self.undefined(name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return what stands in brackets: an item of a list, a text or a dict, or a named value."""
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if obj is None:
            return None
        if not isinstance(obj, list | tuple | dict | str):
            return self.undefined(name=str(argument), exc=SecurityError)
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(name=str(argument))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a registered function at once, anything else only as the sandbox allows."""
        if __obj in __self._trusted:
            return __obj(*args, **kwargs)
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute `*` and `%` of numbers, and nothing else."""
        if operator == "**" or not (isinstance(left, _NUMBERS) and isinstance(right, _NUMBERS)):
            raise SecurityError(f"{operator} works on numbers only")
        return super().call_binop(context, operator, left, right)


def _by_name(transforms: Sequence[Transform]) -> dict[tuple[str, str], Transform]:
    """Return the transforms by kind and name.

    :raises MappingError: two different ones share both.
    """
    found: dict[tuple[str, str], Transform] = {}
    for transform in (*BUILTIN, *transforms):
        place = (str(transform.kind), transform.name)
        if place in found and found[place] != transform:
            raise MappingError(f'two plugins register the {place[0]} "{place[1]}". One of them must rename it.')
        found[place] = transform
    return found
