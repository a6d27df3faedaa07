"""Whether a value has the shape that a derived table states: names, types, nulls, enums and lengths."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Shape: TypeAlias = Callable[[Any], str | None]
Body: TypeAlias = Callable[[Any], Mapping[str, str]]
Schema: TypeAlias = Mapping[str, Any]

REQUIRED = "The parameter is required"
NOT_ALLOWED = "The value is not allowed"
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?", re.ASCII)
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
# v1 also takes numbers in text, and 0 and 1 for booleans.
_LENIENT: Mapping[str, Callable[[Any], bool]] = {
    **_TYPES,
    "integer": lambda value: type(value) is int or (isinstance(value, str) and bool(_INTEGER.fullmatch(value))),
    "number": lambda value: type(value) in (int, float) or (isinstance(value, str) and bool(_NUMBER.fullmatch(value))),
    "boolean": lambda value: isinstance(value, bool) or value in (0, 1, "0", "1"),
}


def no_such_parameter(key: str) -> str:
    """Return the reason for a key that the request does not have."""
    return f"Parameter '{key}' is not allowed for this request"


def not_a(kind: str) -> str:
    """Return the reason for a value of the wrong type."""
    return f"The value is not a valid '{kind}'"


def body_shape(schema: Schema, *, lenient: bool = False) -> Body:
    """Return the check of a whole body, which gives the reason against each key that is wrong.

    :param lenient: v1, which takes numbers in text.
    """
    if "properties" not in schema:
        whole = shape(schema, lenient=lenient)
        return lambda value: {"body": reason} if (reason := whole(value)) else {}
    known, others = _members(schema, lenient)
    required = schema.get("required", ())
    fewest = schema.get("minProperties", 0)

    def check(value: Any) -> Mapping[str, str]:
        if not isinstance(value, dict):
            return {"body": not_a("object")}
        reasons = {key: REQUIRED for key in required if key not in value}
        if len(value) < fewest:
            reasons["body"] = "The body is empty"
        for key, member in value.items():
            one = known.get(key) or others(key)
            reason = no_such_parameter(key) if one is None else one(member)
            if reason:
                reasons[key] = reason
        return reasons

    return check


def shape(schema: Schema, *, lenient: bool = False) -> Shape:
    """Return the check of one value; an object has no keys but those the table names, unless it names none."""
    ways = schema.get("oneOf") or schema.get("anyOf")
    if ways:
        return _any_of([shape(way, lenient=lenient) for way in ways])
    stated = schema.get("type")
    types = stated if isinstance(stated, list) else [stated] if stated else []
    fits = _one_of_types(types, lenient)
    deep = _inside(schema, lenient)
    if not types:
        return deep or _anything

    def check(value: Any) -> str | None:
        if value is None or not fits(value):
            return None if value is None and "null" in types else not_a(types[0])
        return deep(value) if deep is not None else None

    return check


def query_shape(schema: Schema, *, commas: bool = False) -> Shape:
    """Return the check of a query parameter, which always is text.

    :param commas: the text is a comma list, and the table says what its parts may be.
    """
    if schema.get("type") == "array":
        return query_shape(schema["items"], commas=True)
    allowed = {str(value) for value in schema["enum"]} if "enum" in schema else None
    kind = schema.get("type", "string")
    pattern = {"integer": re.compile(r"\d{1,18}", re.ASCII), "number": _NUMBER, "boolean": re.compile("true|false")}

    def check(text: str) -> str | None:
        for part in text.split(",") if commas else (text,):
            if kind in pattern and not pattern[kind].fullmatch(part):
                return not_a(kind)
            if allowed is not None and part not in allowed:
                return NOT_ALLOWED
        return None

    return check


def _anything(value: Any) -> str | None:
    return None


def _any_of(ways: list[Shape]) -> Shape:
    def check(value: Any) -> str | None:
        reasons = [way(value) for way in ways]
        return None if None in reasons else reasons[0]

    return check


def _one_of_types(types: list[str], lenient: bool) -> Callable[[Any], bool]:
    tests = [(_LENIENT if lenient else _TYPES)[kind] for kind in types if kind != "null"]
    if len(tests) == 1:
        return tests[0]
    return lambda value: any(test(value) for test in tests)


def _members(schema: Schema, lenient: bool) -> tuple[dict[str, Shape], Callable[[str], Shape | None]]:
    """Return the checks of an object's keys, and what finds the check of a key that the table does not name."""
    known = {
        name: shape(member, lenient=lenient)
        for name, member in schema["properties"].items()
        if not member.get("readOnly")
    }
    patterns = [re.compile(pattern) for pattern in schema.get("patternProperties", ())]
    others = schema.get("additionalProperties")
    more = shape(others, lenient=lenient) if isinstance(others, Mapping) else None
    if patterns:
        return known, lambda key: _anything if any(pattern.match(key) for pattern in patterns) else more
    return known, lambda key: more


def _inside(schema: Schema, lenient: bool) -> Shape | None:
    """Return the check of what a value of the right type holds, or None when there is nothing to check."""
    if "properties" in schema:
        whole = body_shape(schema, lenient=lenient)
        return lambda value: next(iter(whole(value).values()), None)
    if "items" in schema:
        return _list_of(shape(schema["items"], lenient=lenient), schema.get("maxItems"))
    if isinstance(schema.get("additionalProperties"), Mapping):
        member = shape(schema["additionalProperties"], lenient=lenient)
        return lambda value: next((reason for one in value.values() if (reason := member(one))), None)
    if "enum" in schema:
        allowed = set(map(str, schema["enum"])) if lenient else {(type(one), one) for one in schema["enum"]}
        if lenient:
            return lambda value: (
                None if str(int(value) if isinstance(value, bool) else value) in allowed else NOT_ALLOWED
            )
        return lambda value: None if (type(value), value) in allowed else NOT_ALLOWED
    if "maxLength" in schema or "minLength" in schema:
        return _length(schema.get("minLength", 0), schema.get("maxLength"))
    if "minimum" in schema or "maximum" in schema:
        return _range(schema.get("minimum"), schema.get("maximum"))
    return None


def _one_of(words: list[Any], lenient: bool) -> Shape:
    if not lenient:
        return lambda value: None if any(type(value) is type(one) and value == one for one in words) else NOT_ALLOWED
    allowed = set(map(str, words))
    return lambda value: None if str(int(value) if isinstance(value, bool) else value) in allowed else NOT_ALLOWED


def _list_of(item: Shape, most: int | None) -> Shape:
    def check(value: Any) -> str | None:
        if most is not None and len(value) > most:
            return f"At most {most} items are allowed"
        for one in value:
            reason = item(one)
            if reason:
                return reason
        return None

    return check


def _length(least: int, most: int | None) -> Shape:
    def check(value: Any) -> str | None:
        if len(value) < least:
            return "The value is too short"
        return "The value is too long" if most is not None and len(value) > most else None

    return check


def _range(least: float | None, most: float | None) -> Shape:
    def check(value: Any) -> str | None:
        number = float(value) if isinstance(value, str) else value
        if (least is not None and number < least) or (most is not None and number > most):
            return NOT_ALLOWED
        return None

    return check
