"""A plugin that proposes: a glossary of its own says what some headers mean. A language model would do it likewise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.hookspecs import hookimpl
from flitstack.protocols import Candidate, Proposer, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

GLOSSARY = {"shirt": "preferred_name"}


def propose(question: Question) -> Mapping[str, Sequence[Candidate]]:
    """Return candidates for the columns that the glossary knows."""
    fields = {target.field: target.key for target in question.targets if not target.part}
    return {
        column.name: [Candidate(fields[GLOSSARY[column.name.lower()]], 0.7, ("it stands in our glossary",))]
        for column in question.file.columns
        if GLOSSARY.get(column.name.lower()) in fields
    }


@hookimpl
def flit_register_proposers(register: Callable[[Proposer], None]) -> None:
    """Register the glossary."""
    register(Proposer("glossary", propose, source="dental"))
