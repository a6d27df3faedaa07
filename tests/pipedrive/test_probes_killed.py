"""A probe may die at any request: the next one removes what it left, and nothing else."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.pipedrive.probing import Death, Killed, Site

from flitstack.errors import ApprovalNeeded
from flitstack_pipedrive.probes.catalogue import QUESTIONS
from flitstack_pipedrive.sandbox.app import Switches

if TYPE_CHECKING:
    from pathlib import Path

LONG = os.environ.get("FLITSTACK_LONG") == "1"
EVERY_OBJECT = ("deleting_an_organization", "repeated_names")
ASKED = tuple(QUESTIONS) if LONG else EVERY_OBJECT


@pytest.mark.parametrize("after", [False, True])
def test_whatever_request_was_the_last_the_next_probe_leaves_the_account_as_it_was(tmp_path: Path, after: bool) -> None:
    site = Site(tmp_path, Switches(list_lag_s=2))
    deaths = 0
    with closing(site.sandbox):
        before = site.sandbox.canonical()
        for at in range(1, 1_000):
            site.death = Death(at, after)
            try:
                site.probe(*ASKED)
            except Killed:
                deaths += 1
            else:
                break
            site.death = Death()

            again = site.probe("page_limit")

            assert (at, site.sandbox.canonical() == before, again.left) == (at, True, [])
            site.clock.advance(60)
    assert deaths > 20


def test_a_probe_that_dies_while_it_cleans_up_is_cleaned_up_after(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with closing(site.sandbox):
        before = site.sandbox.canonical()
        site.death = Death(9, after=True)
        with pytest.raises(Killed):
            site.probe("deleting_an_organization")
        left = len(site.sandbox.dump()["person"]) + len(site.sandbox.dump()["organization"])
        assert left > 0
        for at in (3, 4, 5):
            site.death = Death(at)
            with pytest.raises(Killed):
                site.probe("page_limit")

        site.death = Death()
        site.probe("page_limit")

        assert site.sandbox.canonical() == before


def test_the_gate_says_what_an_interrupted_probe_left(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with closing(site.sandbox):
        site.death = Death(5, after=True)
        with pytest.raises(Killed):
            site.probe("deleting_a_person")
        site.death = Death()

        with pytest.raises(ApprovalNeeded, match=r"First removes \d records that an interrupted probe may have left"):
            site.probe("page_limit", unseen=None)
