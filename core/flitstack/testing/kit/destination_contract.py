"""The contract of a destination: what it declares, its settings, its import, its errors; no record is read back yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema

from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    Fatal,
    FlitError,
    InDoubt,
    NotSent,
    PlanLimit,
    RateLimited,
    Rejected,
    Unavailable,
)
from flitstack.testing.kit.bench import DestinationBench, key
from flitstack.testing.kit.common import PluginSuite
from flitstack.testing.kit.declared import contradictions, misfits
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.loads import contacts
from flitstack.testing.kit.offers import check_mistyped
from flitstack.testing.kit.suite import does_not_apply

if TYPE_CHECKING:
    from flitstack.protocols import DestinationPlugin
    from flitstack.testing.kit.bench import Bench

OUTCOMES = (NotSent, RateLimited, BudgetExhausted, InDoubt, Rejected, AuthError, PlanLimit, Unavailable, Fatal)
#: What a fault on a write must be called; anything else loses a record or writes it twice.
MEANINGS: dict[str, tuple[type[Exception], ...]] = {
    "connect": (NotSent,),
    "lost": (InDoubt,),
    "commit_then_drop": (InDoubt,),
    "commit_then_5xx": (InDoubt,),
    "refused_5xx": (InDoubt, Unavailable),
    "truncated": (InDoubt,),
    "not_json": (InDoubt,),
    "signed_out": (AuthError,),
    "blocked": (AuthError, Unavailable, RateLimited, InDoubt),
}


class ContractPart(DestinationBench, PluginSuite):
    """C1, C2, C5 and C7; the others are those of every plugin."""

    kind = "destination"

    @check("C1", "bronze")
    def test_behaviours_are_complete_and_agree_with_themselves(self, offered: DestinationPlugin) -> None:
        """What the destination declares of itself is complete, of the stated types, and does not contradict itself."""
        wrong = misfits(offered.behaviours) or contradictions(offered.behaviours)

        assert not wrong, f"{'; '.join(wrong)}. See ObjectBehaviour in flitstack.protocols, and docs/behaviours.md"

    @check("C2", "bronze")
    def test_settings_have_a_schema_that_helps(self, offered: DestinationPlugin) -> None:
        """The settings are a valid JSON Schema, defaults fit it, and a mistyped name is refused with the right one."""
        schema: Any = offered.settings_schema
        jsonschema.Draft202012Validator.check_schema(schema)
        properties = schema.get("properties", {})
        for setting in properties.values():
            if isinstance(setting, dict) and "default" in setting:
                jsonschema.validate(setting["default"], setting)
        if not properties:
            does_not_apply("it has no settings")
        name = max(properties, key=len)

        check_mistyped(schema, "dest", f"{name}x", name)

    @check("C5", "bronze")
    def test_every_failure_is_an_error_that_says_what_comes_next(self, bench: Bench) -> None:
        """Whatever goes wrong with a write, the outcome is of the error tree, and the right one of it."""
        calm = bench(contacts({"1": "Ann"}))
        calm.run()
        last = calm.world.wire.writes[-1]
        for fault, meanings in MEANINGS.items():
            trial = bench(contacts({"1": "Ann"}), faults={last: fault})
            _run_once(trial)
            assert not trial.recording.failed, f"{fault}: apply raised {type(trial.recording.failed[0]).__name__}"
            assert not trial.recording.miscounted, f"{fault}: not one outcome for each operation, in their order"
            errors = [outcome.error for _, outcome in trial.recording.applied if outcome.error is not None]
            strange = [type(error).__name__ for error in errors if not isinstance(error, OUTCOMES)]
            assert not strange, f"{fault}: {strange[0]} is none of the error tree"
            mine = next((o.error for p, o in trial.recording.applied if p.key == key("contacts", "1")), None)
            assert mine is None or isinstance(mine, meanings), f"{fault} is told as {type(mine).__name__}"
            assert mine is not None or trial.world.struck[fault] == 0 or _is_there(trial), f"{fault} is told as done"

    @check("C7", "bronze")
    def test_every_setting_is_described(self, offered: DestinationPlugin) -> None:
        """Each setting says what it is for, and what comes from the environment or is a secret is a setting."""
        properties = offered.settings_schema.get("properties", {})
        silent = [name for name, setting in properties.items() if not setting.get("description")]
        unknown = (set(offered.settings_environment) | set(offered.secrets)) - set(properties)
        nameless = [name for name in offered.secrets if name not in offered.settings_environment]

        assert not silent, f"no description: {', '.join(silent)}"
        assert not unknown, f"no setting: {', '.join(sorted(unknown))}"
        assert not nameless, f"a secret comes from an environment variable alone: {', '.join(nameless)} has none"


def _is_there(trial: Any) -> bool:
    return any(one.name == key("contacts", "1") for one in trial.picture())


def _run_once(trial: Any) -> None:
    try:
        trial.run()
    except (FlitError, AssertionError):  # what came of it is in what was recorded
        return
