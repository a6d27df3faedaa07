"""The same invented persons for every tool: what flit plans, and the request body that all of them send.

Standard library alone: the other tools run in environments of their own.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = "dental"
KEY_NAME = "Source_System_ID__c"
OPTIONS = {"Mail": 1, "Phone": 2, "Text": 3}
CUSTOM_FIELDS = {
    KEY_NAME: "varchar",
    "Chart_Number__c": "varchar",
    "Birth_Date__c": "date",
    "First_Visit__c": "date",
    "Last_Visit__c": "date",
    "Next_Visit__c": "date",
    "Recall_Type__c": "varchar",
    "Recall_Interval__c": "double",
    "Balance__c": "double",
    "Contact_By__c": "enum",
    "Provider__c": "varchar",
    "Insurance_Plan__c": "varchar",
    "Remarks__c": "text",
}


def code(name: str) -> str:
    """Return the 40 hexadecimal characters by which the account knows a custom field."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


KEY_CODE = code(KEY_NAME)


def key(number: int) -> str:
    """Return the source key of a person, counted from 1."""
    return f"{SOURCE}:patients:{number}"


def fields(number: int) -> dict[str, Any]:
    """Return the fields of a desired record, in flit's canonical form; without the key, which flit adds."""
    month, day = number % 12 + 1, number % 28 + 1
    return {
        "name": f"Person Number {number}",
        "emails": [{"value": f"person.{number}@example.org", "label": "home", "primary": True}],
        "phones": [{"value": f"+1 202 555 {number % 10_000:04}", "label": "mobile", "primary": True}],
        "Chart_Number__c": f"C-{number:06}",
        "Birth_Date__c": f"{1940 + number % 70}-{month:02}-{day:02}",
        "First_Visit__c": f"20{10 + number % 10}-{month:02}-{day:02}",
        "Last_Visit__c": f"2026-{month:02}-{day:02}",
        "Next_Visit__c": f"2027-{month:02}-{day:02}",
        "Recall_Type__c": "Cleaning and examination",
        "Recall_Interval__c": str(number % 11 + 1),
        "Balance__c": f"{number % 900}.50",
        "Contact_By__c": list(OPTIONS)[number % 3],
        "Provider__c": f"Provider {number % 7}",
        "Insurance_Plan__c": f"Plan {number % 40} of an invented insurer",
        "Remarks__c": "Prefers the morning; brings the forms filled in. " * (number % 3 + 1),
    }


def body(number: int) -> dict[str, Any]:
    """Return the body of the request that creates a person (Pipedrive API v2, persons)."""
    given = fields(number)
    custom: dict[str, Any] = {code(name): given[name] for name in CUSTOM_FIELDS if name != KEY_NAME}
    custom[code("Recall_Interval__c")] = int(given["Recall_Interval__c"])
    custom[code("Balance__c")] = float(given["Balance__c"])
    custom[code("Contact_By__c")] = OPTIONS[given["Contact_By__c"]]
    custom[KEY_CODE] = key(number)
    return {**{name: given[name] for name in ("name", "emails", "phones")}, "custom_fields": custom}


def bodies(count: int) -> Iterator[dict[str, Any]]:
    """Yield the bodies of the first `count` persons."""
    return (body(number) for number in range(1, count + 1))
