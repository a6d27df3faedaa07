"""The suite of proposers: what they propose for columns is there to be proposed, and is told without a cell's value."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import pytest

from flitstack.errors import FlitError
from flitstack.protocols import Candidate, Proposer, Question, SampledColumn, SampledFile, SourcePlugin, Target
from flitstack.testing.kit.common import PluginSuite
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.offers import offered, registry_with, with_defaults
from flitstack.testing.kit.suite import does_not_apply

CANARY = "q7canaryq7"
ROWS = 200
WHERE = "See Proposer in flitstack.protocols, and docs/plugins.md"
ODD = ("", " ", "Name", "name", "NAME ", "n" * 3000, "Zoë 😀\u202e", "a;b\nc", "=1+1", "{{ x }}")
_TEXT = {"type": ["string", "null"]}
_FIELDS = ("first_name", "last_name", "preferred_name", "birth_date", "email", "phone", "city", "notes")
INVENTED = Question(
    "example",
    SampledFile(
        "people.csv",
        tuple(SampledColumn(name, ("one", "two"), 2) for name in ("First name", "Surname", "DOB", "E-mail", "Shirt")),
        stream="people",
    ),
    "people",
    tuple(Target("people", name, _TEXT) for name in _FIELDS),
)


class ProposerSuite(PluginSuite):
    """Subclass it in two lines: `class TestMine(ProposerSuite): plugin = "mine"`.

    It is asked about the demo of each source that takes part in `flit map` and for which it proposes, and about an
    invented file.

    :cvar settings: of the source, as `--set source.KEY=VALUE` would give them.
    :cvar examples: per name of a proposer, the header of a column to the target that it must propose first, such as
        `{"glossary": {"Shirt": "people.preferred_name"}}`.
    """

    kind = "proposer"
    settings: ClassVar[Mapping[str, Any]] = {}
    examples: ClassVar[Mapping[str, Mapping[str, str]]] = {}

    @check("Q1", "bronze")
    def test_q1_proposes_what_there_is(self) -> None:
        """It answers with candidates, the best first, for columns that were asked about and for fields there are."""
        for proposer in offered(self.plugin, Proposer):
            for question in self._questions(proposer):
                _check_answer(proposer, question, _asked(proposer, question))

    @check("Q2", "bronze")
    def test_q2_tells_no_value(self) -> None:
        """Where each cell of the export is a mark of its own, no reason shows one."""
        for proposer in offered(self.plugin, Proposer):
            for question in map(_marked, self._questions(proposer)):
                said = [reason for one in _candidates(_asked(proposer, question)) for reason in one.reasons]
                shown = [reason for reason in said if CANARY in reason]
                assert not shown, (
                    f"{proposer.name}: a reason shows a cell of {question.file.name}; reasons are words about the "
                    f"column and stand in drafts and reports. {WHERE}"
                )

    @check("Q3", "bronze")
    def test_q3_takes_whatever_a_file_is_like(self) -> None:
        """A file without columns, columns without cells, odd headers and no targets are answered without an error."""
        for proposer in offered(self.plugin, Proposer):
            for question in self._questions(proposer):
                odd = tuple(SampledColumn(name, ("", CANARY, "x" * 5000), 3) for name in ODD)
                empty = tuple(replace(column, values=()) for column in question.file.columns)
                for columns in ((), empty, odd):
                    asked = replace(question, file=replace(question.file, columns=columns))
                    _check_answer(proposer, asked, _asked(proposer, asked))
                nothing = replace(question, targets=())
                _check_answer(proposer, nothing, _asked(proposer, nothing))

    @check("Q4", "silver")
    def test_q4_proposes_what_its_examples_say(self) -> None:
        """Each header that its author gives in `examples` is proposed as the target that is stated."""
        known = {each.name: each for each in offered(self.plugin, Proposer)}
        if not self.examples:
            does_not_apply(f"there are no `examples` of {', '.join(known)}")
        for name, expected in self.examples.items():
            assert name in known, f"`examples` names {name}; the plugin registers {', '.join(known)}"
            for header, target in expected.items():
                _check_example(known[name], header, target, self._questions(known[name]))

    def _questions(self, proposer: Proposer) -> list[Question]:
        suite: Any = type(self)
        found = list(_questions_of(suite, proposer.source))
        return found if proposer.source else [*found, INVENTED]


@cache
def _questions_of(suite: Any, name: str) -> tuple[Question, ...]:
    """Return a question about each file of the demos of the sources that take part; made and read once."""
    registry = registry_with(suite.plugin)
    sources = [registry.source(one) for one in registry.sources() if name in ("", one)]
    if name and not sources:
        pytest.fail(f'it proposes for the source "{name}", and none of that name is installed or its own.')
    found = tuple(question for source in sources for question in _of_source(source, suite.settings))
    if name and not found:
        pytest.fail(f'it proposes for the source "{name}", which has no demo or takes no part in `flit map`.')
    return found


def _of_source(source: SourcePlugin, settings: Mapping[str, Any]) -> list[Question]:
    if source.proposing is None or source.demo is None:
        return []
    parts = source.proposing()
    with tempfile.TemporaryDirectory(prefix="flit-kit-") as folder:
        export = parts.sample(source.demo(folder), with_defaults(source.settings_schema, settings), ROWS)
    targets = parts.targets()
    placed = [(file, file.stream or (targets[0].stream if targets else "")) for file in export.files if file.columns]
    return [
        Question(source.name, file, stream, tuple(target for target in targets if stream in target.homes))
        for file, stream in placed
    ]


def _asked(proposer: Proposer, question: Question) -> Any:
    """Return what a proposer answers; fail the test when it raises."""
    try:
        return proposer.propose(question)
    except FlitError as exc:
        pytest.fail(f"{proposer.name}: {_raised(exc, question)}; it leaves out what it does not know.")
    except Exception as exc:  # noqa: BLE001 - a proposer may raise anything
        pytest.fail(f"{proposer.name}: {_raised(exc, question)}; `flit map propose` would stop.")


def _raised(exc: Exception, question: Question) -> str:
    asked = f"{question.file.name} with {len(question.file.columns)} columns and {len(question.targets)} targets"
    return f"raised {type(exc).__name__} when it was asked about {asked}"


def _candidates(said: Any) -> list[Candidate]:
    return [one for candidates in said.values() for one in candidates]


def _check_answer(proposer: Proposer, question: Question, said: Any) -> None:
    assert isinstance(said, Mapping), (
        f"{proposer.name}: answers with a {type(said).__name__}, not a mapping of column names to candidates. {WHERE}"
    )
    columns = {column.name for column in question.file.columns}
    known = {target.key for target in question.targets}
    for number, (column, candidates) in enumerate(said.items(), 1):
        place = f"{proposer.name}, {question.file.name}, answer {number}"
        assert column in columns, f"{place}: for a column that was not asked about. {WHERE}"
        assert isinstance(candidates, Sequence), f"{place}: a {type(candidates).__name__}, not a list. {WHERE}"
        for one in candidates:
            assert isinstance(one, Candidate), f"{place}: holds a {type(one).__name__}, not a Candidate. {WHERE}"
            assert one.target in known, (
                f'{place}: proposes "{one.target}", none of the {len(known)} targets it was given '
                f"(`Target.key`); flit would drop it without a word"
            )
            assert 0 <= one.confidence <= 1, f"{place}: a confidence of {one.confidence}, and it is from 0 to 1"
            assert all(isinstance(reason, str) and reason for reason in one.reasons), f"{place}: a reason is no text"
        sure = [one.confidence for one in candidates]
        assert sure == sorted(sure, reverse=True), f"{place}: confidences are {sure}, and the best comes first"
        targets = [one.target for one in candidates]
        assert len(targets) == len(set(targets)), f"{place}: proposes a target twice"


def _check_example(proposer: Proposer, header: str, target: str, questions: Sequence[Question]) -> None:
    fitting = [each for each in questions if target in {one.key for one in each.targets}]
    assert fitting, f"{proposer.name}, {header}: {target} is no target of any file that it can be asked about"
    column = SampledColumn(header, ("one", "two"), 2)
    said = _asked(proposer, replace(fitting[0], file=replace(fitting[0].file, columns=(column,)))).get(header, ())
    first = said[0].target if said else "nothing"
    assert first == target, f"{proposer.name}, {header}: proposes {first} first, and `examples` says {target}"


def _marked(question: Question) -> Question:
    """Return the question with a mark in every cell."""
    columns = tuple(
        replace(column, values=tuple(f"{CANARY}{number}" for number, _ in enumerate(column.values)))
        for column in question.file.columns
    )
    return replace(question, file=replace(question.file, columns=columns))
