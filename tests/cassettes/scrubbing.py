"""Takes out of recorded exchanges what no file may hold: tokens, hosts, and who the account belongs to."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vcr.request import Request  # type: ignore[import-untyped]

HOST = "company.pipedrive.com"
ROOT = f"https://{HOST}"
REDACTED = "REDACTED"
BOUNDARY = b"boundary-of-the-form"

KEPT_REQUEST_HEADERS = frozenset({"content-type"})
KEPT_RESPONSE_HEADERS = re.compile(r"content-type|retry-after|x-ratelimit-[a-z]+|x-daily-[a-z-]+")
# Of a user only this is kept; a real account states phone, picture, sign-ins and more.
KEPT_OF_USERS = frozenset(
    "id name email active_flag is_admin access timezone_name default_currency is_you is_deleted company_id "
    "company_name company_domain".split()
)
RESERVED = re.compile(r"@(?:[\w.-]+\.)?(?:example|example\.(?:com|net|org)|test|invalid)$", re.IGNORECASE)

# Whatever account it is: its hosts, and the addresses at which its inbox takes copies.
_ANY_INBOX = re.compile(r"[\w.+-]+@(?:[\w-]+\.)*pipedrive\w*\.\w+", re.IGNORECASE)
_ANY_HOST = re.compile(r"(?:[\w-]+\.)+pipedrive\.com", re.IGNORECASE)
_FORM_BOUNDARY = re.compile(rb"boundary=\"?([^\";]+)")


@dataclass(frozen=True, slots=True)
class Scrubber:
    """What to replace; without anything it only brings requests to the form in which they are compared.

    :param parts: replaced wherever they stand, the longest first.
    :param wholes: replaced where they are a whole text of the JSON, as names are short and may be words.
    """

    parts: tuple[tuple[str, str], ...] = ()
    wholes: tuple[tuple[str, str], ...] = ()

    def request(self, request: Request) -> Request:
        """Return the request with one host for all, no header but the content's type, and a fixed form boundary."""
        scrubbed = copy.deepcopy(request)
        parts = urlsplit(scrubbed.uri)
        scrubbed.uri = self.text(ROOT + parts.path + (f"?{parts.query}" if parts.query else ""))
        headers = {name.lower(): value for name, value in scrubbed.headers.items()}
        kind = headers.get("content-type", "")
        found = _FORM_BOUNDARY.search(kind.encode())
        body = scrubbed.body if isinstance(scrubbed.body, bytes) else b""
        if found:
            body = body.replace(found[1], BOUNDARY)
            kind = kind.replace(found[1].decode(), BOUNDARY.decode())
        scrubbed.body = self.content(body)
        scrubbed.headers = {"content-type": kind} if kind else {}
        return scrubbed

    def response(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response with the headers the client reads, and a scrubbed body."""
        headers = {name.lower(): values for name, values in response["headers"].items()}
        return {
            "status": dict(response["status"]),
            "headers": {name: headers[name] for name in sorted(headers) if KEPT_RESPONSE_HEADERS.fullmatch(name)},
            "body": {"string": self.content(response["body"]["string"])},
        }

    def text(self, text: str) -> str:
        """Return the text without the parts."""
        for part, instead in self.parts:
            text = instead.join(re.split(re.escape(part), text, flags=re.IGNORECASE))
        return _ANY_HOST.sub(HOST, _ANY_INBOX.sub("inbox@practice.example", text))

    def content(self, body: bytes) -> bytes:
        """Return a body without what must not be kept; what is neither JSON nor text loses the parts alone."""
        try:
            parsed = json.loads(body)
        except ValueError:
            # Latin-1 takes every byte and gives it back, so that the bytes of a document stay as they are.
            return self.text(body.decode("latin-1")).encode("latin-1")
        scrubbed = self._value(parsed)
        if scrubbed == parsed:
            return body
        return json.dumps(scrubbed, ensure_ascii=False, separators=(",", ":")).encode()

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return dict(self.wholes).get(value) or self.text(value)
        if isinstance(value, list):
            return [self._value(one) for one in value]
        if isinstance(value, dict):
            is_user = "timezone_name" in value and "email" in value
            kept = {key: one for key, one in value.items() if not is_user or key in KEPT_OF_USERS}
            return {key: 1 if key == "company_id" and one else self._value(one) for key, one in kept.items()}
        return value


def scrubber_for(
    base_url: str, token: str, me: Mapping[str, Any] | None = None, users: Iterable[Mapping[str, Any]] = ()
) -> Scrubber:
    """Return what takes this account out of a recording; people with an address reserved for examples stay.

    :param me, users: `data` of the answers to users/me and users.
    """
    parts = {base_url.rstrip("/"): ROOT, urlsplit(base_url).netloc: HOST, token: REDACTED}
    wholes: dict[str, str] = {}
    if me is not None:
        domain = str(me.get("company_domain") or "")
        parts[f"{domain}.pipedrive.com"] = HOST
        wholes |= {domain: "company", str(me.get("company_name") or ""): "The Company"}
    people = sorted((user for user in users), key=lambda user: int(user["id"]))
    for number, user in enumerate(people, 1):
        email = str(user.get("email") or "")
        if email and not RESERVED.search(email):
            parts[email] = f"user{number}@practice.example"
            wholes[str(user.get("name") or "")] = f"User {number}"
    longest_first = sorted(((part, instead) for part, instead in parts.items() if part), key=lambda one: -len(one[0]))
    return Scrubber(tuple(longest_first), tuple((whole, instead) for whole, instead in wholes.items() if whole))
