"""A small invented load that has everything in it once: circles, orphans, groups, folds, owners, what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flitstack.testing.memory_source import MemoryExport


def small_load(export: MemoryExport) -> None:
    """Add the load to an export."""
    export.add("staff", "s1", name="Sam", email="sam@example.org")
    export.add("staff", "s2", name="Nora", email="nora@example.org")
    export.add("companies", "1", name="Ace", main_id="1", partner_id="2")
    export.add("companies", "2", name="Bee", partner_id="1")
    export.add("contacts", "1", name="Ann", phone="1", company_id="1", boss_id="2", staff_id="s1")
    export.add("contacts", "2", name="Bob", company_id="1", boss_id="1", staff_id="s2")
    export.add("contacts", "3", name=None)
    export.add("contacts", "4", name="Dan", status="inactive")
    export.add("contacts", "5", name="Eve", boss_id="5")
    export.add("labels", "l1", contact_id="1", label="blue")
    export.add("labels", "l2", contact_id="4", label="red")
    for number, contact in enumerate(("1", "2", "3", "4", "9")):
        export.add("visits", f"v{number}", contact_id=contact, kind="check", note=f"note {number}")
    export.add("visits", "v5", contact_id="1", kind="unheard of", note="note 5")
    export.add("tasks", "t1", contact_id="1", day="2026-06-01", what="sweep")
    export.add("tasks", "t2", contact_id="1", day="2026-06-01", what="mop")
    export.add("tasks", "t3", contact_id="2", day="2026-06-01", what="dust")
    export.add("memos", "m1", contact_id="1", name="plan.txt", size=3)
    export.add("memos", "m2", contact_id="1", name="plan.txt", size=4)
    export.add("ledger", "g1", amount="1")
