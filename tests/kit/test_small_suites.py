"""The suites of transforms, validators, templates and proposers pass good ones, and catch each broken one."""

from __future__ import annotations

import random
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.trying import ids_that_fail

from flitstack.errors import UsageError
from flitstack.hookspecs import hookimpl
from flitstack.protocols import Candidate, Finding, MappingTemplate, Proposer, Question, Transform, Validator
from flitstack.testing import ProposerSuite, TemplateSuite, TransformSuite, ValidatorSuite
from flitstack.testing.memory import MemoryAccount, memory_behaviours, memory_destination
from flitstack.testing.memory_source import TEMPLATE, MemoryExport, memory_source
from flitstack.testing.migration import MemoryPlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flitstack.protocols import StagedView


def good(text: str | None) -> str | None:
    """Return it in capitals."""
    return text.upper() if text else None


def untyped(text, more):  # type: ignore[no-untyped-def]
    """Return it."""
    return text


def asks_the_clock(text: str) -> str:
    """Return it with the year."""
    return f"{text} {_year()}"


def _year() -> int:
    return datetime.now().year


def throws_dice(text: str) -> float:
    """Return a number."""
    return random.random()  # noqa: S311 - it is broken on purpose


def changes_its_list(parts: list[str]) -> list[str]:
    """Return the list, longer."""
    parts.append("x")
    return parts


def fails_when_empty(text: str) -> str:
    """Return the first letter."""
    return text[0]


def fails_without_a_value(text: str | None) -> str:
    """Return it stripped."""
    return text.strip()  # type: ignore[union-attr]


def shows_the_value(text: str) -> str:
    """Return it, if it is short."""
    if len(text) > 5:
        raise UsageError(f"{text} is too long.")
    return text


def yields(text: str) -> Iterator[str]:
    """Yield letters."""
    yield from text


def returns_itself(text: str) -> object:
    """Return no value."""
    return good


def is_no_test(text: str) -> str:
    """Return a text."""
    return text


def undocumented(text: str) -> str:
    return text


BROKEN_TRANSFORMS: list[tuple[Callable[..., Any], str]] = [
    (untyped, "T1"), (undocumented, "T1"), (yields, "T1"), (asks_the_clock, "T2"), (throws_dice, "T2"),
    (changes_its_list, "T2"), (fails_when_empty, "T3"), (fails_without_a_value, "T3"), (shows_the_value, "T3"),
    (returns_itself, "T4"), (is_no_test, "T4"),
]  # fmt: skip


def transform_suite(call: Callable[..., Any], **more: Any) -> type[TransformSuite]:
    class Plugin:
        @hookimpl
        def flit_register_transforms(self, register: Callable[[Transform], None]) -> None:
            register(Transform("one", call, "test" if call is is_no_test else "function"))

    return type("TestOne", (TransformSuite,), {"plugin": Plugin(), **more})


def test_a_good_transform_passes(tmp_path: Path) -> None:
    examples = {"one": [(("ada",), "ADA"), ((None,), None)]}

    assert ids_that_fail(transform_suite(good, examples=examples), tmp_path) == {}


def test_an_example_with_another_result_is_caught(tmp_path: Path) -> None:
    assert set(ids_that_fail(transform_suite(good, examples={"one": [(("ada",), "Ada")]}), tmp_path)) == {"T5"}


@pytest.mark.parametrize(("call", "killer"), BROKEN_TRANSFORMS, ids=lambda one: getattr(one, "__name__", one))
def test_a_broken_transform_is_caught(tmp_path: Path, call: Callable[..., Any], killer: str) -> None:
    assert killer in ids_that_fail(transform_suite(call), tmp_path, killer)


def finds_nothing(view: StagedView) -> Iterator[Finding]:
    for stream in view.streams():
        for record in view.records(stream):
            if not record.id:
                yield Finding("no_id", "A record has no id.", stream=stream)


def shows_a_name(view: StagedView) -> Iterator[Finding]:
    for record in view.records("people"):
        yield Finding("named", f"It is {record.data['name']}.", stream="people", keys=(record.id,))


def counts_by_chance(view: StagedView) -> Iterator[Finding]:
    yield Finding("some", "Some.", count=random.randint(0, 10**9))  # noqa: S311 - it is broken on purpose


