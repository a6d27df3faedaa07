"""What plugins register through hooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flitstack.protocols.base import JSON, Schema
    from flitstack.protocols.destination import Behaviours, Writer
    from flitstack.protocols.source import Finding, Record, SourceReader


@dataclass(frozen=True, slots=True)
class SourcePlugin:
    """A source: its settings' JSON Schema and the factory of a reader for one export.

    :param open: called with the input's path and validated settings.
    :param required_streams: streams without which there is nothing to move.
    :param demo: returns the path of a bundled example export, made under the folder given.
    """

    name: str
    settings_schema: Schema
    open: Callable[[str, Mapping[str, Any]], SourceReader]
    required_streams: tuple[str, ...] = ()
    demo: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class WriterContext:
    """What core hands to a writer: the clock, and the door to documents' bytes.

    :param spent_today: budget units that earlier runs of this migration spent since midnight, UTC.
    :param learned: what this journal has found out about the account, by name (`flit probe`, and earlier runs).
    """

    clock: Any
    open_attachment: Callable[[str], BinaryIO]
    spent_today: int = 0
    learned: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DestinationPlugin:
    """A destination: settings, behaviours and the factory of a writer.

    :param settings_environment: environment variable per setting; one in `secrets` comes from nowhere else.
    :param demo: returns the settings and the clock of an embedded account kept under the folder given.
    """

    name: str
    settings_schema: Schema
    settings_environment: Mapping[str, str]
    secrets: frozenset[str]
    behaviours: Behaviours
    open: Callable[[Mapping[str, Any], WriterContext], Writer]
    demo: Callable[[str], tuple[Mapping[str, Any], Any]] | None = None


@dataclass(frozen=True, slots=True)
class Transform:
    """A function that expressions may call.

    :param kind: `function`, `filter` or `test`.
    :param attributes: positions of arguments that name a field of the records in the first argument; checked at load.
    """

    name: str
    call: Callable[..., Any]
    kind: Literal["function", "filter", "test"] = "function"
    attributes: tuple[int, ...] = ()


class StagedView(Protocol):
    """What a validator sees of the staged whole."""

    def streams(self) -> Sequence[str]: ...

    def records(self, stream: str) -> Iterator[Record]: ...

    def missing_references(self, stream: str, field: str) -> Iterator[str]:
        """Yield the ids of records whose reference leads nowhere."""
        ...


@dataclass(frozen=True, slots=True)
class Validator:
    """A check: over the staged whole, yielding findings."""

    name: str
    source: str
    check: Callable[[StagedView], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class MappingTemplate:
    """A mapping template for a pair: a path of a file in the package, or a name in the shipped folder."""

    source: str
    destination: str
    path: str
