"""What each call costs in API tokens, as the official specifications state it (`x-token-cost`)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def cost_table() -> Mapping[str, int]:
    """Return tokens by call, keyed as `v2 POST /persons`; made by `tools/derive_costs.py`."""
    table: dict[str, int] = json.loads(files("flitstack_pipedrive").joinpath("costs.json").read_text("utf-8"))
    return table


def cost_of(version: int, method: str, path: str) -> int:
    """Return the tokens one call costs, whatever its size.

    :param path: as the specification spells it, `/persons/{id}`.
    :raises KeyError: the call is not in the table; add it to `tools/derive_costs.py`.
    """
    return cost_table()[f"v{version} {method} {path}"]
