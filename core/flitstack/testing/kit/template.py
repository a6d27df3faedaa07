"""The suite of mapping templates: each renders with its defaults and with every choice, into a spec that loads."""

from __future__ import annotations

import tempfile
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from flitstack.errors import FlitError
from flitstack.mapping import Template, find_template, load_spec, load_template
from flitstack.protocols import MappingTemplate
from flitstack.testing.kit.common import PluginSuite
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.offers import offered, registry_with, with_defaults
from flitstack.testing.kit.suite import does_not_apply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.protocols import Stream
    from flitstack.registry import Registry


class TemplateSuite(PluginSuite):
    """Subclass it in two lines: `class TestMine(TemplateSuite): plugin = "mine"`.

    Source and destination of a template are registered by the same plugin, or installed.

    :cvar settings: of the source, as `--set source.KEY=VALUE` would give them.
    :cvar variables: of the template, where one has no default and no list of choices.
    :cvar account: facts of an account, such as its `currency`.
    """

    kind = "template"
    settings: ClassVar[Mapping[str, Any]] = {}
    variables: ClassVar[Mapping[str, Any]] = {}
    account: ClassVar[Mapping[str, Any]] = {"currency": "EUR"}

    @check("M1", "bronze")
    def test_m1_names_its_pair_and_describes_its_variables(self) -> None:
        """The file is there, is for the pair it is registered for, and each variable says what it is."""
        for _, template in self._templates():
            for name, schema in template.variables.get("properties", {}).items():
                assert schema.get("description"), f"{template.path.name}: variable {name} has no description"

    @check("M2", "bronze")
    def test_m2_renders_with_its_defaults(self) -> None:
        """With nothing but defaults, and a choice where one must be made, the spec is valid and loads."""
        for registry, template in self._templates():
            self._spec(registry, template, self._least(template))

    @check("M3", "bronze")
    def test_m3_renders_with_every_choice(self) -> None:
        """Every value of each variable that is a list of choices or a yes or no gives a spec that loads."""
        for registry, template in self._templates():
            for name, value in _choices(template):
                self._spec(registry, template, {**self._least(template), name: value})

    @check("M4", "bronze")
    def test_m4_renders_without_any_one_stream(self) -> None:
        """A template does not lean on a stream that an export may not have."""
        for registry, template in self._templates():
            required = registry.source(template.source).required_streams
            held = list(self._streams(template))
            for absent in held if len(held) > 1 else ():
                if absent not in required:
                    left = tuple(name for name in held if name != absent)
                    self._spec(registry, template, self._least(template), streams=left)

    @check("M5", "silver")
    def test_m5_values_of_variables_cannot_break_the_spec(self) -> None:
        """A text with quotes, braces and line breaks in a variable stays a text: `tojson` is not forgotten."""
        hostile = "it's {{ 7*7 }}: \"#q\n- x"
        tried = 0
        for registry, template in self._templates():
            for name, schema in template.variables.get("properties", {}).items():
                if schema.get("type") != "string" or {"enum", "pattern", "format"} & set(schema):
                    continue
                given = self._least(template)
                if self._refused(registry, template, {**given, name: "example"}):
                    continue  # not any text will do: a time zone, say
                tried += 1
                self._spec(registry, template, {**given, name: hostile})
        if not tried:
            does_not_apply("no variable is a free text")

    def _templates(self) -> Iterator[tuple[Registry, Template]]:
        for each in offered(self.plugin, MappingTemplate):
            try:
                template = load_template(find_template(each.path))
            except FlitError as exc:
                pytest.fail(str(exc))
            assert (template.source, template.destination) == (each.source, each.destination), (
                f"{template.path.name} is for {template.source} to {template.destination}, "
                f"and registered for {each.source} to {each.destination}"
            )
            yield registry_with(self.plugin), template

    def _least(self, template: Template) -> dict[str, Any]:
        """Return what must be given: the suite's own values, and the first choice where there is no default."""
        properties = template.variables.get("properties", {})
        first = {
            name: schema["enum"][0] if "enum" in schema else "example"
            for name, schema in properties.items()
            if "default" not in schema and "x-default-from" not in schema
        }
        return first | dict(self.variables)

    def _spec(
        self,
        registry: Registry,
        template: Template,
        given: Mapping[str, Any],
        streams: tuple[str, ...] | None = None,
    ) -> None:
        """Fail unless the template gives a spec that loads."""
        if said := self._refused(registry, template, given, streams):
            least = self._least(template)
            with_ = ", ".join(name for name in given if given[name] != least.get(name)) or "its defaults"
            pytest.fail(f"{template.path.name} with {with_}: {said}")

    def _refused(
        self,
        registry: Registry,
        template: Template,
        given: Mapping[str, Any],
        streams: tuple[str, ...] | None = None,
    ) -> str:
        """Return why the template gives no spec with these variables, "" when it does."""
        known = self._streams(template)
        behaviours = registry.destination(template.destination).behaviours
        facts = {**_facts_asked(template), **self.account}
        try:
            values = template.resolve(given, facts)
            found: dict[str, Any] = {name: [] for name in template.facts}
            text = template.render(values, found, {"streams": list(known if streams is None else streams)}, facts)
            load_spec(
                text,
                streams=known,
                transforms=registry.transforms(),
                objects=[*behaviours.objects, behaviours.user],
                file=template.path.name,
                user=behaviours.user,
            )
        except FlitError as exc:
            return str(exc)
        return ""

    def _streams(self, template: Template) -> Mapping[str, Stream]:
        suite: Any = type(self)
        return _known_streams(suite, template.source)


@cache
def _known_streams(suite: Any, name: str) -> Mapping[str, Stream]:
    """Return the streams that a source knows when it reads its example; made and read once per suite."""
    source = registry_with(suite.plugin).source(name)
    if source.demo is None:
        pytest.fail(f"source {name} brings no example whose streams could be known: register `demo=`.")
    with tempfile.TemporaryDirectory(prefix="flit-kit-") as folder:
        reader = source.open(source.demo(folder), with_defaults(source.settings_schema, suite.settings))
        with closing(reader):
            return {stream.name: stream for stream in reader.known_streams()}


def _choices(template: Template) -> Iterator[tuple[str, Any]]:
    for name, schema in template.variables.get("properties", {}).items():
        for value in schema.get("enum", (True, False) if schema.get("type") == "boolean" else ()):
            yield name, value


def _facts_asked(template: Template) -> dict[str, Any]:
    """Return a value for each fact of an account that a variable's default comes from."""
    facts: dict[str, Any] = {}
    for schema in template.variables.get("properties", {}).values():
        asked = () if "default" in schema else schema.get("x-default-from", ())
        for each in (asked,) if isinstance(asked, str) else asked:
            name = each.removeprefix("account.")
            facts[name] = 1000 if schema.get("type") == "integer" else "UTC" if "zone" in name else "example"
    return facts
