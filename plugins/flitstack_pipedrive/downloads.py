"""Documents read back: their bytes are wherever Pipedrive says, and only their checksum is of interest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flitstack.errors import Unavailable
from flitstack_pipedrive.answers import Call, data_of

if TYPE_CHECKING:
    from flitstack.web.answers import Answer
    from flitstack_pipedrive.client import Client

ATTEMPTS = 3
PAUSE_S = 2.0
DOWN = (408, 429, 500, 502, 503, 504)


async def sha256_of(client: Client, path: str, destination_id: str) -> str:
    """Return the SHA-256 (hexadecimal) of a document's bytes.

    The API may answer with the bytes, or with the place where they are kept: the token is not sent there.

    :param path: of the download, as the specification spells it.
    :raises Rejected: there is no such document. :raises FlitError: as `answers` says.
    """
    call = Call(1, "GET", path, {"id": destination_id})
    answer = await _answered(client, call)
    place = answer.headers.get("location", "")
    if 300 <= answer.status < 400 and place.startswith("https://"):
        answer = await client.elsewhere(place)
        if answer.status != 200:
            raise Unavailable(f"pipedrive: {call.words} leads to a server that refuses it. Run it again later.")
    if answer.status != 200:
        data_of(call, answer)
    return hashlib.sha256(answer.content).hexdigest()


async def _answered(client: Client, call: Call) -> Answer:
    """Return the answer to a read, tried a few times.

    :raises Unavailable: there was none, or none that holds.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = await client.once(call)
        except Unavailable:
            if attempt == ATTEMPTS:
                raise
        else:
            if answer.status not in DOWN:
                return answer
        await client.clock.sleep(PAUSE_S * attempt)
    raise Unavailable(f"pipedrive: {call.words} is not answered now. Run the same command again later.")
