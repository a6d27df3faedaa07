"""Lets code run as on another day, in another time zone: what asks the machine for the time is told another one."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from flitstack.clock import NOW_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType

LATER = timedelta(days=403)
FAR_EAST = "XXX-14"
"""Fourteen hours ahead of UTC, where it is tomorrow already; in the notation of POSIX."""

_REAL: Mapping[str, Any] = {name: getattr(time, name) for name in ("time", "time_ns", "gmtime", "localtime", "ctime")}
_OURS = ("_pytest", "pytest", "pluggy", "xdist", "execnet", "coverage")


class _AnyOf(type):
    """Makes a stand-in as good as the class it stands in for, wherever one asks what a value is."""

    real: type

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.real)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, cls.real)


class _Date(date, metaclass=_AnyOf):
    """Gives real dates; today is another day."""

    real = date

    def __new__(cls, *given: Any, **named: Any) -> Any:
        return date(*given, **named)

    @classmethod
    def today(cls) -> Any:
        return (datetime.now() + LATER).date()


class _Datetime(datetime, metaclass=_AnyOf):
    """Gives real times; now is another day."""

    real = datetime

    def __new__(cls, *given: Any, **named: Any) -> Any:
        return datetime(*given, **named)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.now(tz) + LATER

    @classmethod
    def today(cls) -> Any:
        return cls.now()

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(UTC).replace(tzinfo=None)

    @classmethod
    def combine(cls, *given: Any, **named: Any) -> Any:
        return datetime.combine(*given, **named)


@contextmanager
def another_day() -> Iterator[None]:
    """Let it be some thirteen months later, fourteen hours east of Greenwich, for all code that asks the machine.

    Code in C, and what a module kept of the clock before, is not reached.
    """
    moved: dict[str, Any] = {
        "time": lambda: _REAL["time"]() + LATER.total_seconds(),
        "time_ns": lambda: _REAL["time_ns"]() + int(LATER.total_seconds()) * 10**9,
        **{name: _moved(name) for name in ("gmtime", "localtime", "ctime")},
    }
    classes: Mapping[int, Any] = {id(date): _Date, id(datetime): _Datetime}
    stand_ins = {**classes, **{id(_REAL[name]): function for name, function in moved.items()}}
    environment = {name: text for name, text in os.environ.items() if name != NOW_VARIABLE} | {"TZ": FAR_EAST}
    with patch.dict(os.environ, environment, clear=True):
        _set_zone()
        try:
            strangers = [module for name, module in sys.modules.items() if _is_strangers(name)]
            _exchange(stand_ins, [sys.modules["datetime"], time, *strangers])
            yield
        finally:
            real = {id(_Date): date, id(_Datetime): datetime}
            real |= {id(function): _REAL[name] for name, function in moved.items()}
            # A module that was imported meanwhile, of the standard library perhaps, holds stand-ins too.
            _exchange(real, [module for name, module in sys.modules.items() if name != __name__])
    _set_zone()


def _moved(name: str) -> Any:
    def told(secs: float | None = None) -> Any:
        return _REAL[name](_REAL["time"]() + LATER.total_seconds() if secs is None else secs)

    return told


def _exchange(wanted: Mapping[int, Any], modules: Sequence[ModuleType]) -> None:
    """Put other things in the place of these in modules."""
    for module in modules:
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if id(value) in wanted:
                setattr(module, name, wanted[id(value)])


def _is_strangers(name: str) -> bool:
    """Tell whether a module is none of the standard library, of pytest, and not this one."""
    first = name.partition(".")[0]
    return first not in sys.stdlib_module_names and first not in _OURS and name != __name__


def _set_zone() -> None:
    if hasattr(time, "tzset"):  # not everywhere
        time.tzset()
