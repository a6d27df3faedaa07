"""What people delete in a real account: missing until a run has read it back, a conflict from then on."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.proof.conftest import Moved


def test_a_person_that_somebody_deleted_is_listed_by_the_next_run_and_no_mismatch_after_it(
    moved: Moved, moved_once: Moved
) -> None:
    shutil.copytree(moved_once.site.export, moved.site.export)
    doc = next(doc for doc in moved.docs("person") if doc.get("id") is not None)
    key = moved.key("person", doc["id"])
    with moved.hand() as hand:
        hand.do("DELETE", f"/api/v2/persons/{doc['id']}")

    before = moved.read_back()
    runs = moved.site.run(), moved.site.run()
    after = moved.read_back()

    assert (before.status, before.exit_code) == ("mismatched", 6)
    assert "was there when it was last read back" in before.verification.examples[0][2]
    assert [done.code for done in runs] == [1, 1]
    assert (after.status, after.exit_code) == ("drifted", 0)
    assert [(one.object, one.key, one.kind) for one in after.verification.differences if not one.fields] == [
        ("person", key, "changed")
    ]
