"""A stand-in for an account nobody has signed in to: empty, it answers what a plan asks and takes no write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.errors import Fatal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from flitstack.protocols import (
        JSON,
        Account,
        AssumedAccount,
        Behaviours,
        Operation,
        Outcome,
        SchemaItem,
        Spent,
        Stored,
        User,
    )


class AssumedWriter:
    """A writer for planning alone.

    :param assumed: the account it stands for; what opening it would take counts as spent.
    """

    def __init__(self, behaviours: Behaviours, assumed: AssumedAccount) -> None:
        self._behaviours = behaviours
        self._assumed = assumed

    @property
    def behaviours(self) -> Behaviours:
        """What the destination declares."""
        return self._behaviours

    async def account(self) -> Account:
        """Return the account that is assumed."""
        return self._assumed.account

    async def users(self) -> Sequence[User]:
        """Return its only user."""
        return [self._assumed.account.user]

    async def schema(self) -> Sequence[SchemaItem]:
        """Return nothing: the account is empty."""
        return []

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Keep nothing: nothing is written."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Refuse: nobody has signed in."""
        raise Fatal(f"{len(operations)} writes were asked of an account that is only assumed. Please report this.")

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield nothing: the account is empty."""
        nothing: Sequence[Stored] = ()
        for stored in nothing:
            yield stored

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return nothing: the account is empty."""
        return []

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields as they are."""
        return fields

    def spent(self) -> Spent:
        """Return what opening such an account takes."""
        return self._assumed.opening

    async def aclose(self) -> None:
        """Close nothing."""
