"""A small practice, migrated once into a sandbox in a file; each test spoils a copy of it and reads it back."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.conftest import Site, write_export

from flitstack.journal import Journal
from flitstack.registry import load_plugins
from flitstack.stages.context import StopFlag
from flitstack.stages.proof.recheck import RecheckOptions, recheck
from flitstack.testing.migration import Words
from flitstack_pipedrive.sandbox.app import Sandbox
from flitstack_pipedrive.sandbox.hand import Hand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flitstack.stages.proof.recheck import RecheckReport


@dataclass(frozen=True)
class Moved:
    """A migrated practice."""

    site: Site

    def read_back(self, **options: Any) -> RecheckReport:
        """Read back as `flit verify` does."""
        sets = (f"dest.base_url=sandbox:{self.site.account}?plan=ultimate&seats=5",)
        asked = RecheckOptions(self.site.journal, sets, **options)
        return asyncio.run(recheck(asked, Words(), StopFlag(), registry=load_plugins()))

    @contextmanager
    def account(self) -> Iterator[Sandbox]:
        """Open the account, as nobody at the practice could."""
        with Sandbox(str(self.site.account), plan="ultimate", seats=5) as sandbox:
            yield sandbox

    @contextmanager
    def hand(self) -> Iterator[Hand]:
        """Open the account as its admin at the web application."""
        with self.account() as sandbox:
            account = sandbox._account
            yield Hand(account, next(iter(account.members.values())))

    def docs(self, table: str) -> list[dict[str, Any]]:
        """Return the live records of one kind, oldest first."""
        with self.account() as sandbox:
            return list(sandbox._account.store.docs(table))

    def spoil(self, table: str, number: int, change: Callable[[dict[str, Any]], None], *, gone: bool = False) -> None:
        """Change a record below the API: no stamp of a change, no user who did it."""
        with self.account() as sandbox:
            store = sandbox._account.store
            row = store.find(table, [("id = ?", (number,))])
            assert row is not None
            doc = dict(row.doc)
            change(doc)
            hidden = {name: doc.get(name, value) for name, value in row.hidden.items()}
            with store.transaction():
                store.put(table, replace(row, doc=doc, hidden=hidden, deleted=gone or row.deleted))

    def key(self, object_: str, destination_id: object) -> str:
        """Return the key of one of our records by its id in the account."""
        with Journal.existing(self.site.journal) as journal:
            links = [link for link in journal.records.links(object_) if link.destination_id == str(destination_id)]
        (link,) = links
        return link.key + (f"#{link.part}" if link.part else "")


@pytest.fixture(scope="session")
def moved_once(tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """The practice, migrated; copied for each test."""
    folder = tmp_path_factory.mktemp("moved")
    write_export(folder / "export", 12, 5)
    site = Site(folder, settings=("profile=full",))
    done = site.run()
    assert done.code in (0, 1), done.err
    return Moved(site)


@pytest.fixture
def moved(moved_once: Moved, tmp_path: Path) -> Moved:
    """A migrated practice of one's own."""
    for path in (moved_once.site.journal, moved_once.site.account):
        shutil.copy(path, tmp_path / path.name)
    return Moved(replace(moved_once.site, folder=tmp_path))
