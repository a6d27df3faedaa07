"""What a destination brings along so that its plugin can be simulated: a template and an account to look into."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from flitstack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flitstack.protocols import DestinationPlugin
    from flitstack.testing.simulation.world import World


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """One record of an account, in the words of the source, with source keys in place of ids.

    :param kind: `company`, `contact`, `visit`, `round`, `memo`; `stranger` for what nobody migrated.
    :param name: the source key it carries; of a memo its name and size.
    :param values: sorted (field, value as text); `@link` to the key of what it leads to. Nothing empty is in it.
    """

    kind: str
    name: str
    values: tuple[tuple[str, str], ...]


#: Everything that the simulated source holds: kind of record to the fields in which it is compared.
EVERYTHING: Mapping[str, tuple[str, ...]] = {
    "company": ("name", "@main", "@partner"),
    "contact": ("name", "phone", "labels", "born", "score", "since", "@company", "@boss", "@owner"),
    "visit": ("note", "@contact", "@type"),
    "round": ("note", "@contact"),
    "memo": ("@contact",),
}


STRANGER = "stranger"


def as_held(records: Iterable[Held], holds: Mapping[str, Sequence[str]]) -> list[Held]:
    """Return the records with those fields alone in which a destination is compared; those of strangers whole."""
    known = {kind: set(fields) for kind, fields in holds.items()}
    return [
        one
        if one.kind == STRANGER
        else Held(one.kind, one.name, tuple(v for v in one.values if v[0] in known[one.kind]))
        for one in records
        if one.kind in known or one.kind == STRANGER
    ]


def holds_of(port: Port) -> Mapping[str, Sequence[str]]:
    """Return in what records of the destination are compared."""
    holds: Mapping[str, Sequence[str]] = getattr(port, "holds", EVERYTHING)
    return holds


class SimulatedAccount(Protocol):
    """One account, which outlives the processes that write to it."""

    @property
    def writes(self) -> int:
        """How many writes took effect so far."""
        ...

    def destination(self) -> DestinationPlugin:
        """Return the plugin, whose writers talk to this account through the world's wire."""
        ...

    def picture(self) -> Sequence[Held]:
        """Return all records that it holds, found without the plugin."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...


@dataclass(frozen=True, slots=True)
class Meter:
    """What an account counted, by itself.

    :param units: of the budget. :param refused: requests it refused because they came too fast.
    """

    requests: int
    units: int
    refused: int = 0


@runtime_checkable
class Metered(Protocol):
    """An account that counts what it is asked, as its platform does."""

    def meter(self) -> Meter:
        """Return what it counted so far."""
        ...


@runtime_checkable
class Touched(Protocol):
    """An account that people can work in, past the plugin."""

    def edit(self, kind: str, name: str, field: str, value: str) -> None:
        """Change one field of a record, as a person would; kind, name and field as `picture` has them."""
        ...

    def remove(self, kind: str, name: str) -> None:
        """Delete a record, as a person would."""
        ...

    def hang(self, contact: str) -> None:
        """Hang a visit of a person's own on the contact of this name."""
        ...


@runtime_checkable
class Budgeted(Protocol):
    """An account with a daily budget."""

    def use_up(self) -> None:
        """Let others use up what is left of today's budget: the account takes no more until its next day."""
        ...


@runtime_checkable
class Secretive(Protocol):
    """An account that is signed in to with secrets."""

    @property
    def secrets(self) -> Sequence[str]:
        """Return the secrets that the writers of `destination` sign in with."""
        ...


class Port(Protocol):
    """A destination under simulation.

    One that holds less than `EVERYTHING` has a further attribute `holds`, of the same shape.

    :ivar template: maps the simulated source (`source: memory`) to it; the module `exports` says what it holds, and
        `oracle` what must come of it.
    :ivar sets: what `--set` would say.
    """

    name: str
    template: str
    sets: Sequence[str]

    def account(self, world: World) -> SimulatedAccount:
        """Return a new account, in which there is something already that is not ours."""
        ...


def load_port(where: str) -> Port:
    """Return the port that `MODULE:NAME`, or `FILE.py:NAME`, names.

    :raises UsageError: there is none.
    """
    return cast("Port", load_named(where, "port"))


def load_named(where: str, what: str) -> Any:
    """Return what `MODULE:NAME`, or `FILE.py:NAME`, names.

    :raises UsageError: there is nothing of that name.
    """
    place, _, name = where.rpartition(":")
    try:
        module: Any = _load_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        return getattr(module, name)
    except (ImportError, OSError, AttributeError, ValueError) as exc:
        raise UsageError(f"{where}: no {what} here. Write MODULE:NAME or FILE.py:NAME.") from exc


def _load_file(path: Path) -> Any:
    name = f"simulated_{path.stem}"
    if name not in sys.modules:
        found = importlib.util.spec_from_file_location(name, path)
        if found is None or found.loader is None or not path.exists():
            raise ImportError(name)
        module = importlib.util.module_from_spec(found)
        sys.modules[name] = module
        found.loader.exec_module(module)
    return sys.modules[name]
