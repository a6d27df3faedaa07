"""On the wire: each refusal becomes the error that says what to do next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import AuthError, PlanLimit, Rejected
from flitstack_pipedrive.account import ME
from flitstack_pipedrive.answers import Call

if TYPE_CHECKING:
    from tests.cassettes.taping import Actor, Tape

SLOTS_OF_LITE = 30


@pytest.mark.cassette("error-401")
def test_a_token_that_is_not_accepted_is_an_error_of_signing_in(tape: Tape) -> None:
    async def scenario(actor: Actor) -> None:
        with pytest.raises(AuthError, match="PIPEDRIVE_API_TOKEN"):
            await actor.writer.account()

    tape.play(scenario, token="of-nobody")


@pytest.mark.cassette("error-403-plan", plan="lite", modelled=True)
def test_a_field_too_many_for_the_plan_is_an_error_of_the_plan(tape: Tape) -> None:
    async def scenario(actor: Actor) -> None:
        for number in range(SLOTS_OF_LITE):
            await actor.apply("create", "field", {"name": f"F{number:02}__c", "of": "person", "type": "varchar"})

        error, id = await actor.attempt("create", "field", {"name": "F30__c", "of": "person", "type": "varchar"})

        assert isinstance(error, PlanLimit)
        assert "custom fields" in str(error)
        assert id is None
        assert (await actor.writer.account()).slots["field"] == 0

    tape.play(scenario)


@pytest.mark.cassette("error-400")
def test_a_refused_value_or_key_is_named_and_its_value_is_not(tape: Tape) -> None:
    async def scenario(actor: Actor) -> None:
        await actor.key_field("person")
        await actor.apply("create", "field", {"name": "Date_Of_Birth__c", "of": "person", "type": "date"})

        error, _ = await actor.attempt("create", "person", {"name": "Canary", "Date_Of_Birth__c": "canary-date"})

        assert isinstance(error, Rejected)
        assert (error.code, error.field) == ("destination_refused", "Date_Of_Birth__c")
        assert "anary" not in str(error)

    async def unknown_key() -> None:
        client = tape.client()
        try:
            with pytest.raises(Rejected, match="no_such_key") as caught:
                await client.send(Call(2, "POST", "/persons", body={"name": "Canary", "no_such_key": "canary"}))
        finally:
            await client.aclose()
        assert "anary" not in str(caught.value)

    tape.play(scenario)
    asyncio.run(unknown_key())


@pytest.mark.cassette("error-404")
def test_a_record_that_is_not_there_is_a_rejection_and_is_not_found(tape: Tape) -> None:
    async def scenario(actor: Actor) -> None:
        await actor.key_field("person")
        id = await actor.apply("create", "person", {"name": "Pat Example"})
        await actor.apply("delete", "person", {}, id=id)

        error, _ = await actor.attempt("update", "note", {"content": "x"}, id="999999999")

        assert isinstance(error, Rejected)
        assert error.code == "destination_not_found"
        assert await actor.writer.get_many("person", [id]) == []

    tape.play(scenario)


@pytest.mark.cassette("error-429", burst=5, modelled=True)
def test_a_write_refused_with_429_waits_for_the_window_and_is_sent_again_once(tape: Tape) -> None:
    async def scenario(actor: Actor) -> None:
        await actor.key_field("person")
        await actor.apply("create", "person", {"name": "First Example"})  # four requests so far
        other = tape.client()  # another program with the same token takes the last place in the window
        await other.send(ME)
        await other.aclose()
        before, began = actor.writer.spent(), actor.clock.monotonic()

        id = await actor.apply("create", "person", {"name": "Second Example"})

        assert actor.writer.spent().requests == before.requests + 2
        assert actor.clock.monotonic() - began >= 1
        persons = [stored.id async for stored in actor.writer.list("person")]
        assert persons[-1:] == [id]
        assert len(persons) == 2

    tape.play(scenario)
