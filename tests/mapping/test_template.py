"""Templates: found, read, their variables settled, and rendered once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from flitstack.errors import MappingError, SettingsError
from flitstack.mapping import Template, find_template, load_template, shipped_templates
from flitstack.mapping.rendering import expression_literal
from flitstack.mapping.yamltext import read_yaml

HEADER = """\
template: small
source: dental
destination: crm
variables:
  required: [profile]
  properties:
    profile: {enum: [engagement, full], description: What moves.}
    time_zone: {type: string, x-default-from: account.time_zone}
    phones_max: {type: integer, default: 4, minimum: 1}
    stages: {type: array, items: {type: string}, default: [Proposed]}
    note: {type: [string, "null"], default: null}
facts:
  recall_types: {stream: recall_types, field: name}
gates: {profile: {variable: profile}}
"""


def write(folder: Path, body: str, header: str = HEADER) -> Template:
    file = folder / "small.yaml.j2"
    file.write_text(f"{header}---\n{body}", "utf-8")
    return load_template(file)


def test_a_template_is_a_header_and_a_body(tmp_path: Path) -> None:
    template = write(tmp_path, "spec: 1\n---\nx: 1\n")

    assert (template.name, template.source, template.destination) == ("small", "dental", "crm")
    assert (template.facts["recall_types"].stream, template.facts["recall_types"].field) == ("recall_types", "name")
    assert template.gates == {"profile": {"variable": "profile"}}
    assert template.body == "spec: 1\n---\nx: 1\n"
    assert template.body_line == HEADER.count("\n") + 2


def test_variables_come_from_the_command_line_the_account_and_defaults(tmp_path: Path) -> None:
    template = write(tmp_path, "")

    found = template.resolve({"profile": "full", "phones_max": "2", "stages": "[A, B]"}, {"time_zone": "Europe/Berlin"})

    assert found == {
        "profile": "full",
        "time_zone": "Europe/Berlin",
        "phones_max": 2,
        "stages": ["A", "B"],
        "note": None,
    }


@pytest.mark.parametrize(
    ("given_values", "facts", "said"),
    [
        ({"profle": "full"}, {}, 'unknown variable "profle". Did you mean "profile"?'),
        ({}, {"time_zone": "UTC"}, "--set profile=VALUE (engagement | full)  What moves."),
        ({"profile": "full"}, {}, "--set time_zone=VALUE"),
        ({"profile": "all"}, {"time_zone": "UTC"}, "variable profile: "),
        ({"profile": "full", "phones_max": "many"}, {"time_zone": "UTC"}, "variable phones_max: "),
        ({"profile": "full", "phones_max": "0"}, {"time_zone": "UTC"}, "variable phones_max: "),
    ],
)
def test_a_wrong_variable_is_said_with_what_to_do(
    tmp_path: Path, given_values: dict[str, Any], facts: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        write(tmp_path, "").resolve(given_values, facts)

    assert said in str(caught.value)


def test_a_template_is_rendered_with_variables_facts_export_and_account(tmp_path: Path) -> None:
    body = """\
