"""What proposing a map passes between core and plugins: sampled columns, targets, proposals, and who may propose."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from flitstack.protocols.base import Schema

Looks: TypeAlias = Literal["", "email", "phone", "name", "place", "postal_code", "text"]


@dataclass(frozen=True, slots=True)
class SampledColumn:
    """One column of an export's file, with some of its cells; it never leaves memory.

    :param values: cells that hold something, in the file's order; at most as many as were sampled.
    :param rows: rows sampled; `whole` says that these are all there are.
    """

    name: str
    values: tuple[str, ...] = ()
    rows: int = 0
    whole: bool = False

    @property
    def fill(self) -> float:
        """Share of the sampled rows that hold something."""
        return len(self.values) / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class SampledFile:
    """One file of an export.

    :param role: what a known layout calls it, and the stream of its rows; "" when none knows it.
    :param unread: columns that the known layout does not read; all of them where there is no layout.
    :param dropped: columns with secrets; only their names are known.
    :param note: what is to be said of it: why it has no columns that could be mapped, or which were left out; or "".
    """

    name: str
    columns: tuple[SampledColumn, ...]
    role: str = ""
    stream: str = ""
    unread: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class SampledExport:
    """An export's files; `layout` names the layout that knows them, "" when none does."""

    files: tuple[SampledFile, ...]
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A field that a column can become.

    :param schema: JSON Schema of the field (`x-type`, `enum`, `x-references`).
    :param names: other names it goes by, as phrases (`family name`).
    :param part: of a record made besides the row's own: which one (`mobile`); "" for the row's own record.
    :param beside: the streams from whose rows that further record is made; () for the row's own record.
    :param looks: what its values look like where the schema does not say.
    :param codes: spellings of its meanings that exports use.
    """

    stream: str
    field: str
    schema: Schema = dataclasses.field(default_factory=dict)
    names: tuple[str, ...] = ()
    required: bool = False
    part: str = ""
    beside: tuple[str, ...] = ()
    looks: Looks = ""
    codes: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """How people read it: `people.last_name`, `contact_points.value (mobile)`."""
        return f"{self.stream}.{self.field}" + (f" ({self.part})" if self.part else "")

    @property
    def homes(self) -> tuple[str, ...]:
        """The streams of which a file can hold it."""
        return self.beside or (self.stream,)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of a trade.

    :param words: word or phrase to its other spellings and abbreviations (`last name`: surname, lname).
    :param streams: stream to what files of it are called.
    """

    words: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    streams: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One target for a column; `target` is a `Target.key`, `reasons` are words without any value."""

    target: str
    confidence: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnProposal:
    """What is proposed for a column.

    :param chosen: None leaves the column unmapped.
    :param ticked: so sure that it stands in the draft as it is; others stand there to be looked at.
    :param others: up to five further candidates, the best first.
    """

    column: str
    fill: float
    chosen: Candidate | None
    ticked: bool
    others: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class FileProposal:
    """What is proposed for a file: its stream ("" for none), and its columns in the file's order."""

    file: str
    stream: str
    confidence: float
    reasons: tuple[str, ...]
    columns: tuple[ColumnProposal, ...]
    others: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class CustomField:
    """A column that no field takes, offered as a field of its own.

    :param type: `text`, `long text`, `number`, `date`, `yes or no` or `one of`, as inferred.
    :param options: of `one of`; they are shown because they become the field's options, and only words that recur.
    :param account: in words, what the account has already that the column may be; "" for nothing, or nobody asked.
    :param fits: the account's plan has room for it, after those with a better fill; None where no cap is known.
    """

    file: str
    column: str
    type: str
    fill: float
    options: tuple[str, ...] = ()
    fits: bool | None = None
    account: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A whole proposal.

    :param layout: the known layout to which only custom columns are added; "" for an export that no layout knows.
    :param room: how many custom fields the account's plan leaves, and what says so; None when no cap is known.
    """

    source: str
    layout: str
    files: tuple[FileProposal, ...]
    customs: tuple[CustomField, ...] = ()
    room: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class KnownColumn:
    """A column that a confirmed map reads: header names only, never a value."""

    file: str
    stream: str
    column: str
    target: str


@dataclass(frozen=True, slots=True)
class MapProposing:
    """How a source takes part in `flit map`: the optional piece of its registration.

    :param sample: returns the files at a path, by validated settings, with at most so many rows of each.
    :param targets: returns every field there is to map to.
    :param draft: returns the text of the file that a person edits, of a proposal and the export it was made for.
    :param check: returns what is wrong in an edited file, one message a problem; empty when it can be used.
    :param known: returns what an edited file maps, for the memory.
    :param own_map: returns the map file that settings name, None where they name none of the user's own.
    :param schemas: returns the whole schema of every stream, by which a mapping spec is checked.
    :param custom_streams: streams in whose files a column without a field may become a field of its own.
    """

    sample: Callable[[str, Mapping[str, Any], int], SampledExport]
    targets: Callable[[], Sequence[Target]]
    lexicon: Callable[[], Lexicon]
    draft: Callable[[Proposal, SampledExport], str]
    check: Callable[[Path], Sequence[str]]
    known: Callable[[Path], Sequence[KnownColumn]]
    custom_streams: frozenset[str] = frozenset()
    own_map: Callable[[Mapping[str, Any]], Path | None] | None = None
    schemas: Callable[[], Mapping[str, Schema]] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a proposer is asked about one file: its columns with their cells, and what they may become.

    The cells may be people's data: a proposer that sends them anywhere must say so in its documentation.
    """

    source: str
    file: SampledFile
    stream: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Proposer:
    """A plugin's own way to propose; what it says is a proposal like any other and never pre-ticked.

    :param propose: returns column name to candidates, the best first; columns it leaves out keep core's proposal.
    :param source: the source for which it proposes; "" for all.
    """

    name: str
    propose: Callable[[Question], Mapping[str, Sequence[Candidate]]]
    source: str = ""
