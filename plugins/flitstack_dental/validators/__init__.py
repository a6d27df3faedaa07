"""What a dental practice's audit looks at beyond core's own checks: calendar, chart, recall, insurance, money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.protocols import Validator
from flitstack_dental.validators.appointments import check_appointments
from flitstack_dental.validators.chart import check_plans, check_procedures
from flitstack_dental.validators.families import check_families, check_statuses
from flitstack_dental.validators.insurance import check_insurance
from flitstack_dental.validators.money import check_balances, check_ledger
from flitstack_dental.validators.papers import check_papers
from flitstack_dental.validators.recalls import check_recalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flitstack.protocols import Finding, StagedView

SECTIONS = (
    ("inventory", "1. What the export holds"),
    ("identity", "2. People: who is who"),
    ("contact", "3. Reaching people"),
    ("families", "4. Families and referrals"),
    ("appointments", "5. Appointments"),
    ("plans", "6. Treatment plans and procedures"),
    ("recall", "7. Recall"),
    ("insurance", "8. Insurance"),
    ("ledger", "9. Money: totals to compare and sign"),
    ("notes", "10. Notes, prescriptions and documents"),
    ("owners", "11. Owners"),
    ("text", "12. Texts"),
    ("sensitive", "13. Sensitive data"),
    ("budget", "14. What writing it takes"),
    ("decisions", "15. Decisions"),
)
"""The fifteen sections of a practice's audit, in their order."""

CHECKS: Mapping[str, Callable[[StagedView], Iterator[Finding]]] = {
    "dental-patients": check_statuses,
    "dental-families": check_families,
    "dental-appointments": check_appointments,
    "dental-plans": check_plans,
    "dental-procedures": check_procedures,
    "dental-recalls": check_recalls,
    "dental-insurance": check_insurance,
    "dental-balances": check_balances,
    "dental-ledger": check_ledger,
    "dental-papers": check_papers,
}
VALIDATORS = tuple(Validator(name, "dental", check) for name, check in CHECKS.items())
