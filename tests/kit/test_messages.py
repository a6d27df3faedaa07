"""What a failure says: what was seen, what is expected, and where its author looks; never a bare assertion."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flitstack.testing import kit
from flitstack.testing.kit.running import run_module

MODULES = sorted(Path(str(kit.__file__)).parent.glob("*.py"))

#: Broken destination and id of a test to what its failure must say.
SAID: dict[tuple[str, str], tuple[str, ...]] = {
    ("id_loser", "B4"): ("asked for 6 ids of contact", "left out memory:contacts:6", "all that exist are found"),
    ("id_gusher", "B4"): ("asked for 6 ids of contact", "gave memory:contacts:7 too", "no other is given"),
    ("id_key_less", "B4"): (" with the source key None",),
    ("first_page", "B5"): ("of 103 contact records with a source key 99 are listed, 99 times", "first page of 100"),
    ("key_less", "B1"): ("is listed with the key None, and key_in is", "see list()"),
    ("since_ignorer", "B2"): ("gives memory:contacts:2, memory:contacts:3, which are older", "filter_since=False"),
    ("soft_deleter", "B3"): ("apply() deleted memory:contacts:2 (contact)", "picture() still shows it"),
    ("soft_deleter", "R1"): ("after an undo the account is not as it was: not wanted: ", "See deletes"),
    ("rosy_reader", "P4"): ("a person changed the name of one contact, and reading back tells of 0", "ask the account"),
    ("rosy_reader", "R2"): ("memory:contacts:7 was edited by a person, and an undo deleted it", "get_many()"),
    ("dirty_dry_run", "P1"): ("planning changed the account 1 times",),
    ("dirty_dry_run", "P5"): ("a dry run sent 1 writes", "schema()"),
    ("cheap_talker", "L4"): ("spent() c", "and the account "),
    ("cheap_talker", "L5"): ("budget units, and the run spent ", "a tenth is let pass", "page_size"),
    ("hasty_retrier", "L1"): ("the account asked to wait 2.0 s, and the next request came after ", "retry_after_s"),
    ("budget_ignorer", "L2"): ("at most 12 are let pass", "context.exhausted"),
    ("odd_sign_in", "F7"): ("ends the run with exit code 7, and a sign-in ends it with 4", "flitstack.errors"),
    ("retry_on_refusal", "F8"): ("a refused write was sent again", "sends no second time"),
    ("error_swallower", "F3"): ("commit_then_drop at write 1 of ", "no run was done", "apply() was told"),
    ("clobberer", "W11"): ("name is 'Ann' and must be 'Ann the Elder': a person wrote it",),
    ("gossip", "X2"): ("hold a contact's name", "names the record's key"),
    ("wrong_parent", "W7"): ("wrong link: visit memory:visits:", "apply() was told"),
}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_assertion_of_the_kit_is_without_words(module: Path) -> None:
    asserts = [one for one in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(one, ast.Assert)]

    assert [one.lineno for one in asserts if one.msg is None] == []


def test_failures_say_what_was_seen_what_is_expected_and_where_to_look() -> None:
    lines = ["from flitstack.testing import DestinationSuite"]
    for name in dict.fromkeys(name for name, _ in SAID):
        lines += [
            f"class Test_{name}(DestinationSuite):",
            "    plugin = 'flitstack.testing.broken:PLUGIN'",
            f"    port = 'flitstack.testing.broken:{name}'",
        ]
    found = run_module("\n".join(lines) + "\n", [f"Test_{name}:{id_}" for name, id_ in SAID])

    reasons: dict[tuple[str, str], str] = {}
    for one in found:
        if one["outcome"] == "failed":
            place = one["suite"].removeprefix("Test_"), one["id"]
            reasons[place] = f"{reasons.get(place, '')}\n{one['reason']}"
    wrong = {
        place: reasons.get(place, "it passed")
        for place, parts in SAID.items()
        if not all(part in reasons.get(place, "") for part in parts)
    }
    assert wrong == {}


def test_formulas_in_a_sheet_are_seen() -> None:
    lines = [
        "from flitstack.stages.rejects import sheets",
        "from flitstack.testing import DestinationSuite",
        "sheets.protected = lambda cell: '=' + cell",
        "class TestOpen(DestinationSuite):",
        "    plugin = 'flitstack.testing.broken:PLUGIN'",
        "    port = 'flitstack.testing.simulation.memory_port:PORT'",
    ]
    (one,) = run_module("\n".join(lines) + "\n", ["X6"])

    assert one["outcome"] == "failed"
    assert "which a spreadsheet runs" in one["reason"]
