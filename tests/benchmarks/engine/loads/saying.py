"""What a load says of itself at its end: its settings, its processor time and its peak memory."""

from __future__ import annotations

import json
import resource
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def timed(**settings: Any) -> Iterator[dict[str, Any]]:
    """Time what is inside, imports left out, then print one JSON line; more settings may be added to what is yielded.

    It holds `settings`, `took_s`, `cpu_s` (user and system, the interpreter's start included) and `peak_mb`.
    """
    began = time.perf_counter()
    yield settings
    took_s = time.perf_counter() - began
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = sum(used.ru_utime + used.ru_stime for used in (own, children))
    peak_mb = max(used.ru_maxrss for used in (own, children)) / 1024
    line = {"settings": settings, "took_s": round(took_s, 3), "cpu_s": round(cpu_s, 3), "peak_mb": round(peak_mb, 1)}
    print(json.dumps(line), flush=True)  # noqa: T201 - the harness reads it
