"""Checks that hold for any source, by what its streams' schemas say: references, texts, days, people, contact.

A stream's schema states its section of the audit (`x-section`) and which of its fields hold what: `x-references`,
`x-or` (the other field that may name the same counterpart), `x-type`, `x-people`, `x-people-of` and `x-person` (see
`flitstack.matching.roles`), and `x-holds` (`postal_code`, `country`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.protocols import Validator
from flitstack.validators.contact import check_contact
from flitstack.validators.dates import check_dates
from flitstack.validators.people import check_duplicates, check_people
from flitstack.validators.references import check_references
from flitstack.validators.texts import check_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flitstack.protocols import Finding, StagedView

CHECKS: Mapping[str, Callable[[StagedView], Iterator[Finding]]] = {
    "people": check_people,
    "duplicates": check_duplicates,
    "contact": check_contact,
    "references": check_references,
    "dates": check_dates,
    "texts": check_texts,
}


def generic_validators(source: str) -> tuple[Validator, ...]:
    """Return the checks that every source's records go through."""
    return tuple(Validator(name, source, check) for name, check in CHECKS.items())
