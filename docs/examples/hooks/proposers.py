"""Registers a way to propose a map: headers in Esperanto, by a list. A language model would do it likewise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.hookspecs import hookimpl
from flitstack.protocols import Candidate, Proposer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flitstack.protocols import Question

MEANINGS = {"familia nomo": "last_name", "persona nomo": "first_name"}


def propose(question: Question) -> Mapping[str, Sequence[Candidate]]:
    """Return candidates for the columns that the list knows, among the fields that there are."""
    fields = {target.field: target.key for target in question.targets if not target.part}
    known = {column.name: MEANINGS.get(column.name.lower(), "") for column in question.file.columns}
    return {
        column: [Candidate(fields[field], 0.8, ("Esperanto",))] for column, field in known.items() if field in fields
    }


@hookimpl
def flit_register_proposers(register: Callable[[Proposer], None]) -> None:
    """Register it for every source."""
    register(Proposer("esperanto", propose))
