"""What the sandbox answers: bodies, statuses and the error shapes of both API versions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Doc: TypeAlias = dict[str, Any]
NO_PERMISSION = "You do not have permissions to do this."


def to_json(value: Any) -> str:
    """Return compact JSON, as it is stored and sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: the body is complete, the headers are only what the resource adds."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """A request that is refused; carries the answer."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body.get('error', '')}")
        self.status = status
        self.answer = Answer(to_json(body).encode(), status, headers=headers or {})


def data_v2(data: Any, status: int = 200, **more: Any) -> Answer:
    """Return the v2 envelope around one record."""
    beside = "".join(f',"{name}":{to_json(value)}' for name, value in more.items())
    return Answer(f'{{"success":true,"data":{to_json(data)}{beside}}}'.encode(), status)


def page_v2(docs: list[str], cursor: str | None) -> Answer:
    """Return a v2 page; docs are records that are JSON already."""
    return Answer(
        f'{{"success":true,"data":[{",".join(docs)}],"additional_data":{{"next_cursor":{to_json(cursor)}}}}}'.encode()
    )


def data_v1(data: Any, status: int = 200, **more: Any) -> Answer:
    """Return the v1 envelope around one record or an unpaged list; an empty list is null there."""
    return Answer(to_json({"success": True, "data": None if data == [] else data, **more}).encode(), status)


def refused_v2(reasons: Mapping[str, str]) -> ApiError:
    """Return the 400 of v2, one reason per key."""
    text = "; ".join(f"{key}: {reason}" for key, reason in reasons.items())
    return ApiError(
        400, {"success": False, "error": f"Validation failed: {text}", "code": "ERR_SCHEMA_VALIDATION_FAILED"}
    )


def refused_v1(reasons: Mapping[str, str]) -> ApiError:
    """Return the 400 of v1, one reason per key."""
    text = "; ".join(f"{key}: {reason}" for key, reason in reasons.items())
    return failed(400, "Bad request", info=text)


def failed(status: int, error: str, *, info: str | None = None, **more: Any) -> ApiError:
    """Return a refusal in the common envelope ("Responses")."""
    body = {"success": False, "error": error, "error_info": info, "data": None, "additional_data": None, **more}
    return ApiError(status, body)


def forbidden() -> ApiError:
    """Return the 403 of a user who lacks the right."""
    return failed(403, NO_PERMISSION)


def not_found(what: str = "Entity was not found") -> ApiError:
    """Return a 404; a record that the user may not see looks the same."""
    return failed(404, what, info="Object was not found.")


def plan_cap(error: str, code: str) -> ApiError:
    """Return the 403 of a plan that has no more room, with its `code`."""
    return failed(403, error, info="Please upgrade your plan.", code=code)


def unauthorized() -> ApiError:
    """Return the 401 of a missing or unknown token."""
    body = {
        "success": False,
        "error": "unauthorized access",
        "errorCode": 401,
        "error_info": "Please check developers.pipedrive.com",
    }
    return ApiError(401, body, {"x-401-by-gw": "true"})


def not_offered(method: str, path: str) -> ApiError:
    """Return the 501 for everything this sandbox does not imitate."""
    return failed(501, f"The sandbox does not do {method} {path}.", errorCode=501)
