"""Picks, of what a plugin registered, the thing that a suite is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from flitstack.errors import SettingsError
from flitstack.protocols import DestinationPlugin, MappingTemplate, Proposer, SourcePlugin, Transform, Validator
from flitstack.registry import Registry, load_plugins
from flitstack.settings import resolve_settings
from flitstack.testing.kit.suite import load
from flitstack.testing.simulation.port import load_named

if TYPE_CHECKING:
    from collections.abc import Mapping

from flitstack.protocols import Schema

Kind = TypeVar("Kind", SourcePlugin, DestinationPlugin, Transform, Validator, MappingTemplate, Proposer)


def offered(plugin: Any, kind: type[Kind]) -> list[Kind]:
    """Return what a plugin registered of a kind, at least one; fail the test when there is none."""
    found = [thing for thing in load(plugin).registered if isinstance(thing, kind)]
    if not found:
        pytest.fail(f"the plugin registers no {kind.__name__}.")
    return found


def named(plugin: Any, kind: type[Kind], name: str) -> Kind:
    """Return the one of this name, or the only one; fail the test when there are several and none was named."""
    found = [thing for thing in offered(plugin, kind) if not name or getattr(thing, "name", "") == name]
    if len(found) != 1:
        word = kind.__name__.removesuffix("Plugin").lower()
        pytest.fail(f"the plugin registers {len(found)} of them; say which: `{word} = NAME` in the suite.")
    return found[0]


def registry_with(plugin: Any) -> Registry:
    """Return all that is installed, and the plugin where it is handed over as an object or `MODULE:NAME`."""
    if isinstance(plugin, str) and ":" not in plugin:
        return load_plugins()
    return load_plugins(objects={"mine": load_named(plugin, "plugin") if isinstance(plugin, str) else plugin})


def check_mistyped(schema: Schema, prefix: str, mistyped: str, right: str) -> None:
    """Fail unless a setting that there is not is refused, by a message with the right name in it."""
    try:
        resolve_settings(schema, what=f"the {prefix}", prefix=prefix, given={mistyped: "1"}, environ={})
    except SettingsError as exc:
        said = str(exc)
    else:
        pytest.fail(f'{prefix}.{mistyped} is taken: put "additionalProperties": false into the settings\' schema')
    assert right in said, f"{prefix}.{mistyped} is refused without a word of {right}: {said}"


def with_defaults(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a run would have them."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    return {name: each["default"] for name, each in properties.items() if "default" in each} | dict(given)
