"""Finds, reads and renders mapping templates: a plain header, and a body rendered once into a spec."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError, TemplateSyntaxError
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from flitstack.errors import MappingError, SettingsError
from flitstack.mapping.policies import Policy, Ratios, read_first_page, read_policies, read_ratios
from flitstack.mapping.rendering import TemplateEnvironment, expression_literal
from flitstack.mapping.words import nearest
from flitstack.mapping.yamltext import read_yaml

SUFFIX = ".yaml.j2"
_PACKAGED = Path(__file__).parents[1] / "mapping_templates"
_CHECKOUT = Path(__file__).parents[3] / "mapping_templates"
_SEPARATOR = re.compile(r"^---[ \t]*$", re.MULTILINE)
_HEADER_KEYS = (
    "template", "source", "destination", "variables", "facts", "gates", "policies", "ratios", "first_page",
    "description",
)  # fmt: skip
_FROM_ACCOUNT = "account."
_FROM_FACT = "fact."


@dataclass(frozen=True, slots=True)
class Fact:
    """What a template asks of the export: the distinct values of a field, sorted, without None."""

    stream: str
    field: str


@dataclass(frozen=True, slots=True)
class Template:
    """A mapping template.

    :param variables: JSON Schema of an object: one property per variable.
    :param gates: per gate, what it must show, as the header states it.
    :param policies: variables of which other values save writes, by name.
    :param ratios: how many records come of one of the source's main records, for an estimate without an export.
    :param first_page: (title, entry, fields) that the report of a sample shows first.
    :param body: Jinja source; `body_line` is its first line in the file.
    """

    path: Path
    name: str
    source: str
    destination: str
    variables: Mapping[str, Any]
    facts: Mapping[str, Fact]
    gates: Mapping[str, Any]
    body: str
    body_line: int
    policies: Mapping[str, Policy] = field(default_factory=dict)
    ratios: Ratios | None = None
    first_page: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def lines_of_spec(self) -> tuple[str, int]:
        """Return what messages on the spec call its file, and the number of its first line there.

        Where the body has no blocks, the spec's lines are those of the template; else they are its own.
        """
        if "{%" in self.body or "{#" in self.body:
            return f"{self.path.name}, as rendered,", 1
        return self.path.name, self.body_line + len(self.body) - len(self.body.lstrip("\n"))

    def resolve(
        self,
        given: Mapping[str, Any],
        account_facts: Mapping[str, Any],
        facts: Mapping[str, Sequence[Any]] | None = None,
    ) -> dict[str, Any]:
        """Return every variable's value: as given, else by its `x-default-from`, else the default.

        :param given: text, as typed on a command line, is read as YAML where the variable is no text.
        :param facts: per name of `facts`, the values found in the export.
        :raises SettingsError: an unknown name, a missing one without default, or a value that does not fit.
        """
        properties: Mapping[str, Mapping[str, Any]] = self.variables.get("properties", {})
        for name in given:
            if name not in properties:
                raise SettingsError(f'{self.path.name}: unknown variable "{name}".{nearest(name, properties)}')
        values: dict[str, Any] = {}
        for name, schema in properties.items():
            if name in given:
                values[name] = _typed(given[name], schema)
            elif (fact := _default_from(schema, account_facts, facts or {})) is not None:
                values[name] = fact
            elif "default" in schema:
                values[name] = schema["default"]
        missing = [name for name in self.variables.get("required", ()) if name not in values]
        missing += [name for name in properties if name not in values and name not in missing]
        if missing:
            raise SettingsError(self._missing(missing, properties))
        for error in Draft202012Validator(self.variables).iter_errors(values):
            name = ".".join(str(part) for part in error.absolute_path) or "variables"
            raise SettingsError(f"{self.path.name}: variable {name}: {error.message[:200]}. Use --set {name}=VALUE.")
        return values

    def _missing(self, names: list[str], properties: Mapping[str, Mapping[str, Any]]) -> str:
        lines = [f"{self.path.name}: these variables need a value:"]
        for name in names:
            schema = properties.get(name, {})
            choice = f" ({' | '.join(map(str, schema['enum']))})" if "enum" in schema else ""
            lines.append(f"  --set {name}=VALUE{choice}  {schema.get('description', '')}".rstrip())
        return "\n".join(lines)

    def render(
        self,
        values: Mapping[str, Any],
        facts: Mapping[str, Any],
        export: Mapping[str, Any],
        account: Mapping[str, Any],
    ) -> str:
        """Return the spec's text.

        :param values: from `resolve`; each is visible under its name.
        :param facts: per name of `facts`, the list of values found.
        :param export: `streams`, the names of the streams that the export holds.
        :raises MappingError: the template is wrong; with file and line.
        """
        environment = TemplateEnvironment()
        environment.filters["literal"] = expression_literal
        padding = "\n" * (self.body_line - 1)  # so that Jinja's line numbers are the file's
        names = {**values, "facts": dict(facts), "export": dict(export), "account": dict(account)}
        try:
            text = environment.rendered(padding + self.body, names)
        except TemplateSyntaxError as exc:
            raise MappingError(f"{self.path.name} line {exc.lineno}: {exc.message}.") from None
        except (TemplateError, MappingError) as exc:
            said = exc.message if isinstance(exc, TemplateError) else exc
            raise MappingError(f"{self.path.name} line {_line_of(exc, self.body_line)}: {said}.") from None
        except Exception as exc:  # noqa: BLE001 - a template may call anything on its values
            line = _line_of(exc, self.body_line)
            raise MappingError(f"{self.path.name} line {line}: rendering failed: {type(exc).__name__}.") from None
        return text.lstrip("\n")


def _line_of(exc: Exception, default: int) -> int:
    lines = [frame.lineno for frame in traceback.extract_tb(exc.__traceback__) if frame.filename == "<template>"]
    return lines[-1] or default if lines else default


def _typed(value: Any, schema: Mapping[str, Any]) -> Any:
    if not isinstance(value, str):
        return value
    stated = schema.get("type", "string" if "enum" not in schema else None)
    types = [stated] if isinstance(stated, str) else list(stated or ())
    if "string" in types or value in schema.get("enum", ()):
        return value
    try:
        return read_yaml(value, "--set").data
    except MappingError:
        return value  # the schema's own message says what was expected


def _default_from(schema: Mapping[str, Any], account: Mapping[str, Any], facts: Mapping[str, Sequence[Any]]) -> Any:
    """Return the value of the first source that has exactly one, None when none has."""
    sources = schema.get("x-default-from", ())
    for source in (sources,) if isinstance(sources, str) else sources:
        if source.startswith(_FROM_ACCOUNT):
            found = account.get(source.removeprefix(_FROM_ACCOUNT))
        else:
            values = facts.get(source.removeprefix(_FROM_FACT), ())
            found = values[0] if len(values) == 1 else None
        if found is not None:
            return found
    return None


def shipped_templates() -> Path:
    """Return the folder of the templates that come with flit: in the package, or beside it in a checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def find_template(path_or_name: str | Path) -> Path:
    """Return the template's file: the path as given, else in the project's `mapping_templates`, else the shipped one.

    :raises MappingError: there is none; lists where was looked.
    """
    name = str(path_or_name)
    names = [name] if name.endswith(SUFFIX) else [name, name + SUFFIX]
    places = [Path(), Path("mapping_templates"), shipped_templates()]
    for place in places:
        for candidate in names:
            if (place / candidate).is_file():
                return place / candidate
    shipped = [file.name for file in shipped_templates().glob("*" + SUFFIX)]
    looked = ", ".join(str(place / names[-1]) for place in places)
    raise MappingError(f'no mapping template "{name}". Looked for {looked}.{nearest(names[-1], shipped)}')


