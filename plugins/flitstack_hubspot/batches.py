"""Writes records a hundred at a time, and finds out for each what became of it.

Sources: HubSpot developer documentation, "Error handling", multi-status errors: with a trace id in each input, a batch
create answers 207 and says which were made and which were not; without one, or when the request itself is wrong, it is
refused as a whole with 400 and nothing is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.errors import FlitError, InDoubt, Rejected
from flitstack.protocols import Outcome, full_key
from flitstack_hubspot.answers import NOT_FOUND, Call, data_of, mentions, refusal_of
from flitstack_hubspot.codec import properties_of, written_time
from flitstack_hubspot.links import association_links, associations_of, write_links
from flitstack_hubspot.objects import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flitstack.protocols import Operation
    from flitstack.web.answers import Answer
    from flitstack_hubspot.client import Client
    from flitstack_hubspot.objects import Directory, Shape

Results = dict[int, Outcome]
REFUSED_WHOLE = (400, 409, 413, 422)


class Batches:
    """Writes the records of one account."""

    def __init__(self, client: Client, directory: Directory) -> None:
        self._client = client
        self._directory = directory

    async def write(self, shape: Shape, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry out operations of one object and verb, and return an outcome for each, in their order."""
        verb = operations[0].verb
        send = {"create": self._create, "update": self._update, "delete": self._delete}[verb]
        found: Results = {}
        inputs: dict[int, dict[str, Any]] = {}
        for operation in operations:
            try:
                inputs[operation.id] = self._input(shape, operation)
            except Rejected as exc:
                found[operation.id] = Outcome(operation.id, error=exc)
        ready = [operation for operation in operations if operation.id in inputs]
        if ready:
            try:
                found |= await send(shape, ready, inputs)
            except FlitError as exc:
                found |= {operation.id: Outcome(operation.id, error=exc) for operation in ready}
        return [found[operation.id] for operation in operations]

    def _input(self, shape: Shape, operation: Operation) -> dict[str, Any]:
        """Return what stands for an operation in a batch.

        :raises Rejected: it cannot be sent as it is.
        """
        if operation.verb != "create" and operation.destination_id is None:
            raise Rejected(NOT_FOUND, f"The {operation.object} has no id in the account.", "Plan again.")
        if operation.verb == "delete":
            return {"id": operation.destination_id}
        properties = properties_of(shape, operation.fields, operation.links, self._directory)
        if operation.verb == "update":
            return {"id": operation.destination_id, "properties": properties}
        associations = associations_of(shape, operation, self._directory)
        if shape.is_activity and not associations:
            raise Rejected(
                "parent_missing",
                f"A {shape.object} must hang on one of {', '.join(shape.default)}.",
                "Link it in the mapping.",
            )
        properties = {name: value for name, value in properties.items() if value} | {KEY: _key(operation)}
        if shape.is_activity:  # required; where the mapping knows none, an activity stands where it was written
            properties.setdefault("hs_timestamp", written_time(self._client.clock.now().isoformat()))
        return {"objectWriteTraceId": str(operation.id), "properties": properties, "associations": associations}

    # --- creating ---

    async def _create(self, shape: Shape, operations: Sequence[Operation], inputs: Mapping[int, Any]) -> Results:
        call = _call(shape, "create", [inputs[operation.id] for operation in operations])
        answer = await self._client.answer(call)
        if answer.status in REFUSED_WHOLE:
            return await self._refused(call, answer, shape, operations, inputs, self._create)
        data = data_of(call, answer)
        made = _made(operations, data.get("results") or ())
        told = data.get("errors") or []
        errors = {trace: error for error in told for trace in _context(error, "objectWriteTraceId")}
        found: Results = {}
        if len(errors) < len(told) and len(made) + len(told) == len(operations):  # who was not made was refused
            if len(operations) == 1:
                errors = {str(operations[0].id): told[0]}
            else:
                found = await self._one_by_one(shape, [one for one in operations if one.id not in made], inputs)
        for operation in [one for one in operations if one.id not in found]:
            id, error = made.get(operation.id), errors.get(str(operation.id))
            if id is not None:
                found[operation.id] = Outcome(operation.id, id)
            elif error is not None:
                found[operation.id] = _refused_one(call, operation, error, inputs[operation.id]["properties"])
            else:
                said = InDoubt(f"hubspot: {call.words} answered, but not for every record; the others are looked up.")
                found[operation.id] = Outcome(operation.id, error=said)
        return found

    async def _one_by_one(self, shape: Shape, operations: Sequence[Operation], inputs: Mapping[int, Any]) -> Results:
        """Send again, each alone, creates that were refused without a word of whose refusal is whose."""
        found: Results = {}
        for operation in operations:
            try:
                found |= await self._create(shape, [operation], inputs)
            except FlitError as exc:
                found[operation.id] = Outcome(operation.id, error=exc)
        return found

    async def _refused(
        self,
        call: Call,
        answer: Answer,
        shape: Shape,
        operations: Sequence[Operation],
        inputs: Mapping[int, Any],
        send: Callable[[Shape, Sequence[Operation], Mapping[int, Any]], Any],
    ) -> Results:
        """Send the halves of a batch that was refused as a whole, until the records at fault stand alone."""
        if len(operations) > 1:
            middle = len(operations) // 2
            found: Results = await send(shape, operations[:middle], inputs)
            try:
                return {**found, **await send(shape, operations[middle:], inputs)}
            except FlitError as exc:
                return {**found, **{one.id: Outcome(one.id, error=exc) for one in operations[middle:]}}
        operation = operations[0]
        properties = inputs[operation.id].get("properties", {})
        return {operation.id: _refused_one(call, operation, answer.parsed() or {}, properties)}

    # --- changing ---

    async def _update(self, shape: Shape, operations: Sequence[Operation], inputs: Mapping[int, Any]) -> Results:
        """Change properties, then associations: each can be said again without harm."""
        found: Results = {operation.id: Outcome(operation.id, operation.destination_id) for operation in operations}
        changed = [operation for operation in operations if inputs[operation.id]["properties"]]
        if changed:
            found |= await self._change(shape, changed, inputs)
        linked = [one for one in operations if association_links(one) and found[one.id].error is None]
        return {**found, **await self._link(shape, linked)} if linked else found

    async def _change(self, shape: Shape, operations: Sequence[Operation], inputs: Mapping[int, Any]) -> Results:
        call = _call(shape, "update", [inputs[operation.id] for operation in operations])
        answer = await self._client.answer(call)
        if answer.status in REFUSED_WHOLE or (answer.status == 404 and len(operations) > 1):
            return await self._refused(call, answer, shape, operations, inputs, self._change)
        data = data_of(call, answer)
        done = {str(result["id"]) for result in data.get("results") or ()}
        open_ = [operation for operation in operations if operation.destination_id not in done]
        found: Results = {one.id: Outcome(one.id, one.destination_id) for one in operations if one not in open_}
        if len(open_) == len(operations) == 1:
            error = next(iter(data.get("errors") or ()), {"category": "OBJECT_NOT_FOUND"})
            return {open_[0].id: _refused_one(call, open_[0], error, inputs[open_[0].id]["properties"])}
        for operation in open_:
            found |= await self._change(shape, [operation], inputs)
        return found

    async def _link(self, shape: Shape, operations: Sequence[Operation]) -> Results:
        try:
            failed = await write_links(self._client, shape, operations, self._directory)
        except Rejected as exc:
            if len(operations) == 1:
                return {operations[0].id: Outcome(operations[0].id, error=exc)}
            found: Results = {}
            for operation in operations:
                found |= await self._link(shape, [operation])
            return found
        gone = Rejected(NOT_FOUND, f"A record that a {shape.object} links to is gone.", "Plan again.")
        return {
            one.id: Outcome(one.id, error=gone) if one.id in failed else Outcome(one.id, one.destination_id)
            for one in operations
        }

    async def _delete(self, shape: Shape, operations: Sequence[Operation], inputs: Mapping[int, Any]) -> Results:
        await self._client.send(_call(shape, "archive", [inputs[operation.id] for operation in operations]))
        return {operation.id: Outcome(operation.id, operation.destination_id) for operation in operations}


