"""What the engine may rely on in Rolo, as its documentation says it."""

from __future__ import annotations

from flitstack.protocols import Behaviours, ObjectBehaviour, PeopleFields, Verb

KEY = "ref"
PAGE = 100
VERBS: frozenset[Verb] = frozenset({"create", "update", "delete"})
COST = {"create": 1, "update": 1, "delete": 1, "list": 1, "get": 1}

PERSON = ObjectBehaviour(
    VERBS, COST, PAGE, key_in=f"field:{KEY}", filter_since=True, delete="hard", limits={"name": 200}
)
NOTE = ObjectBehaviour(VERBS, COST, PAGE, key_in=f"field:{KEY}", parents=("person",), filter_since=True, delete="hard")
BEHAVIOURS = Behaviours(
    {"person": PERSON, "note": NOTE},
    schema_objects=(),
    concurrency=4,
    people={"person": PeopleFields({"name": ("name",), "phones": ("phone",)})},
)
