"""Turns one answer of Pipedrive into its data or into the error that says what to do next.

Sources: Pipedrive API, "HTTP status codes", "Responses" and "Rate limiting". A message of Pipedrive may quote what was
sent, so nothing of it is passed on but the names of keys that the request itself carried, and a reason from a
fixed list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn

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
    from collections.abc import Callable, Mapping

    from flitstack.web.answers import Answer

REFUSED = "destination_refused"
FORBIDDEN = "destination_forbidden"
NOT_FOUND = "destination_not_found"

_HASH_KEY = re.compile(r"[0-9a-f]{40}")
_REASONS = (
    (re.compile(r"not allowed for this request", re.IGNORECASE), "is not allowed"),
    (re.compile(r"unknown key", re.IGNORECASE), "is unknown to the account"),
    (re.compile(r"not a valid '?(string|number|integer|boolean|date|datetime|time|array|object|email|enum)\b"), "type"),
    (re.compile(r"expected '(string|number|integer|boolean|array|object)' as value", re.IGNORECASE), "type"),
    (re.compile(r"too long|max(imum)? length|at most \d+ char", re.IGNORECASE), "is too long"),
    (re.compile(r"required", re.IGNORECASE), "is required"),
)
_CAPPED = {
    "feature_capping_deals_limit": ("open deals", ""),
    "feature_capping_custom_fields_limit": (
        "custom fields",
        " Or take back what was created (`flit rollback`), state the account's plan in PIPEDRIVE_PLAN and run again: "
        "fields that find no room are then folded into one text.",
    ),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the API.

    :param path: as the specification spells it, `/persons/{id}`; `ids` fills its braces.
    :param body: sent as JSON. :param form: sent form-encoded, or beside `upload` as multipart.
    :param upload: opens the file to send, and its name.
    :param scope: whether a refusal concerns one record or the whole account.
    """

    version: Literal[1, 2]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    form: Mapping[str, str] | None = None
    upload: tuple[str, Callable[[], Any]] | None = None
    scope: Literal["record", "account"] = "record"

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @property
    def words(self) -> str:
        """The request in words for messages; ids are left out."""
        return f"{self.method} /api/v{self.version}{self.path}"

    def keys(self) -> list[str]:
        """Return the keys of the body, those of its custom fields included."""
        sent = self.body if isinstance(self.body, dict) else dict(self.form or {})
        custom = sent.get("custom_fields")
        return [*sent, *(custom if isinstance(custom, dict) else ())]


def is_passing(answer: Answer) -> bool:
    """Return whether a read that got this answer may be tried again."""
    if answer.status in (500, 502, 503, 504, 408):
        return True
    return 200 <= answer.status < 300 and (answer.parsed() or {}).get("success") is not True


def data_of(call: Call, answer: Answer, name_of: Callable[[str], str] = str) -> dict[str, Any]:
    """Return the answer's JSON object, its `success` true.

    :param name_of: turns a custom field's key into its name, for messages.
    :raises FlitError: as the module says; never for 429, which the client settles.
    """
    if 200 <= answer.status < 300:
        return _accepted(call, answer, name_of)
    if 300 <= answer.status < 400:
        raise ConfigurationError(
            f"pipedrive: {call.words} was redirected elsewhere, and the token is not sent there. "
            "Check PIPEDRIVE_BASE_URL."
        )
    if answer.status >= 500 and answer.status != 501:
        _raise_down(call, answer.status)
    if answer.status == 408:
        _raise_down(call, answer.status)
    raise _refusal(call, answer, name_of)


def _accepted(call: Call, answer: Answer, name_of: Callable[[str], str]) -> dict[str, Any]:
    parsed = answer.parsed()
    if parsed is not None and parsed.get("success") is True:
        return parsed
    if call.is_write:
        refusal = _rejected(call, parsed, name_of) if parsed is not None and parsed.get("success") is False else None
        raise doubt(call, refusal)
    raise Unavailable(
        f"pipedrive: {call.words} got an answer that is not the API's. Check PIPEDRIVE_BASE_URL, or try again later."
    )


def data_in(call: Call, answer: dict[str, Any], *needed: str) -> dict[str, Any]:
    """Return the record that an accepted write's answer describes.

    :param needed: what it must say of the record.
    :raises InDoubt: it does not.
    """
    data = answer.get("data")
    if not isinstance(data, dict) or any(data.get(name) in (None, "") for name in needed):
        raise doubt(call)
    return data


