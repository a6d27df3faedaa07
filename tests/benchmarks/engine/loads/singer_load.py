"""A Singer target written the SDK's way: batches, shared out over sinks that are drained in parallel.

    PYTHON_WITH_SINGER -m tests.benchmarks.engine.loads.singer_load --url URL --count 5000 --sinks 8 --batch 100

The SDK drains `max_parallelism` sinks at once at the end of its input (8 unless set), and `get_sink` may choose a sink
by the record, so the records are shared out over that many sinks; `--sinks 1` is what a target from the SDK's template
does. Requests are posted with a `requests.Session`, which the SDK itself depends on, or with an `httpx.Client`.
"""

from __future__ import annotations

import argparse
import io
import json
from typing import Any

import httpx
import requests  # type: ignore[import-untyped,unused-ignore]
from requests.adapters import HTTPAdapter  # type: ignore[import-untyped,unused-ignore]
from singer_sdk import BatchSink, Target  # type: ignore[import-not-found,unused-ignore]
from singer_sdk import typing as th
from tests.benchmarks.engine.loads.saying import timed
from tests.benchmarks.engine.people import KEY_CODE, bodies
from urllib3.util.retry import Retry  # type: ignore[import-not-found,unused-ignore]


class PersonsSink(BatchSink):  # type: ignore[misc,unused-ignore]
    """Posts a batch, one request a record; the SDK has no way to post several at once."""

    def setup(self) -> None:
        """Open the connection."""
        self._client: Any = self._session() if self.config["http"] == "requests" else httpx.Client(timeout=60)
        self._client.headers.update({"x-api-token": "bench", "content-type": "application/json"})

    def _session(self) -> requests.Session:
        """Return a session that tries a failed request again as often as configured, writes included."""
        session = requests.Session()
        retry = Retry(total=int(self.config["retries"]), status_forcelist=[500], allowed_methods=None)
        session.mount("http://", HTTPAdapter(max_retries=retry, pool_maxsize=1))
        return session

    @property
    def max_size(self) -> int:
        """Records that make a batch full."""
        return int(self.config["batch"])

    def process_batch(self, context: Any) -> None:
        """Post the records."""
        url = f"{self.config['url']}/api/v2/persons"
        for record in context["records"]:
            content = json.dumps(record, default=float)  # the SDK reads numbers as Decimal
            given = {"data": content} if self.config["http"] == "requests" else {"content": content}
            self._client.post(url, **given).raise_for_status()


class TargetPersons(Target):  # type: ignore[misc,unused-ignore]
    """The target."""

    name = "target-persons"
    default_sink_class = PersonsSink
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("sinks", th.IntegerType, required=True),
        th.Property("batch", th.IntegerType, required=True),
        th.Property("retries", th.IntegerType, required=True),
        th.Property("http", th.StringType, required=True),
    ).to_dict()

    def get_sink(self, stream_name: str, *, record: Any = None, schema: Any = None, key_properties: Any = None) -> Any:
        """Return the record's sink: one of as many as are drained at once."""
        sinks = int(self.config["sinks"])
        self.max_parallelism = sinks
        if schema is not None:
            for number in range(1, sinks):
                name = f"{stream_name}-{number}"
                super().get_sink(name, schema=schema, key_properties=key_properties)
            return super().get_sink(stream_name, schema=schema, key_properties=key_properties)
        key = str(record["custom_fields"][KEY_CODE]) if record else "0"
        number = int(key.rpartition(":")[2]) % sinks
        return super().get_sink(f"{stream_name}-{number}" if number else stream_name, record=record)


def messages(count: int) -> str:
    """Return the tap's messages."""
    kinds = {
        "name": {"type": "string"},
        "emails": {"type": "array", "items": {"type": "object"}},
        "phones": {"type": "array", "items": {"type": "object"}},
        "custom_fields": {"type": "object"},
    }
    lines = [{"type": "SCHEMA", "stream": "persons", "schema": {"properties": kinds}, "key_properties": []}]
    lines += [{"type": "RECORD", "stream": "persons", "record": body} for body in bodies(count)]
    lines += [{"type": "STATE", "value": {"persons": count}}]
    return "\n".join(map(json.dumps, lines)) + "\n"


def main() -> None:
    """Read the options, load, and say what was used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--sinks", type=int, default=8)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--http", choices=("requests", "httpx"), default="requests")
    parser.add_argument("--retries", type=int, default=0)
    given = parser.parse_args()
    names = ("url", "sinks", "batch", "http", "retries")
    target = TargetPersons(config={name: getattr(given, name) for name in names})
    given_in = io.StringIO(messages(given.count))
    said = {"max_parallelism": given.sinks, "max_size": given.batch, "http": given.http, "retries": given.retries}
    with timed(sinks=given.sinks, **said):
        target.listen(given_in)


if __name__ == "__main__":
    main()
