"""The settings: where the account is, and the token that signs in to it."""

from __future__ import annotations

from typing import Any

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "base_url": {
            "type": "string",
            "default": "https://api.rolo.example",
            "description": "The root of the API.",
        },
        "token": {"type": "string", "description": "An admin's API token."},
    },
    "required": ["token"],
}
ENVIRONMENT = {"base_url": "ROLO_BASE_URL", "token": "ROLO_TOKEN"}
SECRETS = frozenset({"token"})
