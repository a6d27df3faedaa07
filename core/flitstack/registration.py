"""Checks what a plugin registers, so that nonsense is found when it is loaded and not in the middle of a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, TypeAlias

import jsonschema

from flitstack.protocols import (
    AccountPlan,
    Behaviours,
    DestinationPlugin,
    MappingTemplate,
    ObjectBehaviour,
    Proposer,
    SourcePlugin,
    Transform,
    Validator,
)

Registered: TypeAlias = SourcePlugin | Transform | DestinationPlugin | Validator | MappingTemplate | Proposer

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_KEY_IN = re.compile(r"(field|text):.+|content|name")
_VERBS = {"create", "update", "delete"}

REGISTERED_BY: Mapping[str, type[Registered]] = {
    "flit_register_sources": SourcePlugin,
    "flit_register_transforms": Transform,
    "flit_register_destinations": DestinationPlugin,
    "flit_register_validators": Validator,
    "flit_register_mapping_templates": MappingTemplate,
    "flit_register_proposers": Proposer,
}


def describe(thing: Registered) -> str:
    """Return what a person would call it: `source acme`, `template acme to barn`."""
    match thing:
        case SourcePlugin(name=name):
            return f"source {name}"
        case DestinationPlugin(name=name):
            return f"destination {name}"
        case Transform(name=name, kind=kind):
            return f"{kind} {name}"
        case Validator(name=name):
            return f"validator {name}"
        case Proposer(name=name):
            return f"proposer {name}"
        case MappingTemplate(source=source, destination=destination):
            return f"template {source} to {destination}"


def complaints(hook: str, thing: object) -> list[str]:
    """Return what is wrong with a thing that was registered through `hook`, in words; empty when it can be used."""
    wanted = REGISTERED_BY[hook]
    if not isinstance(thing, wanted):
        return [f"{hook} registered a {type(thing).__name__}, expected a {wanted.__name__}"]
    found = [message for message in _CHECKS[wanted](thing) if message]
    return [f"{describe(thing)}: {message}" if _has_name(thing) else message for message in found]


def _has_name(thing: Registered) -> bool:
    return isinstance(thing, MappingTemplate) or isinstance(thing.name, str)


def _unless(holds: bool, message: str) -> str:
    return "" if holds else message


def _name(name: object) -> str:
    good = isinstance(name, str) and _NAME.fullmatch(name) is not None
    return _unless(good, "a name is lower case letters, digits, - and _, beginning with a letter")


def _settings_schema(schema: object) -> str:
    if not isinstance(schema, Mapping):
        return f"settings_schema is a {type(schema).__name__}, expected a JSON Schema (2020-12)"
    try:
        jsonschema.Draft202012Validator.check_schema(dict(schema))
    except jsonschema.SchemaError as exc:
        return f"settings_schema is no valid JSON Schema (2020-12) at {exc.json_path}"
    return _unless(
        schema.get("type") == "object" and isinstance(schema.get("properties", {}), Mapping),
        'settings_schema must have "type": "object" and name its settings under "properties"',
    )


def _source(thing: SourcePlugin) -> list[str]:
    return [
        _name(thing.name),
        _settings_schema(thing.settings_schema),
        _unless(callable(thing.open), "open cannot be called"),
        _unless(thing.demo is None or callable(thing.demo), "demo cannot be called"),
        _unless(thing.proposing is None or callable(thing.proposing), "proposing cannot be called"),
    ]


def _destination(thing: DestinationPlugin) -> list[str]:
    found = [
        _name(thing.name),
        _settings_schema(thing.settings_schema),
        _unless(callable(thing.open), "open cannot be called"),
        _unless(thing.demo is None or callable(thing.demo), "demo cannot be called"),
        _unless(thing.assume is None or callable(thing.assume), "assume cannot be called"),
        _unless(all(isinstance(plan, AccountPlan) for plan in thing.plans), "plans are AccountPlans"),
    ]
    if not isinstance(thing.behaviours, Behaviours):
        found.append(f"behaviours is a {type(thing.behaviours).__name__}, expected Behaviours")
    else:
        found += _behaviours(thing.behaviours)
    return found if any(found) else _secrets(thing)


def _secrets(thing: DestinationPlugin) -> list[str]:
    settings = set(thing.settings_schema.get("properties", {}))
    unknown = (set(thing.settings_environment) | thing.secrets) - settings
    unreachable = thing.secrets - set(thing.settings_environment)
    return [
        _unless(not unknown, f"settings_environment or secrets name no setting: {', '.join(sorted(unknown))}"),
        _unless(not unreachable, f"secrets without an environment variable: {', '.join(sorted(unreachable))}"),
    ]


def _behaviours(behaviours: Behaviours) -> list[str]:
    strangers = [name for name in behaviours.schema_objects if name not in behaviours.objects]
    found = [
        _unless(bool(behaviours.objects), "behaviours declare no object"),
        _unless(not strangers, f"schema_objects names no declared object: {', '.join(strangers)}"),
        _unless(behaviours.max_batch >= 1, "max_batch must be at least 1"),
        _unless(behaviours.concurrency >= 1, "concurrency must be at least 1"),
    ]
    for name, behaviour in behaviours.objects.items():
        found += [f"object {name}: {message}" for message in _object(behaviour) if message]
    return found


def _object(behaviour: object) -> list[str]:
    if not isinstance(behaviour, ObjectBehaviour):
        return [f"its behaviour is a {type(behaviour).__name__}, expected an ObjectBehaviour"]
    return [
        _unless(behaviour.verbs <= _VERBS, "verbs are create, update and delete"),
        _unless(behaviour.page_size >= 1, "page_size must be at least 1"),
        _unless(0 <= behaviour.lag_s < inf, "lag_s is a number of seconds, not negative and not endless"),
        _unless(all(0 <= units < inf for units in behaviour.cost.values()), "cost has numbers that are not negative"),
        _unless(behaviour.batch >= 1, "batch must be at least 1"),
        _unless(_KEY_IN.fullmatch(behaviour.key_in) is not None, "key_in is field:NAME, text:NAME, content or name"),
    ]


def _transform(thing: Transform) -> list[str]:
    good_name = isinstance(thing.name, str) and thing.name.isidentifier()
    return [
        _unless(good_name, "the name of a transform must be usable in an expression (letters, digits, _)"),
        _unless(callable(thing.call), "call cannot be called"),
        _unless(thing.kind in ("function", "filter", "test"), "kind is function, filter or test"),
        _unless(all(isinstance(position, int) for position in thing.attributes), "attributes are positions, from 0"),
    ]


def _validator(thing: Validator) -> list[str]:
    return [_name(thing.name), _name(thing.source), _unless(callable(thing.check), "check cannot be called")]


def _proposer(thing: Proposer) -> list[str]:
    return [_name(thing.name), _unless(callable(thing.propose), "propose cannot be called")]


def _template(thing: MappingTemplate) -> list[str]:
    return [
        _name(thing.source),
        _name(thing.destination),
        _unless(isinstance(thing.path, str) and bool(thing.path), "path must name a file"),
    ]


_CHECKS: Mapping[type[Registered], Callable[[Any], list[str]]] = {
    SourcePlugin: _source,
    DestinationPlugin: _destination,
    Transform: _transform,
    Validator: _validator,
    MappingTemplate: _template,
    Proposer: _proposer,
}
