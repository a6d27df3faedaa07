"""Questions about limits: what headers say, what a refusal looks like, whether errors cost, how long a page may be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flitstack.protocols import Probe, ProbeAnswer
from flitstack_pipedrive.account import ME
from flitstack_pipedrive.answers import Call
from flitstack_pipedrive.costs import cost_of
from flitstack_pipedrive.limits import (
    DAY_TOKENS_LEFT_HEADER,
    DAY_WRITES_LEFT_HEADER,
    LIMIT_HEADER,
    REMAINING_HEADER,
    RESET_HEADER,
    RETRY_HEADER,
    header_number,
)
from flitstack_pipedrive.plans import WINDOW_S
from flitstack_pipedrive.probes.desk import Question, took

if TYPE_CHECKING:
    from flitstack.protocols import JSON
    from flitstack.web.answers import Answer
    from flitstack_pipedrive.probes.desk import Desk

DAY_TOKENS_HEADER = "x-daily-ratelimit-token-limit"
HEADERS = (
    LIMIT_HEADER,
    REMAINING_HEADER,
    RESET_HEADER,
    RETRY_HEADER,
    DAY_TOKENS_HEADER,
    DAY_TOKENS_LEFT_HEADER,
    DAY_WRITES_LEFT_HEADER,
)
MOST_AT_ONCE = 130  # above every plan's burst of a personal token; a larger one is left alone
TRIES = 3
REFUSED_READ = Call(2, "GET", "/persons", query={"sort_by": "flit_probe"})
TOO_LONG = Call(2, "GET", "/persons", query={"limit": "501"})


async def limit_headers(desk: Desk) -> ProbeAnswer:
    """Look at the headers of an ordinary write."""
    made = await desk.make("person", {})
    stated = {name: header_number(made.answer.headers, name) for name in HEADERS}
    value: dict[str, JSON] = {name: number for name, number in stated.items() if number is not None}
    words = ", ".join(f"{name} {number:g}" for name, number in stated.items() if number is not None)
    changes = (
        "runs see the day's tokens as they are" if DAY_TOKENS_LEFT_HEADER in value else "tokens are counted by flit"
    )
    return ProbeAnswer(value, words or "none", changes)


async def errors_cost_tokens(desk: Desk) -> ProbeAnswer:
    """Let a read be refused and compare the tokens left before and after."""
    price, refused_price = cost_of(1, "GET", "/users/me"), cost_of(2, "GET", "/persons")
    plain, refused = [], []
    for _ in range(TRIES):
        first, second = await _tokens_left(desk), await _tokens_left(desk)
        answer = await desk.send(REFUSED_READ)
        third = await _tokens_left(desk)
        if first is None or second is None or third is None:
            return ProbeAnswer(None, "the account's answers do not say how many tokens are left")
        if answer.status != 400:
            return ProbeAnswer(None, f"the read that was to be refused got {answer.status}")
        plain.append(first - second)
        refused.append(second - third)
    # Others spend from the same budget meanwhile, so the smallest difference is the true one.
    if min(plain) == price and min(refused) == price:
        return ProbeAnswer(False, "no", "refused requests are not counted")
    if min(plain) == price and min(refused) > price:
        cost = min(refused) - price
        words = f"yes, {cost:g} for one whose price is {refused_price}"
        return ProbeAnswer(True, words, "finding: records that the account refuses cost tokens beyond the estimate")
    return ProbeAnswer(None, "others spend tokens of this account at the same time, so it cannot be told")


async def _tokens_left(desk: Desk) -> float | None:
    return header_number((await desk.send(ME)).headers, DAY_TOKENS_LEFT_HEADER)


async def page_limit(desk: Desk) -> ProbeAnswer:
    """Ask for one record more than the largest page."""
    answer = await desk.send(TOO_LONG)
    if took(answer):
        return ProbeAnswer("accepted", "accepted", "nothing: flit asks for 500")
    return ProbeAnswer("refused", f"refused ({answer.status})", "nothing: flit asks for 500")


async def burst_429(desk: Desk) -> ProbeAnswer:
    """Send one request more than the window has room for, once, and look at how it is refused."""
    headers = (await desk.send(ME)).headers
    room = header_number(headers, REMAINING_HEADER)
    if room is None or room > MOST_AT_ONCE:
        return ProbeAnswer(None, "the answers do not say how much room the window has, or it has a lot")
    answers = await asyncio.gather(*(desk.send(ME, within_burst=False) for _ in range(int(room) + 1)))
    await desk.clock.sleep(2 * WINDOW_S)
    refused = [answer for answer in answers if answer.status == 429]
    if not refused:
        return ProbeAnswer(None, "none was refused: the window had moved on")
    return ProbeAnswer(_form(refused[0]), _form_in_words(refused[0]), "")


def _form(answer: Answer) -> JSON:
    stated = {name: header_number(answer.headers, name) for name in HEADERS}
    parsed = answer.parsed()
    return {
        "headers": {name: number for name, number in stated.items() if number is not None},
        "json": parsed is not None,
        "keys": sorted(parsed or ()),
    }


def _form_in_words(answer: Answer) -> str:
    named = [name for name in HEADERS if header_number(answer.headers, name) is not None]
    return f"429 with {'JSON' if answer.parsed() is not None else 'no JSON'} and {', '.join(named) or 'no header'}"


QUESTIONS = (
    Question(Probe("limit_headers", "What do the headers say of limits?", {"person": 1}, 9), limit_headers),
    Question(
        Probe("errors_cost_tokens", "Does a refused request cost tokens?", {}, TRIES * 16),
        errors_cost_tokens,
    ),
    Question(Probe("page_limit", "May a list be asked for more than 500 records?", {}, 10), page_limit),
    Question(
        Probe(
            "burst_429",
            "What does a refusal for too many requests look like?",
            {},
            2 * (MOST_AT_ONCE + 2),
            on_request=True,
            warning="fills the token's window of two seconds once, so other tools that use the token are refused too",
        ),
        burst_429,
    ),
)
