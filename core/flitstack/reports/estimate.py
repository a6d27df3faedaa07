"""An estimate for people: what each object takes, what each policy would save, and what every plan makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from flitstack.stages.plan.estimate import Estimate, Variant
    from flitstack.stages.plan.offers import PlanOffer, Room

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def print_estimate(found: Estimate, console: Console) -> None:
    """Print the estimate: counts alone."""
    console.print(_objects(found.base))
    p = found.base.price
    _say(console, f"{p.requests:,} requests, {p.tokens:,} tokens (a whole load takes {p.minimum:,} at the least).")
    _say(console, f"{_time(found.base)}.")
    if found.policies:
        console.print(_policies(found))
        for variant in found.policies:
            if variant.gives_up:
                _say(console, f"{variant.policy}: {' '.join(variant.gives_up.split())}")
    if found.plans:
        console.print(_plans(found))
        _say_prices(found, console)
    for line in found.assumptions:
        _say(console, f"- {line}")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False)


def _time(variant: Variant) -> str:
    d = variant.duration
    burst = "At the allowed rate: unknown" if d.burst_s is None else f"At the allowed rate: {span(d.burst_s)}"
    if d.day_budgets is None:
        return f"{burst}; days: unknown, the daily tokens are not stated"
    days = "never: nothing of the day is left" if d.days is None else f"{d.days:,} day{'' if d.days == 1 else 's'}"
    return f"{burst}; daily budgets: {d.day_budgets:,.2f}, so {days}"


def span(seconds: float) -> str:
    """Return a time in words: `45 s`, `12 min`, `3.4 h`, `2.1 days`."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h" if seconds < DAY else f"{seconds / DAY:.1f} days"


def _objects(base: Variant) -> Table:
    table = Table(title="What is written, and read back", title_justify="left", show_footer=True)
    p = base.price
    table.add_column("object", "total", no_wrap=True, min_width=13)
    verbs = [v for v in ("create", "update", "delete") if any(one.operations.get(v) for one in p.objects.values())]
    for verb in verbs:
        count = sum(one.operations.get(verb, 0) for one in p.objects.values())
        table.add_column(verb, f"{count:,}", justify="right")
    table.add_column("requests", f"{p.requests:,}", justify="right")
    table.add_column("tokens", f"{p.tokens:,}", justify="right")
    for name, one in p.objects.items():
        counts = (f"{one.operations[v]:,}" if one.operations.get(v) else "" for v in verbs)
        table.add_row(name, *counts, f"{one.requests:,}", f"{one.tokens:,}")
    other = (p.opening.requests + p.schema.requests, p.opening.tokens + p.schema.tokens)
    table.add_row("the account", *("" for _ in verbs), f"{other[0]:,}", f"{other[1]:,}")
    return table


def _policies(found: Estimate) -> Table:
    table = Table(title="With a policy changed", title_justify="left")
    table.add_column("policy", no_wrap=True)
    for column in ("requests", "tokens", "saves", "days"):
        table.add_column(column, justify="right")
    for variant in (found.base, *found.policies):
        saved = found.base.price.tokens - variant.price.tokens
        share = f"{saved / found.base.price.tokens:.0%}" if found.base.price.tokens and variant.policy else ""
        name = variant.policy or "as set"
        table.add_row(name, f"{variant.price.requests:,}", f"{variant.price.tokens:,}", share, _days(variant))
    return table


def _days(variant: Variant) -> str:
    d = variant.duration
    if d.day_budgets is None:
        return "unknown"
    return "never" if d.days is None else f"{d.days:,}"


def _plans(found: Estimate) -> Table:
    seats = found.plans[0].seats
    table = Table(title=f"On every plan, with {seats} seat{'' if seats == 1 else 's'}", title_justify="left")
    table.add_column("plan", no_wrap=True)
    for column in ("tokens a day", "days", "at the rate", "price"):
        table.add_column(column, justify="right")
    table.add_column("room")
    for offer in found.plans:
        d = offer.duration
        table.add_row(
            offer.plan.name + (" *" if offer.plan.name == found.plan else ""),
            f"{offer.plan.daily_units * offer.seats:,}",
            "never" if d.days is None else f"{d.days:,}",
            "" if d.burst_s is None else span(d.burst_s),
            offer.price,
            "; ".join(filter(None, (_room(room, offer) for room in offer.rooms))) or "enough",
        )
    return table


def _room(room: Room, offer: PlanOffer) -> str:
    if room.suffices:
        return ""
    of = " + ".join(f"{name}s" for name in room.of)
    said = f"{room.needs:,} {of}, room for {room.has:,}"
    if room.folds:
        return f"{said}: the rest folds into one text"
    return f"{said}: {f'{room.seats:,} seats' if room.seats else 'no number of seats'} would do"


def _say_prices(found: Estimate, console: Console) -> None:
    priced = next((offer.plan for offer in found.plans if offer.plan.price), None)
    if priced is not None:
        _say(console, f"List prices of {priced.price_date}, {priced.price_terms}. * is the account's plan.")
