"""The suite of transforms: functions, filters and tests for expressions are typed, pure, and ready for any value."""

from __future__ import annotations

import copy
import inspect
import itertools
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from flitstack.errors import FlitError
from flitstack.mapping import canonical
from flitstack.protocols import Transform
from flitstack.testing.kit.common import PluginSuite
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.offers import offered
from flitstack.testing.kit.suite import does_not_apply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import CodeType

CANARY = "q7canaryq7"
MOMENT = datetime(2024, 2, 29, 23, 30, tzinfo=UTC)
VALUES: Mapping[str, tuple[Any, ...]] = {
    "str": ("", " ", CANARY, "Zoë 😀\u202e", "0012", "x" * 5000),
    "int": (0, 1, -7, 10**12),
    "float": (0.0, -1.5, 1e300),
    "bool": (True, False),
    "Decimal": (Decimal("0"), Decimal("-0.10"), Decimal("12345678901234567890.99")),
    "date": (date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31)),
    "datetime": (MOMENT, datetime(1970, 1, 1, tzinfo=UTC)),
    "None": (None,),
}
LOOSE: tuple[Any, ...] = ((), [], None, "", CANARY, 3, {}, MOMENT)
"""What is handed to a parameter of any other type; a function may refuse it as it likes."""
AT_MOST = 2000
IMPURE = frozenset({"now", "today", "utcnow", "time_ns", "random", "randint", "uuid4", "urandom", "getenv", "environ"})


class TransformSuite(PluginSuite):
    """Subclass it in two lines: `class TestMine(TransformSuite): plugin = "mine"`.

    :cvar examples: per name of a transform, pairs of arguments and result; without them, one that takes records is
        tried with little.
    """

    kind = "transform"
    examples: ClassVar[Mapping[str, Sequence[tuple[tuple[Any, ...], Any]]]] = {}

    @check("T1", "bronze")
    def test_t1_is_typed_and_says_what_it_returns(self) -> None:
        """Every parameter and the result have a type, and a sentence says what is returned."""
        for each in offered(self.plugin, Transform):
            assert inspect.getdoc(each.call), f"{each.name}: has no docstring"
            signature = inspect.signature(each.call)
            bare = [name for name, one in signature.parameters.items() if one.annotation is inspect.Parameter.empty]
            assert not bare, f"{each.name}: no type for {', '.join(bare)}"
            assert signature.return_annotation is not inspect.Signature.empty, f"{each.name}: no type for its result"
            assert not inspect.iscoroutinefunction(each.call), f"{each.name}: an expression cannot wait for it"
            assert not inspect.isgeneratorfunction(each.call), f"{each.name}: a generator can be read only once"

    @check("T2", "bronze")
    def test_t2_is_pure(self) -> None:
        """The same arguments give the same result, and are left as they were; no clock, no chance, no environment."""
        for each in offered(self.plugin, Transform):
            used = sorted(_names_in(each.call) & IMPURE)
            assert not used, f"{each.name}: uses {', '.join(used)}; the only clock of an expression is `as_of`"
            for arguments in self._calls(each):
                before = copy.deepcopy(arguments)
                first = _result(each, arguments)
                assert repr(arguments) == repr(before), f"{each.name}: changes what it is given"
                assert repr(_result(each, arguments)) == repr(first), (
                    f"{each.name}: gives another result the second time"
                )

    @check("T3", "bronze")
    def test_t3_takes_every_value_of_its_types(self) -> None:
        """Any value of its parameters' types gives a result or one of flit's own errors, without the value in it."""
        for each in offered(self.plugin, Transform):
            kinds = [_kinds(one) for one in _required(each)]
            if not kinds or any(kind - VALUES.keys() for kind in kinds):
                continue  # a record, a list: its examples say what it takes
            for arguments in _products([_values(kind) for kind in kinds]):
                try:
                    each.call(*arguments)
                except FlitError as exc:
                    if CANARY in str(exc):
                        pytest.fail(f"{each.name}: the message of its error holds the value.")
                except Exception as exc:  # noqa: BLE001 - a function may raise anything
                    pytest.fail(f"{each.name}: {type(exc).__name__} for a value of the types that it declares.")

    @check("T4", "bronze")
    def test_t4_gives_what_a_destination_can_hold(self) -> None:
        """Results are values: text, numbers, dates, lists of them; a `test` gives true or false."""
        for each in offered(self.plugin, Transform):
            for arguments in self._calls(each):
                result = _result(each, arguments)
                if isinstance(result, Exception):
                    continue
                assert each.kind != "test" or isinstance(result, bool), f"{each.name}: a test returns True or False"
                _check_value(each.name, result)

    @check("T5", "silver")
    def test_t5_does_what_its_examples_say(self) -> None:
        """Each example that its author gives in `examples` has the result that is stated."""
        transforms = {each.name: each for each in offered(self.plugin, Transform)}
        for name, given in self.examples.items():
            for arguments, wanted in given:
                assert name in transforms, f"there is no transform {name}"
                assert transforms[name].call(*copy.deepcopy(arguments)) == wanted, f"{name}: another result"
        wide = [n for n, each in transforms.items() if any(_kinds(one) - VALUES.keys() for one in _required(each))]
        if wide and not self.examples:
            does_not_apply(f"there are no `examples` of {', '.join(wide[:3])}{' ...' if len(wide) > 3 else ''}")

    def _calls(self, transform: Transform) -> Iterator[tuple[Any, ...]]:
        yield from (arguments for arguments, _ in self.examples.get(transform.name, ()))
        yield from _products([_values(_kinds(one)) for one in _required(transform)])


