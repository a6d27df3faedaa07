"""Estimate: what a load takes before any of it is written, from the plan's own operations or from ratios."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flitstack.errors import AuthError, UsageError
from flitstack.mapping import find_template, fit_schema, load_template
from flitstack.protocols import Spent, WriterContext
from flitstack.stages.context import RunContext
from flitstack.stages.intake.aside import aside
from flitstack.stages.intake.decisions import settle_decisions
from flitstack.stages.intake.map import map_records
from flitstack.stages.intake.merged import Merged
from flitstack.stages.intake.owners import settle_owners
from flitstack.stages.intake.specs import prepare_spec
from flitstack.stages.intake.stage import stage_export
from flitstack.stages.opening import no_documents
from flitstack.stages.plan.assumed import AssumedWriter
from flitstack.stages.plan.offers import PlanOffer, offers
from flitstack.stages.plan.operations import plan_operations
from flitstack.stages.plan.price import Duration, Load, LoadPrice, Pace, duration, price_load
from flitstack.stages.plan.terms import Terms, terms_of
from flitstack.stages.writing.schema import link_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from flitstack.journal import Journal
    from flitstack.mapping import Template
    from flitstack.protocols import JSON, Account, SchemaItem, SourceReader, Stream, User, Writer
    from flitstack.stages.context import Progress, StopFlag
    from flitstack.stages.setup import Setup

ALL = "all of them"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to load: as set, or with one policy changed.

    :param policy: `NAME=VALUE`, "" for what is set.
    :param gives_up: what it loses, in words.
    :param held: per object, records and schema items of ours that the account holds in the end.
    """

    policy: str
    price: LoadPrice
    duration: Duration
    held: Mapping[str, int]
    gives_up: str = ""

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints of it."""
        p, d = self.price, self.duration
        return {
            "policy": self.policy,
            "gives_up": self.gives_up,
            "requests": p.requests,
            "tokens": p.tokens,
            "minimum": p.minimum,
            "opening": {"requests": p.opening.requests, "tokens": p.opening.tokens},
            "burst_seconds": None if d.burst_s is None else round(d.burst_s),
            "daily_budgets": None if d.day_budgets is None else round(d.day_budgets, 2),
            "days": d.days,
            "objects": {
                name: {"operations": dict(one.operations), "requests": one.requests, "tokens": one.tokens,
                       "held": self.held.get(name, 0)}
                for name, one in p.objects.items()
            },
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a load takes.

    :param plan, seats: of the account, as stated; None when they are not.
    :param assumptions: what the figures stand on, in words.
    :param base: what is set; `policies`: what each policy would make of it.
    """

    plan: str | None
    seats: int | None
    assumptions: tuple[str, ...]
    base: Variant
    policies: tuple[Variant, ...]
    plans: tuple[PlanOffer, ...]

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints."""
        return {
            "plan": self.plan,
            "seats": self.seats,
            **self.base.as_json(),
            "policies": [variant.as_json() for variant in self.policies],
            "plans": [offer.as_json() for offer in self.plans],
            "assumptions": list(self.assumptions),
        }


def make_estimate(
    terms: Terms, base: Variant, policies: Sequence[Variant], wanted: Mapping[str, int], told: Sequence[str]
) -> Estimate:
    """Return the estimate of a load on this account and on every plan.

    :param wanted: per schema object, items that the map asks for; what does not fit folds.
    """
    held = {**base.held, **wanted}
    per_plan = offers(
        terms.plans, base.price.requests, base.price.tokens, held, seats=terms.seats or 1, reserve=terms.reserve
    )
    plan = terms.plan.name if terms.plan else None
    return Estimate(plan, terms.seats, (*told, *terms.assumptions()), base, tuple(policies), per_plan)


@dataclass(slots=True)
class _Desk:
    """An export, staged into a journal that is thrown away, and the account it would go to."""

    setup: Setup
    ctx: RunContext
    streams: Mapping[str, Stream]
    account: Account
    users: Sequence[User]
    found: Sequence[SchemaItem]
    opening: Spent
    pace: Pace
    wanted: dict[str, int] = field(default_factory=dict)


async def estimate_export(
    setup: Setup,
    progress: Progress,
    stop: StopFlag,
    *,
    journal: Path,
    offline: bool = False,
    policies: bool = True,
) -> Estimate:
    """Return what loading an export takes; nothing is written but into a journal that is thrown away.

    :param journal: the migration's journal; where it exists, the estimate is of what is still to be done.
    :param offline: take an empty account even where there is a token.
    :param policies: also price each policy, which maps the export once more for each.
    :raises FlitError: the export, the settings or the account cannot be used.
    """
    with aside(setup.source, setup.input, setup.source_settings, journal, "estimate") as (reader, copy):
        return await _estimate(setup, reader, copy, progress, stop, offline=offline, policies=policies)


async def _estimate(
    setup: Setup, reader: SourceReader, journal: Journal, progress: Progress, stop: StopFlag, *, offline: bool,
    policies: bool,
) -> Estimate:  # fmt: skip
    writer, told = _writer(setup, journal, offline)
    try:
        ctx = RunContext(
            "estimate", _source_id(setup, journal), journal, writer, writer.behaviours, setup.clock, progress, stop,
            lambda hook, **arguments: None,
        )  # fmt: skip
        stage_export(ctx, setup.source, reader)
        streams = {stream.name: stream for stream in reader.known_streams()}
        ctx.decisions = settle_decisions(journal, setup.core.get("decisions"))
        schemas = {name: stream.schema for name, stream in streams.items()}
        ctx.merged = Merged(ctx.decisions.merged, schemas, journal.staging)
        found, account, users = await writer.schema(), await writer.account(), await writer.users()
        terms = terms_of(setup.destination.plans, setup.destination_settings, account.facts)
        pace = replace(terms.pace(account.daily_budget), spent_today=_spent_today(ctx))
        desk = _Desk(setup, ctx, streams, account, users, found, writer.spent(), pace)
        base = _variant(desk, {}, "", "")
        wanted = dict(desk.wanted)
        others = list(_policies(desk)) if policies else []
        return make_estimate(terms, base, others, wanted, told)
    finally:
        await writer.aclose()


def _writer(setup: Setup, journal: Journal, offline: bool) -> tuple[Writer, list[str]]:
    """Return a writer for the account, or for an assumed one where nobody can sign in; and words that say which."""
    destination, settings = setup.destination, setup.destination_settings
    if not offline:
        context = WriterContext(setup.clock, no_documents, 0, journal.runs.learned())
        try:
            return destination.open(settings, context), [
                "The account was asked for its schema and users; nothing was written to it."
            ]
        except AuthError:
            if destination.assume is None or any(settings.get(name) for name in destination.secrets):
                raise
    if journal.operations.ever_sent():
        raise UsageError(
            f"{setup.options.journal}: this migration is under way, and what is left depends on the account. Give the "
            "settings to sign in with, as for the run; for an estimate of a whole load name another --journal."
        )
    if destination.assume is None:
        raise UsageError(f"{destination.name}: an estimate needs the account; this destination cannot do without.")
    told = "No account was asked: an empty one is assumed, on the plan and seats that are stated."
    return AssumedWriter(destination.behaviours, destination.assume(settings)), [told]


def _spent_today(ctx: RunContext) -> int:
    return ctx.journal.runs.spent_today(ctx.clock.now())


def _source_id(setup: Setup, journal: Journal) -> str:
    other = "Use another --journal for another migration."
    source_id = setup.core.get("source_id") or journal.runs.meta("source id") or setup.source.name
    for name, value in (
        ("source", setup.source.name), ("source id", source_id), ("destination", setup.destination.name)
    ):  # fmt: skip
        journal.runs.identify(name, value, other)
    return source_id


def _variant(desk: _Desk, changed: Mapping[str, Any], policy: str, gives_up: str) -> Variant:
    """Map and plan the export with some variables changed, and return what that takes."""
    ctx = desk.ctx
    setup = replace(desk.setup, variables={**desk.setup.variables, **changed})
    prepared = prepare_spec(ctx, setup, desk.account, desk.streams)
    settle_owners(ctx, prepared.spec, setup.core, desk.account.user, desk.users)
    decision = ctx.journal.records.schema_decision()
    fit = fit_schema(prepared.spec, desk.found, desk.account.slots, decision, ctx.behaviours.objects)
    map_records(ctx, prepared.spec, fit)
    link_found(ctx, desk.found)
    plan = plan_operations(ctx)
    records = ctx.journal.records
    held = {object_: records.expected(object_) for object_ in ctx.behaviours.objects}
    opening = _with_matching(desk, plan.operations)
    price = price_load(ctx.behaviours, Load(plan.operations, records.counts(), held), opening)
    desk.wanted = {}
    for item in prepared.spec.schema:
        desk.wanted[item.object] = desk.wanted.get(item.object, 0) + 1
    return Variant(policy, price, duration(price.requests, price.tokens, desk.pace), held, gives_up)


def _with_matching(desk: _Desk, operations: Mapping[tuple[str, str], int]) -> Spent:
    """Return what is asked before the first write, with a page of those whom the account may have already."""
    if desk.setup.core.get("existing") == "create":
        return desk.opening
    behaviours = desk.ctx.behaviours
    created = [name for name in behaviours.people if (name, "create") in operations]
    lists = [behaviours.objects[name].cost.get("list", 0) for name in created]
    return Spent(desk.opening.requests + len(lists), desk.opening.tokens + sum(lists))


def _policies(desk: _Desk) -> Iterator[Variant]:
    """Yield what each policy makes of the load: each offered value alone, the default where another is set, then all.

    A policy that the first write has fixed is left out.
    """
    setup = desk.setup
    template = load_template(
        find_template(setup.options.mapping or setup.registry.template(setup.source.name, setup.destination.name).path)
    )
    written = desk.ctx.journal.runs.written_variables() is not None
    together: dict[str, Any] = {}
    for name, policy in template.policies.items():
        if policy.fixed and written:
            continue
        default = template.variables["properties"][name].get("default")
        current = setup.variables.get(name, default)
        offered = [value for value in policy.offers(_day(desk.ctx)) if value != current]
        if current == default and offered:
            together[name] = offered[0]
        for value in offered:
            yield _variant(desk, {name: value}, f"{name}={value}", policy.gives_up)
        if current != default:
            yield _variant(desk, {name: default}, f"without {name}", "")
    if len(together) > 1:
        yield _variant(desk, together, ALL, "")


def _day(ctx: RunContext) -> date:
    latest = ctx.journal.staging.latest()
    return datetime.fromisoformat((latest.as_of if latest else None) or "1970-01-01").date()


# --- without an export ----------------------------------------------------------------------------------------------


def estimate_ratios(setup: Setup, records: int) -> Estimate:
    """Return what a load of so many main records takes by the template's documented ratios, without an export.

    :raises UsageError: the template states no ratios, or the destination cannot be assumed.
    """
    destination = setup.destination
    template = load_template(
        find_template(setup.options.mapping or setup.registry.template(setup.source.name, destination.name).path)
    )
    if template.ratios is None or destination.assume is None:
        raise UsageError(f"{template.path.name}: no ratios are stated for an estimate without an export. Give --input.")
    assumed = destination.assume(setup.destination_settings)
    terms = terms_of(destination.plans, setup.destination_settings, assumed.account.facts)
    variant = _by_ratio(setup, template, records, terms.pace(assumed.account.daily_budget), assumed.opening)
    on = _set_already(setup, template)
    base = variant(on, "", "")
    others = [
        variant((*on, name), f"{name}={_shown(policy.offer[0])}", policy.gives_up)
        for name, policy in template.policies.items()
        if name not in on and any(name in row.with_policy for row in template.ratios.rows)
    ]
    if len(others) > 1:
        others.append(variant(tuple(template.policies), ALL, ""))
    given = ", ".join(f"{name}={value}" for name, value in template.ratios.given.items())
    told = [
        f"No export was read: the figures are {records:,} {template.ratios.per} by documented ratios ({given}); an "
        "export of one's own gives its own figures.",
        "No account was asked: an empty one is assumed, on the plan and seats that are stated.",
    ]
    return make_estimate(terms, base, others, template.ratios.schema, told)


def _set_already(setup: Setup, template: Template) -> tuple[str, ...]:
    """Return the policies that settings have on.

    :raises UsageError: a variable is set to what the ratios do not hold for.
    """
    given = template.ratios.given if template.ratios else {}
    for name, value in given.items():
        if setup.variables.get(name, value) != value:
            raise UsageError(f"{name}: the documented ratios hold for {name}={value} alone. Give an export: --input.")
    properties = template.variables["properties"]
    stated = ((name, setup.variables.get(name)) for name in template.policies)
    return tuple(name for name, value in stated if value not in (None, properties[name].get("default")))


def _shown(offer: Any) -> str:
    return (
        str(offer) if not isinstance(offer, dict) else ", ".join(f"{n} {k.replace('_', ' ')}" for k, n in offer.items())
    )


def _by_ratio(
    setup: Setup, template: Template, records: int, pace: Pace, opening: Spent
) -> Callable[[tuple[str, ...], str, str], Variant]:
    """Return a function that prices the load with some policies on."""
    ratios = template.ratios
    assert ratios is not None  # noqa: S101 - the caller has looked

    def variant(on: tuple[str, ...], policy: str, gives_up: str) -> Variant:
        held: dict[str, int] = dict(ratios.schema)
        for row in ratios.rows:
            each = row.each
            for name in on:
                each = each * row.with_policy[name] if name in row.with_policy else each
            held[row.object] = held.get(row.object, 0) + round(records * each)
        behaviours = setup.destination.behaviours
        creates = {(name, "create"): count for name, count in held.items() if count}
        price = price_load(behaviours, Load(creates, held, held), opening)
        return Variant(policy, price, duration(price.requests, price.tokens, pace), held, gives_up)

    return variant
