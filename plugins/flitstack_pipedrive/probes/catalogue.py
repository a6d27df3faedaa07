"""All questions in the order of asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack_pipedrive.probes import deleting, limits, texts, times, values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import Probe
    from flitstack_pipedrive.probes.desk import Question

QUESTIONS: Mapping[str, Question] = {
    question.probe.name: question for room in (times, limits, deleting, texts, values) for question in room.QUESTIONS
}


def probes() -> Sequence[Probe]:
    """Return every question that can be asked."""
    return [question.probe for question in QUESTIONS.values()]