def _required(transform: Transform) -> list[inspect.Parameter]:
    """Return the parameters that an expression must give; one more of those that may be repeated."""
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    found = inspect.signature(transform.call).parameters.values()
    return [one for one in found if one.default is inspect.Parameter.empty and one.kind not in kinds]


def _kinds(parameter: inspect.Parameter) -> set[str]:
    """Return the names of the types that a parameter takes, without their modules."""
    stated = parameter.annotation
    text = stated if isinstance(stated, str) else getattr(stated, "__name__", "") or str(stated)
    text = text if isinstance(stated, (str, type)) else str(stated)
    found = re.sub(r"\bOptional\[(.*)\]", r"\1 | None", text).split("|")
    return {one.strip().strip("'\"").rpartition(".")[2].replace("NoneType", "None") for one in found}


def _values(kinds: set[str]) -> list[Any]:
    known = [value for kind in sorted(kinds) for value in VALUES.get(kind, ())]
    return known if kinds <= VALUES.keys() else [*known, *LOOSE]


def _products(values: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    return itertools.islice(itertools.product(*values), AT_MOST)


def _result(transform: Transform, arguments: tuple[Any, ...]) -> Any:
    """Return what the call gives, or the exception that it raises."""
    try:
        return transform.call(*arguments)
    except Exception as exc:  # noqa: BLE001 - a function may raise anything
        return exc


def _check_value(name: str, result: Any) -> None:
    if isinstance(result, datetime) and result.tzinfo is None:
        return  # another function of the expression may give it a zone
    try:
        canonical(result)
    except (TypeError, ValueError, FlitError) as exc:
        pytest.fail(f"{name}: returns a {type(result).__name__} that no field can hold ({type(exc).__name__}).")


def _names_in(function: Any) -> set[str]:
    """Return the names that a function's code uses, with those of functions of its own module that it calls."""
    found: set[str] = set()
    waiting, seen = [inspect.unwrap(function)], set()
    while waiting:
        one = waiting.pop()
        code, space = getattr(one, "__code__", None), getattr(one, "__globals__", {})
        if code is None or one in seen:
            continue
        seen.add(one)
        names = set(_all_names(code))
        found |= names
        called = (space.get(name) for name in names)
        waiting += [each for each in called if getattr(each, "__module__", None) == one.__module__]
    return found


def _all_names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from _all_names(constant)
