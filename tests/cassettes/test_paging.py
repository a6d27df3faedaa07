"""On the wire: a list is read to its end over several pages, by cursor in version 2, by offset in version 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack_pipedrive.answers import Call

if TYPE_CHECKING:
    from tests.cassettes.taping import Actor, Tape

ROWS, LIMIT, PAGES = 5, 2, 3
OVERLAPPING = 4  # each page by offset begins with the last record of the one before: what is deleted meanwhile shows


@pytest.mark.cassette("pages-by-cursor")
def test_every_record_comes_once_over_several_cursors(tape: Tape) -> None:
    async def scenario(actor: Actor) -> None:
        owner = (await actor.writer.account()).user.id
        await actor.key_field("person")
        made = [await actor.apply("create", "person", {"name": f"Person {n} Example"}) for n in range(ROWS)]
        await actor.clock.sleep(5)
        query = {"sort_by": "id", "sort_direction": "asc", "owner_id": owner}
        client = tape.client()

        found = [str(raw["id"]) async for raw in client.pages(Call(2, "GET", "/persons", query=query), LIMIT)]

        assert [id for id in found if id in made] == made
        assert len(found) == len(set(found))
        assert client.requests >= PAGES
        await client.aclose()

    tape.play(scenario)


@pytest.mark.cassette("pages-by-offset")
def test_every_record_comes_once_over_several_offsets(tape: Tape) -> None:
    async def scenario(actor: Actor) -> None:
        await actor.key_field("person")
        person = await actor.apply("create", "person", {"name": "Pat Example"})
        links = {"person_id": person}
        made = [await actor.apply("create", "note", {"content": f"note {n}"}, links=links) for n in range(ROWS)]
        await actor.clock.sleep(5)
        query = {"sort": "id ASC", "person_id": person}
        client = tape.client()

        found = [str(raw["id"]) async for raw in client.pages(Call(1, "GET", "/notes", query=query), LIMIT)]

        assert found == made
        assert client.requests == OVERLAPPING
        await client.aclose()

    tape.play(scenario)