def doubt(call: Call, refusal: Rejected | None = None) -> InDoubt:
    """Return the error for a write whose answer does not tell; `refusal` when it says both yes and no."""
    return InDoubt(
        f"pipedrive: {call.words} got an answer that does not say what became of it; whether it was done is looked up.",
        refusal,
    )


def _raise_down(call: Call, status: int) -> NoReturn:
    if call.is_write:
        raise InDoubt(f"pipedrive: {call.words} got {status}; whether it was done is looked up.")
    raise Unavailable(f"pipedrive: {call.words} got {status}. Pipedrive seems to be down; run the same command later.")


def _refusal(call: Call, answer: Answer, name_of: Callable[[str], str]) -> FlitError:
    parsed = answer.parsed()
    if parsed is None and answer.content.lstrip()[:1] == b"[":
        parsed = {}  # the API's own answer all the same: a gateway's is a page
    match answer.status:
        case 401:
            return AuthError(
                f"pipedrive: 401 for {call.words}. The token is not accepted here; check "
                "PIPEDRIVE_API_TOKEN, and PIPEDRIVE_BASE_URL if it is set."
            )
        case 402:
            return AuthError(f"pipedrive: 402 for {call.words}. The account is closed or unpaid; open it first.")
        case 403:
            return _forbidden(call, parsed, name_of)
        case 404:
            return _missing(call)
        case 410:
            return Rejected(NOT_FOUND, f"{call.words}: this is gone from the account.", "Plan again.")
        case 415:
            return PlanLimit(f"pipedrive: 415 for {call.words}. The account does not have this feature; enable it.")
        case 400 | 409 | 413 | 422:
            return _rejected(call, parsed or {}, name_of)
        case status:
            return Fatal(f"pipedrive: {status} for {call.words}, which nobody documented. Please report this.")


def _forbidden(call: Call, parsed: dict[str, Any] | None, name_of: Callable[[str], str]) -> FlitError:
    if parsed is None:
        return Unavailable(
            "pipedrive: the account's gateway blocks this token (403 without the API's answer), as it does after too "
            "many requests. Nothing is sent any more; wait an hour before the same command, and stop other tools "
            "that use the token."
        )
    code = str(parsed.get("code") or "")
    if code.startswith("feature_capping_"):
        what, then = _CAPPED.get(code, ("of these", ""))
        return PlanLimit(
            f"pipedrive: the account's plan has no room for more {what} ({call.words}). "
            f"Delete some, or change the plan, then run the same command.{then}"
        )
    if call.scope == "account" or not call.is_write:
        return AuthError(f"pipedrive: 403 for {call.words}. Its user lacks the right; use the token of an admin.")
    named = _named_keys(call, parsed, name_of)
    return Rejected(
        FORBIDDEN,
        f"{call.words}: Pipedrive does not let the token's user write {_listed(named) or 'this record'}.",
        "Use the token of an admin, or leave the field out of the mapping.",
        named[0] if named else None,
    )


def _missing(call: Call) -> FlitError:
    if call.scope == "account":
        return ConfigurationError(
            f"pipedrive: 404 for {call.words}. There is no Pipedrive API at this address; check PIPEDRIVE_BASE_URL."
        )
    return Rejected(NOT_FOUND, f"{call.words}: the record, or one it links to, is not in the account.", "Plan again.")


def _rejected(call: Call, parsed: dict[str, Any], name_of: Callable[[str], str]) -> Rejected:
    """Return the rejection, naming the request's own keys only."""
    text = _text_of(parsed)
    reason = next((_reason(pattern.search(text), words) for pattern, words in _REASONS if pattern.search(text)), "")
    named = _named_keys(call, parsed, name_of)
    return Rejected(
        REFUSED,
        f"{call.words}: Pipedrive refused {_listed(named) or 'the record'}{f': {reason}' if reason else ''}.",
        "Correct it in the source or the mapping, then retry the rejected records.",
        named[0] if named else None,
    )


def _reason(found: re.Match[str] | None, words: str) -> str:
    return f"is no {found.group(1).lower()}" if found is not None and words == "type" else words


def _text_of(parsed: dict[str, Any]) -> str:
    return " ".join(str(parsed.get(part) or "") for part in ("error", "error_info", "message"))


def _named_keys(call: Call, parsed: dict[str, Any], name_of: Callable[[str], str]) -> list[str]:
    text = _text_of(parsed)
    found = [key for key in call.keys() if re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", text)]
    if len(found) > 1 and "custom_fields" in found:
        found.remove("custom_fields")
    return [name_of(key) if _HASH_KEY.fullmatch(key) else key for key in found]


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
