"""Turns one answer of HubSpot into its data or into the error that says what to do next.

Sources: HubSpot developer documentation, "Error handling" and "API usage guidelines". A message of HubSpot may quote
what was sent, so nothing of it is passed on but the names of properties that the request itself carried.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from flitstack.errors import (
    AuthError,
    ConfigurationError,
    Fatal,
    FlitError,
    InDoubt,
    PlanLimit,
    Rejected,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from flitstack.web.answers import Answer

REFUSED = "destination_refused"
NOT_FOUND = "destination_not_found"
TAKEN = "destination_taken"
UNIQUE = "CONFLICTING_UNIQUE_VALUE"
LIMITS = re.compile(r"limit|maximum number|quota|upgrade", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the API.

    :param path: with its ids already in it. :param words: the path with braces in place of ids, for messages.
    :param reads: a POST that only reads, so it may be tried again.
    :param upload: opens the file to send, and its name; `form` goes beside it.
    :param scope: whether a refusal concerns one record or the whole account.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    form: Mapping[str, str] | None = None
    upload: tuple[str, Callable[[], Any]] | None = None
    reads: bool = False
    scope: Literal["record", "account"] = "record"
    words_of: str = ""

    @property
    def is_write(self) -> bool:
        return self.method != "GET" and not self.reads

    @property
    def words(self) -> str:
        """The request in words for messages; ids are left out."""
        return f"{self.method} {self.words_of or self.path}"


def is_passing(answer: Answer) -> bool:
    """Return whether a read that got this answer may be tried again."""
    return answer.status in (408, 423, 477) or answer.status >= 500 or (answer.status == 200 and not answer.parsed())


def data_of(call: Call, answer: Answer) -> dict[str, Any]:
    """Return the answer's JSON object; {} where nothing is due (204).

    :raises FlitError: as the module says; never for 429, which the client settles.
    """
    if answer.status == 204:
        return {}
    if 200 <= answer.status < 300:
        parsed = answer.parsed()
        if parsed is not None:
            return parsed
        raise _unclear(call, "an answer that cannot be read")
    if 300 <= answer.status < 400:
        raise ConfigurationError(
            f"hubspot: {call.words} was redirected elsewhere, and the token is not sent there. Check HUBSPOT_BASE_URL."
        )
    if answer.status >= 500 or answer.status in (408, 423, 477):
        raise _unclear(call, str(answer.status))
    raise _refusal(call, answer)


def _unclear(call: Call, what: str) -> FlitError:
    if call.is_write:
        return InDoubt(f"hubspot: {call.words} got {what}; whether it was done is looked up.")
    return Unavailable(f"hubspot: {call.words} got {what}. HubSpot seems to be down; run the same command later.")


def _refusal(call: Call, answer: Answer) -> FlitError:
    parsed = answer.parsed()
    match answer.status:
        case 401:
            return AuthError(
                f"hubspot: 401 for {call.words}. The token is not accepted here; check HUBSPOT_ACCESS_TOKEN, and "
                "HUBSPOT_BASE_URL if it is set."
            )
        case 403 if parsed is None:
            return Unavailable(
                "hubspot: a gateway blocks this token (403 without the API's answer). Nothing is sent any more; run "
                "the same command later."
            )
        case 403:
            return AuthError(
                f"hubspot: 403 for {call.words}. The private app lacks a scope "
                f"({scopes_of(parsed or {}) or 'not named'}). Add it in HubSpot's settings, then run the same command."
            )
        case 404 if call.scope == "account":
            return ConfigurationError(
                f"hubspot: 404 for {call.words}. There is no HubSpot API at this address; check HUBSPOT_BASE_URL."
            )
        case 404:
            return Rejected(NOT_FOUND, f"{call.words}: the record, or one it links to, is gone.", "Plan again.")
        case 400 | 409 | 413 | 414 | 415 | 422:
            return refusal_of(call.words, parsed or {}, (), account=call.scope == "account")
        case status:
            return Fatal(f"hubspot: {status} for {call.words}, which nobody documented. Please report this.")


def scopes_of(parsed: Mapping[str, Any]) -> str:
    """Return the scopes that a 403 asks for."""
    found: list[str] = []
    for one in parsed.get("errors") or ():
        context = one.get("context") or {}
        found += [str(scope) for scope in context.get("requiredScopes") or context.get("requiredGranularScopes") or ()]
    return ", ".join(dict.fromkeys(found))


def refusal_of(words: str, error: Mapping[str, Any], names: Collection[str], *, account: bool = False) -> FlitError:
    """Return what a refusal of one record, or of one request, means.

    :param names: the properties that were sent; only these are named.
    """
    said = json.dumps(error)
    named = [name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said)]
    if not named and error.get("category") == "CONFLICT" and "email" in names:
        named = ["email"]  # the one value whose conflict HubSpot states without its name
    listed = ", ".join(f'"{name}"' for name in named)
    if account and LIMITS.search(str(error.get("message") or "")):
        return PlanLimit(
            f"hubspot: the account's subscription has no room for more of these ({words}). Delete some, or change the "
            "subscription, then run the same command."
        )
    if error.get("category") == "CONFLICT" or UNIQUE in said:
        return Rejected(
            TAKEN,
            f"{words}: another record has the same {listed or 'unique value'} already.",
            "HubSpot keeps it once: merge the two in the account, or change one in the source.",
            named[0] if named else None,
        )
    if error.get("category") == "OBJECT_NOT_FOUND":
        return Rejected(NOT_FOUND, f"{words}: the record, or one it links to, is gone.", "Plan again.")
    return Rejected(
        REFUSED,
        f"{words}: HubSpot refused {listed or 'the record'}.",
        "Correct it in the source or the mapping, then retry the rejected records.",
        named[0] if named else None,
    )


def mentions(error: Mapping[str, Any], name: str) -> bool:
    """Tell whether a refusal is that a unique value is taken, and names this property."""
    said = json.dumps(error)
    return UNIQUE in said and name in said
