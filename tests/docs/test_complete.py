"""Nothing is offered without documentation and a test: hooks, commands, settings, codes; each search is proved."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import pytest
from tests.docs.codes import finding_codes, rejection_codes, template_codes
from tests.docs.offered import (
    ROOT,
    Texts,
    code_gaps,
    command_gaps,
    hook_gaps,
    setting_gaps,
    variable_gaps,
    variables_in,
)
from tests.pipedrive_sandbox.official import tool

from flitstack import errors, hookspecs
from flitstack.cli import cli
from flitstack.hookspecs import hookimpl
from flitstack.protocols import SourcePlugin
from flitstack.registry import load_plugins
from flitstack.stages.setup import CORE_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PACKAGES = [ROOT / "core" / "flitstack", *sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir())]
KIT = "FLITSTACK_" + "KIT_"
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("flit_")}


@pytest.fixture(scope="module")
def texts() -> Texts:
    """The pages and the tests of this repository."""
    return Texts.read()


def options_of(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, list[str]]]:
    """Yield every command below one with its options."""
    if path:
        options = [name for each in command.params if isinstance(each, click.Option) for name in each.opts]
        yield " ".join(("flit", *path)), [name for name in options if name.startswith("--")]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None, name
            yield from options_of(below, (*path, name))


def all_codes() -> set[str]:
    """Return the codes of all shipped code and templates."""
    found = rejection_codes(PACKAGES) | finding_codes(PACKAGES)
    for template in sorted((ROOT / "mapping_templates").glob("*.j2")):
        found |= template_codes(template.read_text("utf-8"))
    return found


# --- hooks ----------------------------------------------------------------------------------------------------------


def test_every_hook_has_signature_version_example_and_test(texts: Texts) -> None:
    assert len(HOOKS) >= 10
    assert hook_gaps(HOOKS, texts) == []


def test_a_hook_that_is_added_without_more_is_found(texts: Texts) -> None:
    def flit_record_moved(record_id: str) -> None:
        """Observe nothing that there is."""

    assert hook_gaps({**HOOKS, "flit_record_moved": flit_record_moved}, texts) == [
        "flit_record_moved: its signature and version are not on docs/hooks.md",
        "flit_record_moved: no example on docs/hooks.md implements it",
        "flit_record_moved: no test names it",
    ]


def test_a_hook_whose_signature_changed_is_found(texts: Texts) -> None:
    def flit_run_started(run_id: str, source: str) -> None:
        """Observe with fewer arguments."""

    found = hook_gaps({"flit_run_started": flit_run_started}, texts)

    assert found == ["flit_run_started: its signature and version are not on docs/hooks.md"]


# --- commands -------------------------------------------------------------------------------------------------------


def test_every_command_and_option_is_on_a_page_written_by_hand_and_run_by_a_test(texts: Texts) -> None:
    commands = dict(options_of(cli))

    assert {"flit run", "flit rejects retry", "flit sandbox serve"} <= commands.keys()
    assert "--watch" in commands["flit run"]
    assert command_gaps(commands, texts) == []


def test_a_command_and_an_option_that_are_added_without_more_are_found(texts: Texts) -> None:
    @click.group()
    def planted() -> None:
        """Hold what nobody knows."""

    @planted.command("yesterday")
    @click.option("--wormhole", is_flag=True)
    def yesterday(wormhole: bool) -> None:
        """Move what was."""

    found = command_gaps(dict(options_of(planted, ("planted",))), texts)

    assert "flit planted yesterday: no page written by hand names it" in found
    assert "flit planted yesterday --wormhole: no page written by hand names it" in found
    assert "flit planted yesterday: no test runs it" in found


# --- settings -------------------------------------------------------------------------------------------------------


def test_every_setting_is_described_in_a_table_and_used_by_a_test(texts: Texts) -> None:
    assert setting_gaps(load_plugins(), CORE_VARIABLES, texts) == []


def test_a_setting_of_a_plugin_that_is_added_without_more_is_found(texts: Texts) -> None:
    class Planted:
        @hookimpl
        def flit_register_sources(self, register: Callable[[SourcePlugin], None]) -> None:
            """Register a source with a setting that nobody knows."""
            schema: Mapping[str, Any] = {"type": "object", "properties": {"moon_phase": {"type": "string"}}}
            register(SourcePlugin("planted", schema, lambda path, settings: None))  # type: ignore[arg-type, return-value]

    registry = load_plugins([], {"planted": Planted()})

    assert setting_gaps(registry, (), texts) == [
        "planted: source.moon_phase: its schema has no description",
        "planted: source.moon_phase: no table of a page has it",
        "planted: source.moon_phase: no test uses it",
    ]


def test_a_variable_of_every_run_that_is_added_without_more_is_found(texts: Texts) -> None:
    found = setting_gaps(load_plugins([]), {**CORE_VARIABLES, "tide": "when to move"}, texts)

    assert found == ["tide: no table of a page has it", "tide: no test uses it"]


def test_every_variable_of_the_environment_is_documented_and_set_by_a_test(texts: Texts) -> None:
    shipped = variables_in(path.read_text("utf-8") for package in PACKAGES for path in package.rglob("*.py"))

    assert {"FLITSTACK_NOW", "FLITSTACK_DEBUG", "FLITSTACK_PROCESSES"} <= shipped
    # Those of the test-kit are set by `flit plugins test` itself, for the tests it starts.
    found = variable_gaps(shipped, texts)
    assert [gap for gap in found if not gap.startswith(KIT) or "no test sets it" not in gap] == []


def test_a_variable_of_the_environment_that_is_added_without_more_is_found(texts: Texts) -> None:
    planted = variables_in(['os.environ.get("FLITSTACK_' + 'PLANTED")'])

    assert variable_gaps(planted, texts) == [
        "FLITSTACK_" + "PLANTED: docs/settings.md does not say what it does",
        "FLITSTACK_" + "PLANTED: no test sets it",
    ]


def test_every_variable_that_only_tests_read_is_named_for_contributors() -> None:
    shipped = variables_in(path.read_text("utf-8") for package in PACKAGES for path in package.rglob("*.py"))
    files = [ROOT / "noxfile.py", *(ROOT / "tests").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]
    read = variables_in(path.read_text("utf-8") for path in files)
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

    assert {"FLITSTACK_SPECS", "FLITSTACK_KILLS"} <= read
    assert [name for name in sorted(read - shipped) if f"`{name}`" not in page] == []


# --- codes ----------------------------------------------------------------------------------------------------------


def test_every_code_of_a_rejection_skip_or_finding_has_a_row_and_a_test(texts: Texts) -> None:
    codes = all_codes()

    assert {"bad_date", "wrong_type", "destination_taken", "ledger_line", "day_kept"} <= codes
    assert code_gaps(codes, texts) == []


@pytest.mark.parametrize(
    "planted",
    [
        'raise Rejected("planted_code", "It cannot move.", "Plant no more.")',
        'yield Rejection(stream, None, "planted_code", "It cannot move.", "Plant no more.")',
        'yield Skip(stream, None, "planted_code", where)',
        'CODE = "planted_code"\nraise Rejected(CODE, "It cannot move.", "Plant no more.")',
        'yield Finding("planted_code", "Somebody planted it.")',
    ],
)
def test_a_code_that_is_added_without_more_is_found(planted: str, tmp_path: Path, texts: Texts) -> None:
    (tmp_path / "module.py").write_text(planted, encoding="utf-8")

    codes = rejection_codes([tmp_path]) | finding_codes([tmp_path])

    assert code_gaps(codes, texts) == ["planted_code: no page has a row for it", "planted_code: no test meets it"]


def test_a_rule_that_is_added_to_a_template_without_more_is_found(texts: Texts) -> None:
    template = "entries:\n  - entry: a\n    skip:\n      planted_rule: a.gone\n"

    assert code_gaps(template_codes(template), texts) == [
        "planted_rule: no page has a row for it",
        "planted_rule: no test meets it",
    ]


def test_every_error_is_documented_with_its_exit_code_and_met_by_a_test(texts: Texts) -> None:
    kinds = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.FlitError) and kind is not errors.FlitError
    }
    page = texts.pages["errors.md"]

    assert len(kinds) >= 19
    assert [name for name, kind in kinds.items() if f"`{name}` | {kind.exit_code} |" not in page] == []
    assert [name for name in kinds if not texts.tested(rf"\b{name}\b")] == []
    codes = {kind.exit_code for kind in kinds.values()}
    assert [code for code in sorted(codes) if f"| {code} |" not in texts.pages["index.md"]] == []


# --- the derived pages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hooks", "behaviours", "contracts", "commands", "errors"])
def test_the_derived_pages_are_what_the_tool_makes(name: str, texts: Texts) -> None:
    made = tool("derive_reference").PAGES[name]()

    assert made == texts.pages[f"{name}.md"], "run: python tools/derive_reference.py"


def test_a_hook_without_its_version_stops_the_tool() -> None:
    with pytest.raises(ValueError, match=r'flit_x: its docstring does not say "Added in X\.Y\.Z\."'):
        tool("derive_reference").added_in("flit_x", "Register something.")


def test_a_behaviour_that_no_docstring_describes_stops_the_tool() -> None:
    from dataclasses import make_dataclass

    planted = make_dataclass("Planted", [("weather", str)], namespace={"__doc__": "What a destination does."})

    with pytest.raises(ValueError, match="Planted: its docstring and its parts do not agree on weather"):
        tool("derive_reference")._parts(planted)


def test_no_hook_was_added_by_a_version_to_come() -> None:
    from flitstack import __version__

    now = tuple(map(int, re.findall(r"\d+", __version__)[:3]))
    added = tool("derive_reference").added_in

    assert [n for n, hook in HOOKS.items() if tuple(map(int, added(n, hook.__doc__ or "").split("."))) > now] == []


def test_a_page_that_repeats_the_code_documents_nothing(texts: Texts) -> None:
    only_derived = replace(texts, pages={"commands.md": texts.pages["commands.md"]})

    assert "flit status: no page written by hand names it" in command_gaps({"flit status": []}, only_derived)
