"""What an audit says that depends on the destination: who would own records, what writing takes, what is to decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flitstack.errors import FlitError, UsageError
from flitstack.mapping import find_template, load_template
from flitstack.protocols import Finding
from flitstack.stages.audit.sections import Exhibit, Extras
from flitstack.stages.intake.validate import StagedRecords
from flitstack.stages.plan.estimate import estimate_ratios
from flitstack.validators.lines import KEYS, holding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.mapping import Template
    from flitstack.protocols import Account, SourcePlugin, Stream, User
    from flitstack.stages.context import RunContext
    from flitstack.stages.setup import Setup

UNKNOWN = "not known without the account"


def about_account(
    ctx: RunContext,
    source: SourcePlugin,
    setup: Setup | None,
    streams: Mapping[str, Stream],
    account: Account | None,
    users: Sequence[User],
) -> Extras:
    """Return the lines and tables of owners, sensitive data, budget and decisions.

    :param account: None when nobody signed in; `users` are its users.
    """
    lines = [*_owner_lines(ctx, streams, account, users)]
    staff = list(_staff(ctx, streams, account, users))
    lines += _fallback_share(staff)
    exhibits: dict[str, tuple[Exhibit, ...]] = {"owners": tuple(_owner_table(staff))}
    if account is None:
        told = "No account was asked: what depends on its users and its plan is left open."
    else:
        told = "The account was asked for its users; nothing was written to it."
    if setup is None:
        told = "No destination was named (--dest): its users, what writing takes and what a map asks are left out."
    else:
        template = _template(setup)
        lines += _gate_status(template, setup)
        lines += _choices(template, setup)
        exhibits["budget"] = tuple(_budget(ctx, source, setup, account))
        lines.append(
            Finding(
                "estimate_whole",
                "The table is reckoned from documented ratios; `flit estimate --input PATH` counts this export's own "
                "operations, and says what grouping and filtering would save.",
                section="budget",
            )
        )
    return Extras(tuple(lines), exhibits, (told,))


# --- owners ---------------------------------------------------------------------------------------------------------


def _owner_streams(ctx: RunContext, streams: Mapping[str, Stream]) -> Iterator[tuple[str, str]]:
    """Yield the streams whose records are matched to users, each with its field for the e-mail."""
    for name in ctx.journal.staging.streams():
        if name in streams and (email := holding(streams[name].schema, "user_email")):
            yield name, email


def _owner_lines(
    ctx: RunContext, streams: Mapping[str, Stream], account: Account | None, users: Sequence[User]
) -> Iterator[Finding]:
    view = StagedRecords(ctx.journal, streams)
    active = {user.email.casefold() for user in users if user.active}
    gone = {user.email.casefold() for user in users if not user.active}
    for stream, email in _owner_streams(ctx, streams):
        flag = holding(view.schema(stream), "active")
        found: dict[str, list[str]] = {}
        for record in view.records(stream):
            address = str(record.data.get(email) or "").strip().casefold()
            if flag and record.data.get(flag) is False:
                found.setdefault("owner_departed", []).append(record.id)
            if not address:
                found.setdefault("owner_without_email", []).append(record.id)
            elif account is not None and address not in active:
                found.setdefault("owner_deactivated" if address in gone else "owner_not_a_user", []).append(record.id)
        for code, words in _OWNERS.items():
            if ids := found.get(code):
                yield replace(words, stream=stream, count=len(ids), keys=tuple(ids[:KEYS]), of=view.count(stream))


_FALLBACK = "What they own goes to the fallback owner, with their name kept in a field."
_WHO = "Who stands for them? Say so in an owner map (--set owner_map=FILE)."
_OWNERS = {
    "owner_without_email": Finding(
        "owner_without_email", "Staff without an e-mail address, by which a user could be found.", "warning",
        section="owners", handling=_FALLBACK, decision=_WHO, default="the fallback owner",
    ),
    "owner_not_a_user": Finding(
        "owner_not_a_user", "Staff whose e-mail address is no user's of the account.", "warning",
        section="owners", handling=_FALLBACK, decision=_WHO, default="the fallback owner",
    ),
    "owner_deactivated": Finding(
        "owner_deactivated", "Staff whose user is deactivated: such a user cannot own records.", "warning",
        section="owners", handling=_FALLBACK, decision=_WHO, default="the fallback owner",
    ),
    "owner_departed": Finding(
        "owner_departed", "Staff who have left, as the export says.", "info", section="owners", handling=_FALLBACK
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Member:
    """One of the staff: how often other records name them, and who stands for them.

    :param fallback: what they own goes to the fallback owner, unless the owner map says otherwise.
    """

    key: str
    named: int
    match: str
    fallback: bool


def _staff(
    ctx: RunContext, streams: Mapping[str, Stream], account: Account | None, users: Sequence[User]
) -> Iterator[_Member]:
    view = StagedRecords(ctx.journal, streams)
    by_email = {user.email.casefold(): user for user in users}
    for stream, email in _owner_streams(ctx, streams):
        named = _named(view, stream)
        for record in view.records(stream):
            address = str(record.data.get(email) or "").strip().casefold()
            user = by_email.get(address)
            match = (
                "no e-mail" if not address
                else UNKNOWN if account is None
                else "no user" if user is None
                else f"user {user.id}" if user.active else "a deactivated user"
            )  # fmt: skip
            found = account is None or (user is not None and user.active)
            yield _Member(f"{stream}:{record.id}", named.get(record.id, 0), match, not address or not found)


def _fallback_share(staff: Sequence[_Member]) -> Iterator[Finding]:
    """Yield how much of what names somebody would go to the fallback owner."""
    named = sum(member.named for member in staff)
    lost = sum(member.named for member in staff if member.fallback)
    if lost:
        yield Finding(
            "owner_fallback", "Mentions of staff who would be replaced by the fallback owner.", "info", None, lost,
            section="owners", of=named, handling="Who is meant is kept by name.",
        )  # fmt: skip


def _owner_table(staff: Sequence[_Member]) -> Iterator[Exhibit]:
    """Yield who of the staff is how often named, and which user stands for them: by key, no name."""
    if staff:
        told = sorted(staff, key=lambda member: (-member.named, member.key))
        rows = tuple(
            (member.key, member.named, member.match, "fallback owner" if member.fallback else "") for member in told
        )
        columns = ("who", "named in records", "user of the account", "without an owner map")
        yield Exhibit("Staff and users", columns, rows)


def _named(view: StagedRecords, stream: str) -> dict[str | None, int]:
    """Return how often each record of a stream is named by others."""
    counts: dict[str | None, int] = {}
    for other in view.streams():
        for name, each in view.schema(other).get("properties", {}).items():
            if each.get("x-references") == stream:
                for value, count in view.tally(other, name).items():
                    counts[value] = counts.get(value, 0) + count
    return counts


# --- what the map asks ----------------------------------------------------------------------------------------------


def _template(setup: Setup) -> Template:
    return load_template(
        find_template(setup.options.mapping or setup.registry.template(setup.source.name, setup.destination.name).path)
    )


def _gate_status(template: Template, setup: Setup) -> Iterator[Finding]:
    """Yield, per choice that a gate shows, how it stands."""
    for name, gate in template.gates.items():
        variable = str(gate["variable"])
        chosen = setup.variables.get(variable)
        shows: Mapping[str, str] = gate["shows"]
        if chosen is not None:
            yield Finding("choice_made", f"{variable} = {chosen}: {shows.get(str(chosen), '')}", section="sensitive")
            continue
        offered = " ".join(f"{value}: {text}" for value, text in shows.items())
        yield Finding(
            "choice_open",
            f"What moves is not chosen yet, and nothing is approved (gate `{name}`). {offered}",
            "warning",
            section="sensitive",
            decision=f"Which {variable}: {' or '.join(shows)}?",
            default="none: nothing moves before it is chosen",
        )


def _choices(template: Template, setup: Setup) -> Iterator[Finding]:
    """Yield what else the map lets a business decide, with what holds now."""
    gates = {str(gate["variable"]) for gate in template.gates.values()}
    for name, schema in template.variables.get("properties", {}).items():
        offered = schema.get("enum", ())
        if name in gates or len(offered) < 2:
            continue
        now: Any = setup.variables.get(name, schema.get("default"))
        yield Finding(
            "map_choice",
            schema.get("description", name),
            section="decisions",
            decision=f"{name}: {' or '.join(map(str, offered))}?",
            default=str(now),
        )


# --- budget ---------------------------------------------------------------------------------------------------------


def _budget(ctx: RunContext, source: SourcePlugin, setup: Setup, account: Account | None) -> Iterator[Exhibit]:
    """Yield what writing takes on each plan, and what each policy saves, by the template's ratios."""
    main = next(iter(source.required_streams), None)
    records = ctx.journal.looking.count(main, "ok") if main else 0
    if not records:
        return
    try:
        found = estimate_ratios(setup, records)
    except (UsageError, FlitError):
        return  # the template states no ratios, or they do not hold for what is set: `flit estimate` counts
    rows = [
        (offer.plan.name + (" *" if offer.plan.name == found.plan else ""), offer.plan.daily_units * offer.seats,
         offer.duration.days, offer.price)
        for offer in found.plans
    ]  # fmt: skip
    total = found.base.price
    note = f"{total.requests:,} requests and {total.tokens:,} tokens for {records:,} {main}. {found.assumptions[0]}"
    if rows:
        columns = ("plan (* the account's)", "tokens a day", "days", "list price")
        yield Exhibit("Days on each plan", columns, tuple(rows), note)
    saving = tuple(
        (variant.policy, variant.price.tokens, variant.duration.days, variant.gives_up) for variant in found.policies
    )
    if saving:
        yield Exhibit("What would save tokens", ("setting", "tokens", "days", "what it gives up"), saving)
