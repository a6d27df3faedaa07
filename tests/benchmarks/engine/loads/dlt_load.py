"""dlt's way to write to an API: a custom destination, loaded by parallel jobs.

    PYTHON_WITH_DLT -m tests.benchmarks.engine.loads.dlt_load --url URL --count 5000 --folder F --workers 20 --batch 1

A job is a file, and a worker loads one job at a time, so the file's size decides how far the work can be shared out
(dlt, "Performance": `file_max_items`, `workers`). Requests are posted with dlt's own `requests` helper, as in its
documents, or with an `httpx.Client` a thread. Run again on the same folder, it carries on with the load package that
was not finished.
"""

from __future__ import annotations

import argparse
import os
import threading
from typing import TYPE_CHECKING, Any

from tests.benchmarks.engine.loads.saying import timed
from tests.benchmarks.engine.people import bodies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def main() -> None:
    """Read the options, load, and say what was used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--http", choices=("requests", "httpx"), default="requests")
    given = parser.parse_args()
    items = max(1, given.count // given.workers)
    os.environ |= {
        "DATA_WRITER__FILE_MAX_ITEMS": str(items),
        "LOAD__WORKERS": str(given.workers),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
    }
    import dlt  # type: ignore[import-not-found,unused-ignore]  # noqa: F401 - after the settings, before the clock

    post = posting(given.url, given.http)
    with timed(workers=given.workers, batch_size=given.batch, file_max_items=items, http=given.http):
        load(post, given.count, given.folder, given.workers, given.batch)


def posting(url: str, http: str) -> Callable[[Any], None]:
    """Return what posts one body, with a kept connection a thread."""
    import httpx
    from dlt.sources.helpers import requests  # type: ignore[import-not-found,unused-ignore]

    local = threading.local()

    def with_requests(body: Any) -> None:
        requests.post(f"{url}/api/v2/persons", json=body, headers={"x-api-token": "bench"}).raise_for_status()

    def with_httpx(body: Any) -> None:
        if not hasattr(local, "client"):
            local.client = httpx.Client(headers={"x-api-token": "bench"}, timeout=60)
        local.client.post(f"{url}/api/v2/persons", json=body).raise_for_status()

    return with_requests if http == "requests" else with_httpx


def load(post: Callable[[Any], None], count: int, folder: str, workers: int, batch: int) -> None:
    """Run the pipeline; a package that an earlier run left is loaded first, and is all there is to load then."""
    import dlt

    @dlt.destination(  # type: ignore[untyped-decorator,unused-ignore]
        batch_size=batch,
        name="persons_api",
        naming_convention="direct",
        max_parallel_load_jobs=workers,
        loader_parallelism_strategy="parallel",
    )
    def persons_api(items: Any, table: Any) -> None:
        for item in items:
            post(item["body"])

    @dlt.resource(name="persons", columns={"body": {"data_type": "json"}})  # type: ignore[untyped-decorator,unused-ignore]
    def persons() -> Iterator[list[dict[str, Any]]]:
        yield [{"body": body} for body in bodies(count)]

    pipeline = dlt.pipeline("persons", pipelines_dir=folder, destination=persons_api)
    if pipeline.has_pending_data:
        pipeline.load(workers=workers, raise_on_failed_jobs=True)
        return
    pipeline.extract(persons())
    pipeline.normalize()
    pipeline.load(workers=workers, raise_on_failed_jobs=True)


if __name__ == "__main__":
    main()
