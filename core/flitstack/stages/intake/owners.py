"""Owners: which user of the account stands for which provider or member of staff of the source."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from flitstack.errors import ConfigurationError, UsageError
from flitstack.mapping import Owner
from flitstack.protocols import Finding
from flitstack.stages.intake.scope import scope_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flitstack.mapping import Spec
    from flitstack.protocols import User
    from flitstack.stages.context import RunContext

MAP_COLUMNS = ("owner", "email")


def read_owner_map(path: str) -> dict[str, str]:
    """Return what an owner map says: source id, `stream:id`, name or e-mail (case ignored) to a user's e-mail.

    The file is CSV with the columns `owner` and `email`, separated by comma, semicolon or tab.

    :raises UsageError: there is no such file, or it cannot be read, or has other columns.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise UsageError(f"{path}: there is no such file. Check --set owner_map.") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"{path}: the owner map cannot be read as UTF-8 text. Check --set owner_map.") from exc
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    rows = csv.DictReader(text.splitlines(), delimiter=delimiter)
    if not set(MAP_COLUMNS) <= set(rows.fieldnames or ()):
        raise UsageError(f"{path}: an owner map needs the columns {' and '.join(MAP_COLUMNS)} in its first line.")
    return {_plain(row["owner"]): _plain(row["email"]) for row in rows if row.get("owner") and row.get("email")}


def _plain(text: str) -> str:
    return text.strip().casefold()


def fallback_user(users: Sequence[User], token_user: User, email: str | None) -> User:
    """Return who owns what nobody else does: the user named, else the token's own.

    :raises ConfigurationError: the e-mail is no active user's.
    """
    if not email:
        return token_user
    for user in users:
        if user.email.casefold() == email.casefold() and user.active:
            return user
    raise ConfigurationError(
        "fallback_owner: no active user of the account has this e-mail. Check --set fallback_owner."
    )


def match_owners(
    ctx: RunContext, candidates: Iterable[Owner], users: Sequence[User], owner_map: Mapping[str, str]
) -> None:
    """Match candidates to active users by the owner map, else by e-mail; keep the result in the journal and `ctx`."""
    active = {user.email.casefold(): user.id for user in users if user.active}
    inactive = {user.email.casefold() for user in users if not user.active}
    rows: list[tuple[str, str, str | None, str]] = []
    known: set[str] = set()
    for candidate in candidates:
        known.update(_names(candidate))
        user, how = _match(candidate, active, inactive, owner_map)
        rows.append((candidate.stream, candidate.id, user, how))
        if user is not None:
            ctx.owners[candidate.key] = user
    ctx.journal.records.set_owners(rows)
    findings = _findings(rows)
    if strangers := len(owner_map.keys() - known):
        findings.append(
            Finding(
                "owner_map_strangers",
                f"{strangers} lines of the owner map name nobody of the export: write the source's id, `stream:id`, "
                "full name or e-mail.",
                "warning",
                count=strangers,
            )
        )
    ctx.journal.staging.add_findings("owners", findings)


def settle_owners(
    ctx: RunContext, spec: Spec, core: Mapping[str, str], token_user: User, users: Sequence[User]
) -> None:
    """Decide who owns what, as the spec's owners, the owner map and the fallback say; keep it in the journal and `ctx`.

    :param core: `fallback_owner` and `owner_map`, as given.
    :raises ConfigurationError, UsageError: the fallback's e-mail is no user's; the owner map cannot be used.
    """
    ctx.fallback_user = fallback_user(users, token_user, core.get("fallback_owner")).id
    owner_map = read_owner_map(core["owner_map"]) if "owner_map" in core else {}
    scope = scope_of(ctx, spec)
    candidates = [
        owner
        for source in spec.owners
        for record in ctx.journal.staging.records(source.stream)
        if isinstance(owner := source.evaluate(record, scope), Owner)
    ]
    match_owners(ctx, candidates, users, owner_map)


def _names(candidate: Owner) -> list[str]:
    """Return what an owner map may call someone."""
    names = (f"{candidate.stream}:{candidate.id}", candidate.id, candidate.email, candidate.name)
    return [_plain(name) for name in names if name]


def _match(
    candidate: Owner, active: Mapping[str, str], inactive: set[str], owner_map: Mapping[str, str]
) -> tuple[str | None, str]:
    for name in _names(candidate):
        if name in owner_map:
            user = active.get(owner_map[name])
            return (user, "owner map") if user else (None, "the owner map names no active user")
    email = (candidate.email or "").strip().casefold()
    if not email:
        return None, "no e-mail"
    if email in active:
        return active[email], "e-mail"
    return None, "the user is deactivated" if email in inactive else "no user has this e-mail"


def _findings(rows: Sequence[tuple[str, str, str | None, str]]) -> list[Finding]:
    unmatched: dict[tuple[str, str], list[str]] = {}
    for stream, record_id, user, how in rows:
        if user is None:
            unmatched.setdefault((stream, how), []).append(record_id)
    return [
        Finding(
            "owner_unmatched",
            f"{len(ids)} of {stream} match no user ({how}); what they own goes to the fallback owner. An owner map "
            "settles it: --set owner_map=FILE (CSV, columns owner and email).",
            "warning",
            stream,
            len(ids),
            tuple(ids[:10]),
        )
        for (stream, how), ids in unmatched.items()
    ]
