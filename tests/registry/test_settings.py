"""Settings come from where the operator thinks they do, and what does not fit is said in one line each."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.errors import SettingsError, UsageError
from flitstack.settings import ProjectFile, parse_sets, read_project_file, resolve_settings

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["token"],
    "properties": {
        "token": {"type": "string", "minLength": 8, "description": "Key to the barn."},
        "plan": {"type": "string", "enum": ["small", "large"], "default": "small"},
        "stalls": {"type": "integer", "minimum": 1},
        "height_m": {"type": "number"},
        "open": {"type": "boolean", "description": "Whether the door is open."},
        "animals": {"type": "array", "items": {"type": "string", "maxLength": 5}},
        "door": {"type": "object"},
        "owner": {"type": "string", "format": "email"},
        "level": {"enum": [1, 2]},
        "roof": {"type": ["null", "string"]},
    },
}
ENVIRONMENT = {"token": "BARN_TOKEN", "plan": "BARN_PLAN", "stalls": "BARN_STALLS"}
TOKEN = {"BARN_TOKEN": "invented-secret"}


def resolve(
    given: dict[str, str] | None = None, file: dict[str, Any] | None = None, environ: dict[str, str] | None = None
) -> dict[str, Any]:
    return resolve_settings(
        SCHEMA,
        what='destination "barn"',
        prefix="dest",
        given=given,
        file=file,
        environment=ENVIRONMENT,
        secrets=frozenset({"token"}),
        environ=TOKEN if environ is None else environ,
    )


def refusal(**places: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        resolve(**places)
    return str(refused.value)


def test_the_command_line_beats_the_environment_beats_the_file_beats_the_default() -> None:
    file = {"stalls": 1}

    assert resolve()["plan"] == "small"
    assert resolve(file=file)["stalls"] == 1
    assert resolve(file=file, environ={**TOKEN, "BARN_STALLS": "2"})["stalls"] == 2
    assert resolve(file=file, environ={**TOKEN, "BARN_STALLS": "2"}, given={"stalls": "3"})["stalls"] == 3


def test_a_variable_that_is_set_to_nothing_counts_as_not_set() -> None:
    assert resolve(environ={**TOKEN, "BARN_PLAN": ""})["plan"] == "small"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("stalls", "12", 12),
        ("height_m", "2.5", 2.5),
        ("open", "Yes", True),
        ("open", "false", False),
        ("animals", "cow, hen", ["cow", "hen"]),
        ("animals", '["cow"]', ["cow"]),
        ("door", '{"wide": true}', {"wide": True}),
        ("level", "2", 2),
        ("roof", "null", None),
        ("roof", "12", "12"),
    ],
)
def test_text_becomes_what_the_schema_says(name: str, text: str, value: object) -> None:
    assert resolve(given={name: text})[name] == value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"plan": "larg"},
            'dest.plan is "larg", from --set dest.plan: expected one of small, large. Did you mean "lar',
        ),
        ({"stalls": "many"}, 'dest.stalls is "many", from --set dest.stalls: expected a whole number'),
        ({"stalls": "0"}, "expected at least 1"),
        ({"open": "ajar"}, "expected true or false (Whether the door is open)"),
        (
            {"animals": "cow,giraffe"},
            'dest.animals.1 is "giraffe", from --set dest.animals: expected at most 5',
        ),
        ({"owner": "nobody"}, "expected a valid email"),
        ({"stals": "1"}, 'dest.stals is not a setting. Did you mean "dest.stalls"? It is from --set dest.stals.'),
    ],
)
def test_what_does_not_fit_is_named_with_its_origin_and_what_was_expected(given: dict[str, str], message: str) -> None:
    found = refusal(given=given)

    assert found.startswith('Settings of destination "barn": ')
    assert message in found


def test_every_setting_that_does_not_fit_has_its_own_line() -> None:
    found = refusal(given={"plan": "huge"}, file={"stalls": "three"}, environ={})

    assert len(found.splitlines()) == 3
    assert "from [dest] in flit.toml" in found


def test_a_missing_secret_says_which_variable_to_set_and_not_to_use_the_command_line() -> None:
    found = refusal(environ={})

    assert "dest.token is missing. Set BARN_TOKEN. It is: Key to the barn." in found
    assert "--set" not in found


@pytest.mark.parametrize("place", ["given", "file"])
def test_a_secret_outside_the_environment_is_refused_without_showing_it(place: str) -> None:
    found = refusal(**{place: {"token": "pssst-secret"}})

    assert "dest.token: a secret is taken from the environment only. Set BARN_TOKEN" in found
    assert "pssst" not in found


def test_a_secret_that_does_not_fit_is_never_shown() -> None:
    found = refusal(environ={"BARN_TOKEN": "pssst"})

    assert "dest.token, from BARN_TOKEN: expected at least 8 characters" in found
    assert "pssst" not in found


def test_sets_are_sorted_by_what_they_set() -> None:
    sets = parse_sets(["source.layout=neutral", "dest.plan=large", "profile=full", "note=a=b"])

    assert sets.source == {"layout": "neutral"}
    assert sets.dest == {"plan": "large"}
    assert sets.variables == {"profile": "full", "note": "a=b"}


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["profile"], "--set number 1 has no ="),
        (["a=1", "hunter2"], "--set number 2 has no ="),
        (["sorce.layout=x"], "--set sorce.layout: not a key. Write source.KEY=VALUE"),
        ([".layout=x"], "not a key"),
        (["source.=x"], "not a key"),
        (["=x"], "not a key"),
        (["plan=1", "plan=2"], "--set plan is given twice"),
    ],
)
def test_a_set_that_cannot_be_read_is_a_usage_error(items: list[str], message: str) -> None:
    with pytest.raises(UsageError, match="--set") as refused:
        parse_sets(items)

    assert message in str(refused.value)
    assert refused.value.exit_code == 2


@given(st.lists(st.text(max_size=12), max_size=4))
def test_whatever_is_typed_after_set_is_taken_or_refused_but_never_a_traceback(items: list[str]) -> None:
    with contextlib.suppress(UsageError):
        sets = parse_sets(items)
        assert len(sets.source) + len(sets.dest) + len(sets.variables) == len(items)


@given(st.sampled_from(sorted(SCHEMA["properties"])), st.text(max_size=8))
def test_whatever_text_a_setting_gets_it_fits_or_is_refused(name: str, text: str) -> None:
    with contextlib.suppress(SettingsError):
        found = resolve(given={name: text})
        assert name in found


def test_the_project_file_is_read_by_section(tmp_path: Path) -> None:
    (tmp_path / "flit.toml").write_text('[source]\nlayout = "plain"\n[dest]\nstalls = 5\n[variables]\na = "b"\n')

    found = read_project_file(tmp_path)

    assert found == ProjectFile({"layout": "plain"}, {"stalls": 5}, {"a": "b"})
    assert read_project_file(tmp_path / "elsewhere") == ProjectFile()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[dest\n", "not valid TOML (at line 1"),
        (b"[dset]\n", 'dset is not one of its sections. Did you mean "dest"'),
        (b"plan = 3\n", "plan is not one of its sections. Known: source, dest, variables."),
        (b"\xff\xfe", "cannot be read (UnicodeDecodeError)"),
    ],
)
def test_a_project_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "flit.toml").write_bytes(content)

    with pytest.raises(SettingsError) as refused:
        read_project_file(tmp_path)

    assert message in str(refused.value)
    assert "flit.toml" in str(refused.value)


def test_what_is_nested_without_end_is_refused_in_words(tmp_path: Path) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert "dest.animals" in refusal(given={"animals": deep})
    assert "dest.door" in refusal(given={"door": '{"a":' * 100_000 + "1" + "}" * 100_000})
    assert "dest.stalls" in refusal(given={"stalls": "9" * 5_000})
    (tmp_path / "flit.toml").write_text(f"[dest]\nanimals = {deep}\n", encoding="utf-8")

    with pytest.raises(SettingsError, match=r"flit\.toml"):
        read_project_file(tmp_path)
