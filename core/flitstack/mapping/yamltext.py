"""Reads YAML as plain data, and remembers on which line each value stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from flitstack.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Mapping

Path: TypeAlias = tuple[str | int, ...]

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,99})")
_NUMBER = re.compile(r"[-+]?[0-9]{1,99}(\.[0-9]{1,99}([eE][-+]?[0-9]{1,3})?|[eE][-+]?[0-9]{1,3})")
_DEEPEST = 40
_ABSURD = 200
_COMPILED: Any = getattr(yaml, "CSafeLoader", None)  # ten times as fast, where PyYAML has libyaml


@dataclass(frozen=True, slots=True)
class YamlText:
    """Plain data and its lines.

    :param data: dicts, lists, text, bool, int, float and None; dates stay text.
    :param lines: line (from 1) of the value at each path; for a block text the line of its first character.
    """

    file: str
    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of the value at `path`, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(text: str, file: str, first_line: int = 1) -> YamlText:
    """Return the data of one YAML document.

    Only `true` and `false` are booleans and dates stay text, as in YAML 1.2's core schema, so that `on`, `no` and
    `2024-01-01` mean what they look like. Aliases and tags are refused: the template can repeat what must be repeated.

    :param first_line: number of the text's first line in its file.
    :raises MappingError: not YAML, a key twice, an alias, a tag, or nested too deep.
    """
    offset = first_line - 1
    try:
        node = _composed(text, file, offset)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = (mark.line + 1 if mark else 1) + offset
        hint = "" if "{" not in (exc.problem or "") else " Quote an expression that begins with a brace or quote."
        raise MappingError(f"{file} line {line}: this is not YAML: {exc.problem}.{hint}") from None
    except (yaml.YAMLError, RecursionError) as exc:
        raise MappingError(f"{file}: this is not YAML ({type(exc).__name__}). Save it as UTF-8 text.") from None
    lines: dict[Path, int] = {}
    data = None if node is None else _plain(node, (), lines, file, offset)
    return YamlText(file, data, lines)


def _composed(text: str, file: str, offset: int) -> yaml.Node | None:
    """Return the document's node; where something is wrong, the loader in Python says so in its own words."""
    if _COMPILED is not None:
        try:
            return _composed_by(_COMPILED, text, file, offset)
        except yaml.YAMLError:
            pass
    return _composed_by(yaml.SafeLoader, text, file, offset)


def _composed_by(loader: Any, text: str, file: str, offset: int) -> yaml.Node | None:
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        _refuse_alias(event, file, offset)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _ABSURD:  # the compiled loader would go on until the stack is used up
            raise RecursionError
    return yaml.compose(text, Loader=loader)


def _refuse_alias(event: yaml.Event, file: str, offset: int) -> None:
    line = event.start_mark.line + 1 + offset if event.start_mark else 1
    if isinstance(event, yaml.AliasEvent):
        raise MappingError(f"{file} line {line}: an alias (`*{event.anchor}`) cannot be used here. Write it out.")
    if getattr(event, "tag", None):
        raise MappingError(f"{file} line {line}: a tag (`!`) cannot be used here. Quote text that begins with `!`.")


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int], file: str, offset: int) -> Any:
    block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    line = node.start_mark.line + (2 if block else 1) + offset
    lines[path] = line
    if len(path) > _DEEPEST:
        raise MappingError(f"{file} line {line}: nested more than {_DEEPEST} levels deep.")
    if isinstance(node, yaml.MappingNode):
        return _plain_mapping(node, path, lines, file, offset)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, at), lines, file, offset) for at, item in enumerate(node.value)]
    quoted = isinstance(node, yaml.ScalarNode) and node.style not in (None, "")  # plain: "" by libyaml
    return node.value if quoted else plain_scalar(node.value)


def _plain_mapping(
    node: yaml.MappingNode, path: Path, lines: dict[Path, int], file: str, offset: int
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1 + offset
        if not isinstance(key_node, yaml.ScalarNode):
            raise MappingError(f"{file} line {line}: a key must be text. Quote an expression that begins with a brace.")
        key = str(key_node.value)
        if key in result:
            raise MappingError(f'{file} line {line}: the key "{key}" stands here twice. Remove one.')
        result[key] = _plain(value_node, (*path, key), lines, file, offset)
    return result


def plain_scalar(text: str) -> Any:
    """Return what an unquoted YAML scalar means: None, bool, int, float, or the text itself."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
