"""One bad plugin never hides the others, and whoever needs it is told which one it is and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import PluginError
from flitstack.registry import BrokenPlugin, Registry, load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = """
    from flitstack.hookspecs import hookimpl
    from flitstack.protocols import MappingTemplate, SourcePlugin, Transform, Validator

    @hookimpl
    def flit_register_sources(register):
        register(SourcePlugin("meadow", {"type": "object", "properties": {}}, open=lambda path, settings: None))

    @hookimpl
    def flit_register_transforms(register):
        register(Transform("shout", str.upper, kind="filter"))

    @hookimpl
    def flit_register_validators(register):
        register(Validator("hedge", "meadow", check=lambda view: iter(())))

    @hookimpl
    def flit_register_mapping_templates(register):
        register(MappingTemplate("meadow", "barn", "meadow-to-barn.yaml.j2"))
"""


def broken(registry: Registry, name: str) -> BrokenPlugin:
    return next(each for each in registry.broken if each.name == name)


def test_a_plugin_is_found_by_its_entry_point_with_what_it_registers(install: Callable[..., None]) -> None:
    install("meadow-flit", {"meadow": "meadow_flit"}, meadow_flit=GOOD)

    registry = load_plugins(["meadow"])

    assert registry.source("meadow").name == "meadow"
    assert [transform.name for transform in registry.transforms()] == ["shout"]
    assert [validator.name for validator in registry.validators("meadow")] == ["hedge"]
    assert registry.validators("other") == ()
    assert registry.template("meadow", "barn").path == "meadow-to-barn.yaml.j2"
    plugin = registry.plugins[0]
    assert (plugin.distribution, plugin.version) == ("meadow-flit", "1.5")
    assert plugin.hooks == (
        "flit_register_mapping_templates",
        "flit_register_sources",
        "flit_register_transforms",
        "flit_register_validators",
    )


CAUSES = {
    "import_error": ("import no_such_module_anywhere", "cannot be imported: ModuleNotFoundError: No module named"),
    "exit_at_import": ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
    "syntax_error": ("def broken(:", "cannot be imported: SyntaxError"),
    "no_hooks": ("ANSWER = 42", "implements no hook of flitstack.hookspecs"),
    "not_marked": ("def flit_register_sources(register): ...", "flit_register_sources is not marked: put @hookimpl"),
    "unknown_hook": (
        "from flitstack.hookspecs import hookimpl\n@hookimpl\ndef flit_register_sorces(register): ...",
        "unknown hook 'flit_register_sorces'",
    ),
    "bad_signature": (
        "from flitstack.hookspecs import hookimpl\n@hookimpl\ndef flit_register_sources(register, colour): ...",
        "colour",
    ),
    "raises": (
        "from flitstack.hookspecs import hookimpl\n@hookimpl\ndef flit_register_sources(register): 1 / 0",
        "ZeroDivisionError: division by zero",
    ),
    "exits": (
        "from flitstack.hookspecs import hookimpl\n@hookimpl\ndef flit_register_sources(register): raise SystemExit(1)",
        "SystemExit: 1",
    ),
    "nonsense": (
        "from flitstack.hookspecs import hookimpl\n@hookimpl\ndef flit_register_sources(register): register('me')",
        "flit_register_sources registered a str, expected a SourcePlugin",
    ),
    "generator": (
        "from flitstack.hookspecs import hookimpl\n@hookimpl\ndef flit_register_sources(register): yield register",
        "returned a generator; a hook is a plain function that returns nothing",
    ),
    "coroutine": (
        "from flitstack.hookspecs import hookimpl\n@hookimpl\nasync def flit_register_sources(register): ...",
        "returned a coroutine",
    ),
}


@pytest.mark.parametrize("case", CAUSES)
def test_a_bad_plugin_is_named_and_left_out(install: Callable[..., None], case: str) -> None:
    source, cause = CAUSES[case]
    install("bad-flit", {"bad": "bad_flit"}, bad_flit=source)
    install("meadow-flit", {"meadow": "meadow_flit"}, meadow_flit=GOOD)

    registry = load_plugins(["bad", "meadow"])

    assert registry.source("meadow").name == "meadow"
    found = broken(registry, "bad")
    assert (found.distribution, found.version) == ("bad-flit", "1.5")
    assert cause in found.cause
    assert "\n" not in found.cause


SCHEMAS = {
    "schema_is_no_mapping": ("'words'", "settings_schema is a str"),
    "schema_is_invalid": ("{'type': 'objekt'}", "no valid JSON Schema (2020-12) at $.type"),
    "schema_of_a_list": ("{'type': 'array'}", '"type": "object"'),
}


@pytest.mark.parametrize("case", SCHEMAS)
def test_a_settings_schema_that_cannot_be_used_is_named(install: Callable[..., None], case: str) -> None:
    schema, cause = SCHEMAS[case]
    source = (
        "from flitstack.hookspecs import hookimpl\nfrom flitstack.protocols import SourcePlugin\n"
        f"@hookimpl\ndef flit_register_sources(register): register(SourcePlugin('pond', {schema}, open=print))"
    )
    install("pond-flit", {"pond": "pond_flit"}, pond_flit=source)

    registry = load_plugins(["pond"])

    assert "source pond" in broken(registry, "pond").cause
    assert cause in broken(registry, "pond").cause


def test_a_run_that_needs_the_broken_plugin_is_told_its_cause(install: Callable[..., None]) -> None:
    install("bad-flit", {"barn": "bad_flit"}, bad_flit="import no_such_module_anywhere")
    registry = load_plugins(["barn"])

    with pytest.raises(PluginError, match=r'"barn".*plugin "barn" \(bad-flit 1\.5\): cannot be imported'):
        registry.destination("barn")


def test_a_misspelt_source_is_answered_with_the_nearest(install: Callable[..., None]) -> None:
    install("meadow-flit", {"meadow": "meadow_flit"}, meadow_flit=GOOD)
    registry = load_plugins(["meadow"])

    with pytest.raises(PluginError, match=r'There is no source "medow". Did you mean "meadow"'):
        registry.source("medow")
    with pytest.raises(PluginError, match=r'There is no source "zzz". Installed: meadow'):
        registry.source("zzz")
    with pytest.raises(PluginError, match="None is installed"):
        registry.destination("barn")
    with pytest.raises(PluginError, match=r'source "meadow" and destination "silo".*--mapping FILE'):
        registry.template("meadow", "silo")


def test_a_source_of_two_plugins_is_an_error_that_names_both(install: Callable[..., None]) -> None:
    install("first-flit", {"first": "first_flit"}, first_flit=GOOD)
    install("second-flit", {"second": "second_flit"}, second_flit=GOOD)

    registry = load_plugins(["first", "second"])

    both = r'plugin "first" \(first-flit 1\.5\) and plugin "second" \(second-flit 1\.5\)'
    with pytest.raises(PluginError, match=both):
        registry.source("meadow")
    with pytest.raises(PluginError, match=both):
        registry.transforms()
    with pytest.raises(PluginError, match=both):
        registry.validators("meadow")
    with pytest.raises(PluginError, match=both):
        registry.template("meadow", "barn")


def test_two_distributions_with_one_plugin_name_are_both_left_out_and_named(install: Callable[..., None]) -> None:
    install("first-flit", {"twin": "first_flit"}, first_flit=GOOD)
    install("second-flit", {"twin": "second_flit"}, second_flit=GOOD)

    registry = load_plugins(["twin"])

    assert registry.plugins == ()
    assert {each.distribution: each.cause for each in registry.broken} == {
        "first-flit": "the same plugin name is also used by second-flit; uninstall all but one",
        "second-flit": "the same plugin name is also used by first-flit; uninstall all but one",
    }


def test_asking_for_a_plugin_that_is_not_installed_names_the_nearest(install: Callable[..., None]) -> None:
    install("meadow-flit", {"meadow": "meadow_flit"}, meadow_flit=GOOD)

    with pytest.raises(PluginError, match=r'There is no plugin "meadov". Did you mean "meadow"'):
        load_plugins(["meadov"])


def test_the_shipped_plugins_register_as_a_strangers_would() -> None:
    registry = load_plugins()

    assert {plugin.distribution for plugin in registry.plugins} >= {"flitstack"}
    assert [each for each in registry.broken if each.distribution == "flitstack"] == []
    assert "flitstack" in registry.plugins[0].title
