"""Whatever native field somebody fills in on a record of ours, an undo keeps the record and names the field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.test_rollback import hand_of, open_account, undo

from flitstack_pipedrive.codec.records import Directory, decode
from flitstack_pipedrive.codec.shapes import SHAPES
from flitstack_pipedrive.sandbox.hand import PATHS

if TYPE_CHECKING:
    from pathlib import Path

FILLED: dict[str, tuple[tuple[str, Any], ...]] = {
    "activity": (
        ("location", {"value": "2 Quay Street"}), ("public_description", "Bring the X-rays."), ("busy", True),
    ),
    "person": (("label_ids", [1]), ("visible_to", 1)),
    "deal": (("probability", 40), ("visible_to", 1)),
}  # fmt: skip


def test_what_people_fill_in_natively_keeps_its_record_from_an_undo(tmp_path: Path, make_site: Any) -> None:
    from tests.e2e.conftest import write_export

    site = make_site(tmp_path)
    write_export(site.export, 12, 5)
    assert site.run().code == 0
    touched: dict[str, str] = {}
    with open_account(site) as sandbox:
        hand = hand_of(sandbox)
        for object_, fields in FILLED.items():
            numbers = [doc["id"] for doc in sandbox.account.store.docs(object_)]
            for number, (name, value) in zip(numbers, fields, strict=False):
                hand.do("PATCH", f"{PATHS[object_]}/{number}", {name: value})
                touched[f"{object_}:{number}"] = name

    undone = undo(site)

    assert undone.code == 1, undone.err
    with open_account(site) as sandbox:
        left = {f"{object_}:{doc['id']}" for object_ in FILLED for doc in sandbox.account.store.docs(object_)}
    assert set(touched) <= left
    listed = {conflict["field"] for conflict in undone.report["conflicts"]}
    assert set(touched.values()) <= listed


def test_every_native_field_that_is_only_seen_tells_two_values_apart() -> None:
    for shape in SHAPES.values():
        for name in shape.seen:
            raw = {"id": 1, "content": "", "note": ""}
            one, other, none = (decode(shape, {**raw, name: value}, Directory()) for value in (1, 2, None))
            assert one.fields[name] != other.fields[name]
            assert name not in none.fields
