"""How the imitated API says no, in the shape of HubSpot's error answers."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal: its status, category, message and details."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        code: str = "",
        property_name: str = "",
        sub: str = "",
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.sub = sub
        self.more = more or {}
        self.errors: list[dict[str, Any]] = []
        if code:
            detail: dict[str, Any] = {"message": message, "code": code}
            if property_name:
                detail["context"] = {"propertyName": [property_name]}
            self.errors.append(detail)

    def body(self) -> dict[str, Any]:
        """Return the answer's JSON object."""
        found: dict[str, Any] = {
            "status": "error",
            "message": self.message,
            "correlationId": "00000000-0000-4000-8000-000000000000",
            "category": self.category,
        }
        if self.sub:
            found["subCategory"] = self.sub
        if self.errors:
            found["errors"] = self.errors
        return found | self.more

    def item(self, **context: str) -> dict[str, Any]:
        """Return it as one of the errors of a batch."""
        found: dict[str, Any] = {"status": "error", "category": self.category, "message": self.message}
        if self.errors:
            found["errors"] = self.errors
        return found | {"context": {name: [value] for name, value in context.items()}}


def invalid(message: str, code: str = "", name: str = "") -> ApiError:
    """Return the refusal of a request that is wrong."""
    return ApiError(400, "VALIDATION_ERROR", message, code=code, property_name=name)


def missing(message: str = "resource not found") -> ApiError:
    """Return the refusal of a request for what is not there."""
    return ApiError(404, "OBJECT_NOT_FOUND", message)
