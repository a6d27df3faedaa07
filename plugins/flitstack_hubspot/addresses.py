"""Which e-mail addresses HubSpot takes for a contact."""

from __future__ import annotations

import re
from typing import Any

_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")


def takes_email(value: Any) -> bool:
    """Return whether a contact can have this address: an invalid one would have the whole contact refused.

    HubSpot does not state its rule; this one is strict, so what is doubtful stands in another property.
    """
    text = str(value or "").strip()
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None and ".." not in text