def needs_rows(view: StagedView) -> Iterator[Finding]:
    first = next(view.records("people"))
    yield Finding("first", "There is a first.", stream="people", keys=(first.id,))


def needs_values(view: StagedView) -> Iterator[Finding]:
    long = sum(len(str(record.data["name"]).split()[1]) > 1 for record in view.records("people"))
    yield Finding("long", "Long last names.", stream="people", count=long)


def names_a_stranger(view: StagedView) -> Iterator[Finding]:
    yield Finding("stranger", "Somebody.", stream="people", keys=("nobody",))


def counts_too_many(view: StagedView) -> Iterator[Finding]:
    yield Finding("many", "Many.", count=99, of=3)


BROKEN_VALIDATORS: list[tuple[Callable[[StagedView], Iterator[Finding]], str]] = [
    (shows_a_name, "V3"), (counts_by_chance, "V2"), (needs_rows, "V4"), (needs_values, "V5"),
    (names_a_stranger, "V1"), (counts_too_many, "V1"),
]  # fmt: skip


def validator_suite(check: Callable[[StagedView], Iterator[Finding]], folder: Path) -> type[ValidatorSuite]:
    from tests.kit.test_sources import suite_of

    source = suite_of(folder).plugin

    class Plugin(type(source)):  # type: ignore[misc]
        @hookimpl
        def flit_register_validators(self, register: Callable[[Validator], None]) -> None:
            register(Validator("one", "example", check))

    return type("TestOne", (ValidatorSuite,), {"plugin": Plugin()})


def test_a_good_validator_passes(tmp_path: Path) -> None:
    assert ids_that_fail(validator_suite(finds_nothing, tmp_path), tmp_path / "runs") == {}


@pytest.mark.parametrize(("check", "killer"), BROKEN_VALIDATORS, ids=lambda one: getattr(one, "__name__", one))
def test_a_broken_validator_is_caught(
    tmp_path: Path, check: Callable[[StagedView], Iterator[Finding]], killer: str
) -> None:
    assert killer in ids_that_fail(validator_suite(check, tmp_path), tmp_path / "runs", killer)


DESCRIBED = "description: A constant of the map."
FULL = "enum: [small, full]"
NAME = "values: {closing: {{ closing | tojson }} }"
GOOD = TEMPLATE.replace("values: {closing: {{ closing }} }", NAME)
BROKEN_TEMPLATES = {
    "a variable without a description": (", " + DESCRIBED, "", "M1"),
    "another pair": ("source: memory\ndest", "source: other\ndest", "M1"),
    "an unknown field": ("company.main_id", "company.main_di", "M2"),
    "a choice that breaks it": (NAME, NAME + "\n{% if profile == 'full' %}oops: 1{% endif %}", "M3"),
    "a stream that it leans on": (NAME, NAME + "\n{% if 'labels' not in export.streams %}oops: 1{% endif %}", "M4"),
    "quotes of its own": (NAME, "values: {closing: '{{ closing }}' }", "M5"),
}


def template_suite(text: str, folder: Path) -> type[TemplateSuite]:
    path = folder / "template.yaml.j2"
    path.write_text(text, encoding="utf-8")
    export = MemoryExport()
    for stream in ("companies", "contacts", "labels", "visits"):
        export.add(stream, "1")
    behaviours = memory_behaviours()
    source = memory_source(export, required=("contacts",))
    demo = type(source)(**{**{n: getattr(source, n) for n in source.__slots__}, "demo": lambda folder: folder})
    account: Any = None

    class Plugin(MemoryPlugin):
        @hookimpl
        def flit_register_mapping_templates(self, register: Callable[[MappingTemplate], None]) -> None:
            register(MappingTemplate("memory", "memory", str(path)))

    plugin = Plugin(demo, memory_destination(MemoryAccount(account), behaviours))
    return type("TestOne", (TemplateSuite,), {"plugin": plugin})


def test_a_good_template_passes(tmp_path: Path) -> None:
    assert ids_that_fail(template_suite(GOOD, tmp_path), tmp_path / "runs") == {}


@pytest.mark.parametrize("name", BROKEN_TEMPLATES)
def test_a_broken_template_is_caught(tmp_path: Path, name: str) -> None:
    old, new, killer = BROKEN_TEMPLATES[name]
    assert old in GOOD

    assert killer in ids_that_fail(template_suite(GOOD.replace(old, new), tmp_path), tmp_path / "runs", killer)