def load_template(path: str | Path) -> Template:
    """Return the template in the file.

    :raises MappingError: it cannot be read, has no header, or the header is wrong; with file and line.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise MappingError(f"{path}: cannot be read ({type(exc).__name__}). It must be a UTF-8 text file.") from None
    separator = _SEPARATOR.search(text)
    if separator is None or text[: separator.start()].strip() == "":
        told = f"{path.name}: a template is a header, a line `---`, and a body. The header is missing."
        if "\nentries:" in text:  # a mapping spec: what a template became, for reading
            told += " It seems to be what a template became for one export: give the template itself, or a copy edited."
        raise MappingError(told)
    header = read_yaml(text[: separator.start()], path.name)
    data = header.data
    if not isinstance(data, Mapping):
        raise MappingError(f"{path.name} line 1: the header must be a mapping of keys to values.")
    for key in data:
        if key not in _HEADER_KEYS:
            raise MappingError(
                f'{path.name} line {header.line((key,))}: unknown key "{key}".{nearest(key, _HEADER_KEYS)}'
            )
    for key in ("template", "source", "destination"):
        if not isinstance(data.get(key), str):
            raise MappingError(f"{path.name} line 1: the header needs `{key}: NAME`.")
    return Template(
        path=path,
        name=data["template"],
        source=data["source"],
        destination=data["destination"],
        variables=_variables(data.get("variables"), path.name, header.line(("variables",))),
        facts=_facts(data.get("facts"), path.name, header.line(("facts",))),
        gates=data.get("gates") or {},
        body=text[separator.end() + 1 :],
        body_line=text.count("\n", 0, separator.end()) + 2,
        policies=read_policies(data, path.name, header.line(("policies",)) if "policies" in data else 1),
        ratios=read_ratios(data.get("ratios"), path.name, header.line(("ratios",)) if "ratios" in data else 1),
        first_page=read_first_page(
            data.get("first_page"), path.name, header.line(("first_page",)) if "first_page" in data else 1
        ),
    )


def _variables(data: Any, file: str, line: int) -> Mapping[str, Any]:
    schema = {"type": "object", "properties": {}, **(data or {})}
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as exc:
        place = ".".join(str(part) for part in exc.absolute_path)
        raise MappingError(f"{file} line {line}: variables is no JSON Schema: {place}: {exc.message[:200]}.") from None
    return schema


def _facts(data: Any, file: str, line: int) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    for name, given in (data or {}).items():
        if not isinstance(given, Mapping) or set(given) != {"stream", "field"}:
            raise MappingError(f"{file} line {line}: fact {name}: write {{stream: NAME, field: NAME}}.")
        facts[name] = Fact(str(given["stream"]), str(given["field"]))
    return facts