def _call(shape: Shape, what: str, inputs: list[Any]) -> Call:
    return Call("POST", f"/crm/v3/objects/{shape.path}/batch/{what}", body={"inputs": inputs})


def _made(operations: Sequence[Operation], results: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return operation to id of the records that were made, known by trace id, or by their key."""
    traces = {str(operation.id): operation.id for operation in operations}
    keys = {_key(operation): operation.id for operation in operations}
    made: dict[int, str] = {}
    for result in results:
        trace = str(result.get("objectWriteTraceId") or "")
        key = str((result.get("properties") or {}).get(KEY) or "")
        operation = traces.get(trace, keys.get(key))
        if operation is not None:
            made[operation] = str(result["id"])
    return made


def _key(operation: Operation) -> str:
    return full_key(operation.key, operation.part)


def _context(error: Mapping[str, Any], name: str) -> list[str]:
    found = (error.get("context") or {}).get(name) or ()
    return [str(one) for one in ([found] if isinstance(found, str) else found)]


def _refused_one(call: Call, operation: Operation, error: Mapping[str, Any], names: Mapping[str, Any]) -> Outcome:
    """Return the outcome of a record that was refused; one whose key is taken was made before."""
    if operation.verb == "create" and mentions(error, KEY):
        said = InDoubt(f"hubspot: {call.words}: a record with this key is there already; it is looked up.")
        return Outcome(operation.id, error=said)
    return Outcome(operation.id, error=refusal_of(call.words, error, names))
