"""The account in its file: it survives, it is dumped, and a file that is none is refused."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import UsageError
from flitstack_pipedrive.sandbox.app import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx


def fill(client: httpx.Client) -> None:
    """Put one of everything into the account."""
    options = [{"label": "Prophy"}, {"label": "Perio"}]
    body = {"field_name": "Recall_Type__c", "field_type": "set", "options": options}
    recall = client.post("/api/v2/personFields", json=body).json()["data"]
    body = {"field_name": "Code__c", "field_type": "enum", "options": [{"label": "D1110"}]}
    code = client.post("/api/v2/dealFields", json=body).json()["data"]
    chosen = [option["id"] for option in recall["options"]]
    customs = {recall["field_code"]: chosen}
    person = client.post("/api/v2/persons", json={"name": "A", "custom_fields": customs}).json()["data"]["id"]
    client.post("/api/v2/organizations", json={"name": "Lab"})
    option = code["options"][0]["id"]
    client.post("/api/v2/deals", json={"title": "B", "custom_fields": {code["field_code"]: option}})
    client.post("/v1/leads", json={"title": "C", "person_id": person, code["field_code"]: str(option)})
    client.post("/api/v2/activities", json={"participants": [{"person_id": person}]})
    client.post("/v1/notes", json={"content": "D", "person_id": person})
    client.post("/v1/files", files={"file": ("a.txt", b"E")}, data={"person_id": str(person)})


def test_the_account_is_the_same_after_reopening_its_file(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], tmp_path: Path
) -> None:
    path = str(tmp_path / "account.db")
    first = open_sandbox(path, seed=7)
    fill(sign_in(first))
    before, users = first.dump(), first.users
    first.close()

    again = open_sandbox(path, seed=8)

    assert again.dump() == before
    assert again.users == users
    made = sign_in(again).post("/api/v2/persons", json={"name": "B"}).json()["data"]
    assert made["id"] == 2


def test_the_dump_names_custom_values_by_field_and_option(sandbox: Sandbox, admin: httpx.Client) -> None:
    fill(admin)

    state = sandbox.dump()

    assert state["person"][0]["by_name"] == {"Recall_Type__c": ["Prophy", "Perio"]}
    assert state["deal"][0]["by_name"] == {"Code__c": "D1110"}
    assert state["lead"][0]["by_name"] == {"Code__c": "D1110"}
    assert [(field["of"], field["field_name"]) for field in state["field"]] == [
        ("person", "Recall_Type__c"),
        ("deal", "Code__c"),
    ]
    counts = {name: len(state[name]) for name in ("organization", "activity", "note", "file", "pipeline", "user")}
    assert counts == {"organization": 1, "activity": 1, "note": 1, "file": 1, "pipeline": 1, "user": 3}


def test_the_dump_leaves_out_what_is_deleted(sandbox: Sandbox, admin: httpx.Client, person: int) -> None:
    admin.delete(f"/api/v2/persons/{person}")

    assert sandbox.dump()["person"] == []


def test_two_accounts_of_one_seed_are_alike_and_of_two_seeds_are_not(open_sandbox: Callable[..., Sandbox]) -> None:
    one, twin, other = open_sandbox(seed=1), open_sandbox(seed=1), open_sandbox(seed=2)

    assert one.users == twin.users
    assert one.users != other.users


def test_a_temporary_account_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Sandbox() as sandbox:
        assert list(tmp_path.iterdir())

    sandbox.close()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_only_its_owner_can_read_the_state(open_sandbox: Callable[..., Sandbox], tmp_path: Path) -> None:
    path = tmp_path / "account.db"

    open_sandbox(str(path))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_no_account_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("shopping list " * 100)

    with pytest.raises(UsageError, match=r"notes\.txt"):
        Sandbox(str(path))
    with pytest.raises(UsageError, match="missing"):
        Sandbox(str(tmp_path / "missing" / "account.db"))
    assert path.read_text().startswith("shopping list")


def test_another_program_s_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "flit.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE journal (id)")

    with pytest.raises(UsageError, match="another database"):
        Sandbox(str(path))

    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("journal",)]


def test_an_unknown_plan_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="lite, growth, premium, ultimate"):
        Sandbox(plan="gold")


def test_a_refused_write_leaves_no_trace(sandbox: Sandbox, admin: httpx.Client) -> None:
    before: Any = sandbox.dump()

    admin.post("/api/v2/persons", json={"name": "A", "custom_fields": {"x": 1}})
    admin.post("/v1/notes", json={"content": "A"})

    assert sandbox.dump() == before