values: {currency: {{ account.currency }}, stages: {{ stages }}}
types:
{% for name in facts.recall_types if 'recalls' in export.streams %}
  - {name: {{ name }}, is: {{ name|literal }}}
{% endfor %}
"""

    text = write(tmp_path, body).render(
        {"stages": ["A"]}, {"recall_types": ['Pro"phy', "it's"]}, {"streams": ["recalls"]}, {"currency": "USD"}
    )

    assert read_yaml(text, "x").data == {
        "values": {"currency": "USD", "stages": ["A"]},
        "types": [{"name": 'Pro"phy', "is": '"Pro\\"phy"'}, {"name": "it's", "is": '"it\'s"'}],
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=st.text() | st.lists(st.text()) | st.none() | st.booleans() | st.integers())
def test_no_value_can_change_the_structure_of_the_spec(tmp_path: Path, value: Any) -> None:
    text = write(tmp_path, "a: {{ v }}\nb: {{ v|literal }}\nc: 1\n").render({"v": value}, {}, {}, {})

    found = read_yaml(text, "x").data
    assert found["a"] == value
    assert found["c"] == 1
    assert (
        Environment(autoescape=True).compile_expression(
            str(found["b"]) if isinstance(value, str) else expression_literal(value)
        )()
        == value
    )


def test_a_body_that_trims_its_beginning_loses_nothing(tmp_path: Path) -> None:
    assert write(tmp_path, "{%- set x = 1 -%}\na: {{ x }}\n").render({}, {}, {}, {}) == "a: 1\n"


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("a: 1\nb: {{ currencyy }}\n", 2, "currencyy"),
        ("a: {{ ''.__class__ }}\n", 1, "unsafe"),
        ("a: 1\n{% for x in y %}\n", 2, ""),
        ("a: {{ 'x' * 1000000000 }}\n", 1, ""),
        ("a: {{ facts.x.append(1) }}\n", 1, ""),
        ("a: {{ range(1000000000)|list }}\n", 1, "too large"),
        ("a: {{ 1 // 0 }}\n", 1, "ZeroDivisionError"),
    ],
)
def test_a_wrong_body_says_its_line_in_the_file(tmp_path: Path, body: str, line: int, said: str) -> None:
    template = write(tmp_path, body)

    with pytest.raises(MappingError) as caught:
        template.render({}, {"x": []}, {}, {})

    assert str(caught.value).startswith(f"small.yaml.j2 line {template.body_line + line - 1}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "The header is missing"),
        ("- a\n", "must be a mapping"),
        (HEADER + "factss: {}\n", 'unknown key "factss". Did you mean "facts"?'),
        ("source: a\ndestination: b\n", "needs `template: NAME`"),
        (HEADER.replace("{stream: recall_types, field: name}", "recall_types"), "fact recall_types: write"),
        (HEADER.replace("type: integer", "type: whole"), "variables is no JSON Schema"),
    ],
)
def test_a_wrong_header_is_refused(tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(MappingError) as caught:
        write(tmp_path, "spec: 1\n", header)

    assert said in str(caught.value)


def test_a_template_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml.j2").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(MappingError, match="cannot be read"):
        load_template(tmp_path / "bad.yaml.j2")


def test_a_template_is_looked_for_where_the_user_is_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mapping_templates").mkdir()
    (tmp_path / "mapping_templates" / "mine.yaml.j2").touch()
    (tmp_path / "own.yaml").touch()

    assert find_template("mine") == Path("mapping_templates/mine.yaml.j2")
    assert find_template("mine.yaml.j2") == Path("mapping_templates/mine.yaml.j2")
    assert find_template("own.yaml") == Path("own.yaml")
    assert find_template(tmp_path / "own.yaml") == tmp_path / "own.yaml"
    with pytest.raises(MappingError, match='no mapping template "others"'):
        find_template("others")


def test_the_shipped_folder_exists() -> None:
    assert shipped_templates().name == "mapping_templates"
    assert shipped_templates().is_dir()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(0) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_literal_means_its_value(value: Any) -> None:
    found = Environment(autoescape=True).compile_expression(expression_literal(value))()

    assert json.dumps(found, sort_keys=True) == json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    "body",
    [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% set c = a %}{% endfor %}{% endfor %}",
        "{% for a in facts.a %}{% for b in facts.a %}{% for c in facts.a %}{% endfor %}{% endfor %}{% endfor %}",
        "{% set n = namespace(x='ab') %}{% for a in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x='ab') %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% set n = namespace(x='ab') %}{% for a in range(99) %}{% set n.x = [n.x, n.x] | join %}{% endfor %}",
        "{% set n = namespace(x=9) %}{% for a in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
        "{% for a in range(99999) %}{{ 'long text ' }}{{ facts.a }}{% endfor %}",
        "{{ 'a'.ljust(10000000000) }}",
        "{{ 'a' | center(10000000000) }}",
        "{{ 'a'.zfill(10000000000) }}",
        "{{ '{:10000000000}'.format(1) }}",
        "{{ '%10000000000d' | format(1) }}",
        "{{ lipsum(n=100000) }}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    ],
)
def test_a_body_that_would_never_end_or_fill_the_memory_is_refused(tmp_path: Path, body: str) -> None:
    template = write(tmp_path, body + "\n")

    with pytest.raises(MappingError, match=r"line \d+"):
        template.render({}, {"a": [str(number) for number in range(1_000)]}, {}, {})


def test_a_spec_in_place_of_a_template_is_told_to_be_what_one_became(tmp_path: Path) -> None:
    file = tmp_path / "mapping-spec-0.yaml"
    file.write_text("spec: 1\nentries:\n- entry: people\n", encoding="utf-8")

    with pytest.raises(MappingError, match="give the template itself"):
        load_template(file)
