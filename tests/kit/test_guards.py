"""Guards around every test of the kit, and that no standard test goes missing without a reason that shows."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING

import pytest

from flitstack.testing.kit.guards import guarded
from flitstack.testing.kit.running import run_module

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "canary-1f2e3d"
HEAD = """
import logging, os, socket
import pytest
from flitstack.testing import Suite
from flitstack.testing.kit.levels import check

class Standard(Suite):
    kind = "standard"

    @check("W1", "bronze")
    def test_one(self):
        "It does one thing."

    @check("W2", "silver")
    def test_two(self):
        "It does another."
"""


def test_what_changes_the_environment_is_told() -> None:
    with pytest.raises(AssertionError, match="environment was changed"), guarded():
        os.environ["FLITSTACK_KIT_CANARY"] = "1"

    del os.environ["FLITSTACK_KIT_CANARY"]


def test_what_changes_the_logging_is_told() -> None:
    handler = logging.NullHandler()
    with pytest.raises(AssertionError, match="logging of the process was changed"), guarded():
        logging.getLogger().addHandler(handler)

    logging.getLogger().removeHandler(handler)


def test_what_reaches_for_the_network_is_refused_and_told() -> None:
    def reach() -> None:
        with guarded(), socket.socket() as sock, pytest.raises(OSError, match="reaches no network"):
            sock.connect(("192.0.2.1", 80))

    with pytest.raises(AssertionError, match=r"tried to reach 192\.0\.2\.1"):
        reach()


def test_this_machine_itself_may_be_reached() -> None:
    with guarded(), socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as sock:
        sock.connect(server.getsockname())


@pytest.mark.parametrize("way", ["message", "log", "file"])
def test_a_secret_that_shows_is_told_without_saying_it(way: str, tmp_path: Path) -> None:
    def show() -> None:
        with guarded() as guards:
            guards.secrets.add(SECRET)
            guards.folders.append(tmp_path)
            if way == "message":
                guards.said.append(f"401 for {SECRET}")
            elif way == "log":
                logging.getLogger("acme").debug("401 for %s", SECRET)
            else:
                (tmp_path / "report.html").write_text(SECRET)

    with pytest.raises(AssertionError, match="a secret shows") as told:
        show()

    assert SECRET not in str(told.value)


def test_an_account_may_know_its_own_secret(tmp_path: Path) -> None:
    with guarded() as guards:
        guards.secrets.add(SECRET)
        guards.folders.append(tmp_path)
        guards.theirs.add(tmp_path / "account")
        (tmp_path / "account").mkdir()
        (tmp_path / "account" / "users.db").write_text(SECRET)


def test_a_standard_test_that_was_replaced_fails_the_suite() -> None:
    found = run_module(f"{HEAD}\nclass TestMine(Standard):\n    def test_one(self): pass\n")

    assert {one["outcome"] for one in found} == {"failed"}
    assert "replaces test_one" in found[0]["reason"]


def test_a_standard_test_that_was_deleted_fails_the_suite() -> None:
    found = run_module(f"{HEAD}\nclass TestMine(Standard):\n    test_one = None\n")

    assert [(one["id"], one["outcome"]) for one in found] == [("W2", "failed")]
    assert "replaces test_one" in found[0]["reason"]


def test_a_standard_test_may_be_left_out_for_a_reason_that_shows() -> None:
    waived = '    @pytest.mark.xfail(reason="the account cannot")\n    def test_one(self): assert False\n'
    found = run_module(f"{HEAD}\nclass TestMine(Standard):\n{waived}")

    assert {one["id"] or "own": (one["outcome"], one["reason"]) for one in found} == {
        "own": ("waived", "the account cannot"),
        "W2": ("passed", ""),
    }


def test_tests_above_the_level_are_not_collected() -> None:
    found = run_module(f"{HEAD}\nclass TestMine(Standard):\n    level = 'bronze'\n")

    assert [(one["id"], one["outcome"]) for one in found] == [("W1", "passed")]


def test_what_a_test_prints_is_searched_for_secrets() -> None:
    own = f"    def test_own(self, guards):\n        guards.secrets.add({SECRET!r})\n        print({SECRET!r})\n"
    found = run_module(f"{HEAD}\nclass TestMine(Standard):\n{own}")

    assert [one["outcome"] for one in found if not one["id"]] == ["failed"]
