"""Where links lead: from a source key, or a person of the source, to an id in the destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.journal import is_cleared, read_link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import LinkRef
    from flitstack.stages.context import RunContext

REMEMBERED = 200_000
AS_IT_IS = "="
"""In place of an object: the key of such a link is an id of the account, whosever record that is."""


class Targets:
    """Looks up where links lead, each once while it lives; what is not there yet is looked up again."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self._known: dict[tuple[str, str, str], str] = {}

    def id(self, link: LinkRef) -> str | None:
        """Return the destination id that a link leads to, None when it leads to nothing that is there."""
        if is_cleared(link):
            return None
        if link.object == AS_IT_IS:
            return link.key
        if link.object == self._ctx.behaviours.user:
            return self._ctx.user_for(link)
        name = (link.object, link.key, link.part)
        found = self._known.get(name)
        if found is None:
            found = self._ctx.journal.records.destination_id(*name)
            if found is not None:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[name] = found
        return found

    def ids(self, links: Mapping[str, Any]) -> dict[str, str | None]:
        """Return, per field of links as the journal keeps them, the id each leads to."""
        return {name: self.id(read_link(stored)) for name, stored in links.items()}