def proposed(
    question: Question, *targets: str, sure: tuple[float, ...] = (0.8, 0.4), reason: str = "a glossary"
) -> Any:
    """Return candidates for the first column that has cells."""
    column = next((one for one in question.file.columns if any(one.values)), None)
    if column is None:
        return {}
    return {column.name: [Candidate(each, one, (reason,)) for each, one in zip(targets, sure, strict=False)]}


def known(question: Question) -> list[str]:
    return [target.key for target in question.targets]


#: How a proposer is wrong to the id of the test that must fail, and what it must say.
BROKEN_PROPOSERS: dict[str, tuple[Callable[[Question], Any], str, str]] = {
    "proposes what is not there": (lambda q: proposed(q, "people.shoe_size"), "Q1", '"people.shoe_size", none of the'),
    "proposes for another column": (
        lambda q: {"Elsewhere": [Candidate(one, 1.0) for one in known(q)[:1]]}, "Q1", "was not asked about",
    ),
    "is more than sure": (lambda q: proposed(q, *known(q)[:1], sure=(80,)), "Q1", "a confidence of 80"),
    "says the worst first": (lambda q: proposed(q, *known(q)[:2], sure=(0.1, 0.9)), "Q1", "the best comes first"),
    "proposes a field twice": (lambda q: proposed(q, *known(q)[:1] * 2), "Q1", "proposes a target twice"),
    "gives bare names": (lambda q: {c.name: known(q)[:1] for c in q.file.columns}, "Q1", "a str, not a Candidate"),
    "answers with a list": (lambda q: [], "Q1", "a list, not a mapping"),
    "shows a cell": (
        lambda q: proposed(q, *known(q)[:1], reason=f"such as {[*q.file.columns[0].values, ''][0]}")
        if q.file.columns else {}, "Q2", "a reason shows a cell",
    ),
    "needs a column": (lambda q: {q.file.columns[0].name: []}, "Q3", " with 0 columns and "),
    "needs a target": (lambda q: proposed(q, known(q)[0]), "Q3", " and 0 targets; "),
}  # fmt: skip


def proposer_suite(propose: Callable[[Question], Any], source: str = "", **more: Any) -> type[ProposerSuite]:
    class Plugin:
        @hookimpl
        def flit_register_proposers(self, register: Callable[[Proposer], None]) -> None:
            register(Proposer("glossary", propose, source))

    return type("TestGlossary", (ProposerSuite,), {"plugin": Plugin(), **more})


def by_glossary(question: Question) -> Any:
    """Return what a header means, where a field of that name is among the targets."""
    fields = {target.field: target.key for target in question.targets if not target.part}
    found = {column.name: fields.get({"shirt": "preferred_name"}.get(column.name.lower(), "")) for column in
             question.file.columns}  # fmt: skip
    return {name: [Candidate(key, 0.7, ("a glossary",))] for name, key in found.items() if key}


def test_a_good_proposer_passes(tmp_path: Path) -> None:
    for source, target in (("", "people.preferred_name"), ("dental", "patients.preferred_name")):
        suite = proposer_suite(by_glossary, source, examples={"glossary": {"Shirt": target}})
        assert ids_that_fail(suite, tmp_path) == {}


def test_an_example_that_is_not_proposed_is_caught(tmp_path: Path) -> None:
    suite = proposer_suite(by_glossary, examples={"glossary": {"Shoe": "people.preferred_name"}})
    said = ids_that_fail(suite, tmp_path)

    assert set(said) == {"Q4"}
    assert "proposes nothing first, and `examples` says people.preferred_name" in said["Q4"]


def test_a_proposer_for_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert (
        'the source "acme", and none of that name' in ids_that_fail(proposer_suite(by_glossary, "acme"), tmp_path)["Q1"]
    )


@pytest.mark.parametrize("name", BROKEN_PROPOSERS)
def test_a_broken_proposer_is_caught(tmp_path: Path, name: str) -> None:
    propose, killer, expected = BROKEN_PROPOSERS[name]

    assert expected in ids_that_fail(proposer_suite(propose), tmp_path, killer).get(killer, "it passed")
