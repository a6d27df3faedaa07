"""Removes from an account what a recording created in it, so that the next one finds it as it was."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import yaml

if TYPE_CHECKING:
    from pathlib import Path

PAUSE_S = 0.1  # twenty requests in two seconds, the smallest plan's burst
GONE = (200, 204, 404, 410)


def created(cassette: Path) -> list[str]:
    """Return the paths of everything that the cassette's requests created, newest first."""
    found: dict[str, None] = {}
    for one in yaml.safe_load(cassette.read_text("ascii"))["interactions"]:
        path = urlsplit(one["request"]["uri"]).path
        if one["request"]["method"] != "POST" or one["response"]["status"]["code"] >= 300 or path.endswith("/options"):
            continue
        data = json.loads(one["response"]["body"]["string"]).get("data")
        if isinstance(data, dict):
            found[f"{path}/{data.get('field_code') or data['id']}"] = None
    return list(found)[::-1]


def tidy(cassette: Path, base_url: str, token: str) -> list[str]:
    """Delete what the cassette's requests created and return the paths that could not be deleted."""
    left = []
    with httpx.Client(base_url=base_url, headers={"x-api-token": token}, timeout=60) as client:
        for path in created(cassette):
            answer = client.delete(path)
            if answer.status_code == 429:
                time.sleep(2.0)
                answer = client.delete(path)
            if answer.status_code not in GONE:
                left.append(f"{path}: {answer.status_code}")
            time.sleep(PAUSE_S)
    return left
