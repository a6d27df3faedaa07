"""The command against an account that is served on this machine, and a person who works in that account."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack_hubspot.sandbox.account import Switches
from flitstack_hubspot.sandbox.app import Sandbox
from flitstack_hubspot.sandbox.serving import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

OBJECTS = ("companies", "contacts", "deals", "meetings", "calls", "emails", "communications", "tasks", "notes")
KEY = "source_system_id"


class Moved:
    """A practice's export, a journal, and an account with somebody who works in it."""

    def __init__(self, folder: Path, export: Path, url: str, sandbox: Sandbox, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.export, self.sandbox = folder, export, sandbox
        token = sandbox.users[0]["token"]
        self.http = httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"})
        patch.chdir(folder)
        patch.setenv("HUBSPOT_ACCESS_TOKEN", token)
        patch.setenv("HUBSPOT_BASE_URL", url)

    def close(self) -> None:
        """Let go of the connection."""
        self.http.close()

    def flit(self, *words: str) -> tuple[int, Any, str]:
        """Return exit code, JSON and words of a command."""
        sets = ("--set", "dest.list_lag_s=0", "--set", "dest.attempts=2", "--json")
        result = CliRunner().invoke(cli, [*words, *sets])
        return result.exit_code, json.loads(result.stdout) if result.stdout.startswith("{") else None, result.stderr

    def run(self, export: Path | None = None, *more: str) -> tuple[int, Any, str]:
        """Return what `flit run` comes to."""
        given = ("--input", str(export or self.export), "--set", "profile=full", "--approve-unseen", "test")
        return self.flit("run", "--source", "dental", "--dest", "hubspot", *given, *more)

    def rollback(self, *more: str) -> tuple[int, Any, str]:
        """Return what `flit rollback` comes to."""
        return self.flit("rollback", "--approve-unseen", "test", *more)

    def lose_journal(self) -> None:
        """Delete the journal."""
        for file in self.folder.glob("flit.db*"):
            file.unlink()

    def post(self, path: str, body: Any) -> Any:
        """Return the answer to a person's request, which must succeed."""
        answer = self.http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def make(self, object: str, *records: dict[str, Any]) -> list[str]:
        """Create records of a person's own and return their ids."""
        inputs = [{"properties": record} for record in records]
        made = self.post(f"/crm/v3/objects/{object}/batch/create", {"inputs": inputs})
        return [str(one["id"]) for one in made["results"]]

    def edit(self, object: str, id: str, **properties: str) -> None:
        """Change a record by hand."""
        answer = self.http.patch(f"/crm/v3/objects/{object}/{id}", json={"properties": properties})
        assert answer.is_success, answer.text

    def held(self, object: str, stream: str = "") -> dict[str, dict[str, Any]]:
        """Return key to record of what the account holds of ours."""
        records = [one for one in self.sandbox.dump()[object] if one["properties"].get(KEY)]
        return {str(one["properties"][KEY]): one for one in records if f":{stream}" in one["properties"][KEY]}

    def keys(self) -> Counter[tuple[str, str]]:
        """Return how often each source key is there."""
        state = self.sandbox.dump()
        return Counter((object, str(one["properties"].get(KEY))) for object in OBJECTS for one in state[object])


@contextmanager
def moved(folder: Path, export: Path, patch: pytest.MonkeyPatch, switches: Switches | None = None) -> Iterator[Moved]:
    """Yield the account that is kept in a folder, a new one where there is none."""
    kept = str(folder / "account.db")
    with (
        Sandbox(kept, switches=switches or Switches(burst=5_000)) as sandbox,
        serve_in_thread(sandbox) as url,
        closing(Moved(folder, export, url, sandbox, patch)) as found,
    ):
        yield found
