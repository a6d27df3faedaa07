"""What all suites of the test-kit share: which plugin, which level, guards, and that no standard test goes missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import pytest

from flitstack.registry import BrokenPlugin, load_plugins
from flitstack.testing.kit.guards import Guards, guarded
from flitstack.testing.kit.levels import Check, Level, check_of, is_within, sort_key
from flitstack.testing.simulation.port import load_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.registry import Plugin

DOES_NOT_APPLY = "does not apply: "
LACKING = "the port lacks: "


def does_not_apply(why: str) -> NoReturn:
    """Leave a test out for what the plugin declares; the report counts it, and the level can be reached without it."""
    pytest.skip(DOES_NOT_APPLY + why)


def lacking(what: str) -> NoReturn:
    """Leave a test out because its author did not supply what it needs; its level is not reached without it."""
    pytest.skip(LACKING + what)


class Suite:
    """Base of the suites: `class TestMine(DestinationSuite): plugin = "mine"` is a whole test module.

    :cvar plugin: name of the plugin's entry point, an object with hook implementations (a module, say), or the place
        of one, `MODULE:NAME`.
    :cvar level: how far to go; tests above it are not collected.
    :cvar kind: what the suite is for, for the report: `destination`, `source` ...
    """

    plugin: ClassVar[Any] = ""
    level: ClassVar[Level] = "gold"
    kind: ClassVar[str] = ""
    _missing: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" in vars(cls):  # a suite of the kit itself
            return
        standard = standard_tests(cls)
        cls._missing = tuple(
            name for name, (base, _) in standard.items() if _is_replaced(cls, base, name) and not _reason(cls, name)
        )
        for name, (_, found) in standard.items():
            if not is_within(found.level, cls.level):
                setattr(cls, name, None)

    @pytest.fixture(autouse=True)
    def _no_standard_test_is_missing(self) -> None:
        """Fail when a subclass deleted or replaced a standard test without a visible reason."""
        if self._missing:
            names = ", ".join(self._missing)
            pytest.fail(f"{type(self).__name__} replaces {names}: mark each @pytest.mark.xfail(reason=...) instead.")

    @pytest.fixture(autouse=True)
    def guards(self, capfd: pytest.CaptureFixture[str]) -> Iterator[Guards]:
        """Give what is watched during the test."""
        with guarded() as guards:
            yield guards
            written = capfd.readouterr()
            guards.said += [written.out, written.err]

    @pytest.fixture
    def loaded(self) -> Plugin:
        """Give the plugin as core loads it: name, distribution, version, hooks and what it registered."""
        return load(self.plugin)


def load(plugin: Any) -> Plugin:
    """Return a plugin, by the name of its entry point or as an object; fail the test when it is broken."""
    if isinstance(plugin, str) and ":" in plugin:
        plugin = load_named(plugin, "plugin")
    registry = load_plugins([plugin]) if isinstance(plugin, str) else load_plugins([], {"mine": plugin})
    for broken in registry.broken:
        _fail(broken)
    return registry.plugins[0]


def _fail(broken: BrokenPlugin) -> NoReturn:
    pytest.fail(f"{broken.title} cannot be used: {broken.cause}.")


def standard_tests(suite: type) -> Mapping[str, tuple[type, Check]]:
    """Return the standard tests of a suite by the method's name: the class that has it, and what it is."""
    found = {
        name: (base, marked)
        for base in reversed(suite.__mro__)
        for name, function in vars(base).items()
        if (marked := check_of(function)) is not None and "kind" in vars(base)
    }
    return dict(sorted(found.items(), key=lambda one: sort_key(one[1][1].id)))


def checks_of(suite: type) -> list[Check]:
    """Return the standard tests of a suite, in the order of their ids."""
    return [found for _, found in standard_tests(suite).values()]


def _is_replaced(suite: type, standard: type, name: str) -> bool:
    before = suite.__mro__[: suite.__mro__.index(standard)]
    return any(name in vars(one) and not _is_above_level(one, name, standard) for one in before)


def _is_above_level(one: type, name: str, standard: type) -> bool:
    """Tell whether a class lacks a test for no other reason than its level."""
    found = check_of(vars(standard)[name])
    level: Level = getattr(one, "level", "gold")
    return vars(one)[name] is None and found is not None and not is_within(found.level, level)


def _reason(suite: type, name: str) -> str:
    """Return why a replaced test may differ: the reason of its `xfail` or `skip` mark, "" without one."""
    marks = getattr(getattr(suite, name, None), "pytestmark", [])
    reasons = [str(mark.kwargs.get("reason", "")) for mark in marks if mark.name in ("xfail", "skip")]
    return next((reason for reason in reasons if reason), "")
