"""Turns one file's rows into records of its streams, and keeps account of what it met on the way."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from flitstack.protocols import Finding, Record, Rejection, Skip, SourceRow, Where
from flitstack_dental.convert import (
    Counters,
    Plan,
    Source,
    compile_record,
    field_kind,
    is_readable,
    record_data,
    record_id,
)
from flitstack_dental.corrections import FileCorrections, RowView
from flitstack_dental.dialect import normalise
from flitstack_dental.evidence import Evidence, gather
from flitstack_dental.headed import shown_name
from flitstack_dental.layout import columns_of
from flitstack_dental.rows import BadRow, Row, Tally, read_rows, split_line
from flitstack_dental.sensitive import is_secret_name
from flitstack_dental.validate import fault, validator
from flitstack_dental.values import BadCell, phone

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import date

    from flitstack_dental.container import Container
    from flitstack_dental.dates import Order
    from flitstack_dental.layout import FileSpec, Layout
    from flitstack_dental.recognise import DataFile
    from flitstack_dental.settings import Settings

_SHOWN = 40
_ID_ROWS = 200

_TOTALS = re.compile(
    r"\s*(?:(?:grand|sub)[\s-]*)?totals?\b|\s*(?:sum|count|records?|rows)\b\s*(?:[:=]|$)|\s*end of ", re.I
)


class Table:
    """One recognised file."""

    def __init__(
        self,
        container: Container,
        file: DataFile,
        spec: FileSpec,
        layout: Layout,
        settings: Settings,
        reference: date | None,
    ) -> None:
        self.file = file
        self.spec = spec
        self.rows: int | None = None
        columns = {normalise(name) for name in file.header if not is_secret_name(name)}
        self.records = [record for record in spec.records if is_readable(record, columns)]
        self._container = container
        self._layout = layout
        self._settings = settings
        self._reference = reference
        self._width = len(file.header)
        self._by_name = [name for name in file.header if is_secret_name(name)]
        self._by_value: tuple[str, ...] = ()
        self._source: Source | None = None
        self._tally = Tally()
        self._counters: dict[str, Counters] = {}
        self._secrets: frozenset[int] = frozenset()
        self._corrections: FileCorrections | None = None
        self._own: Evidence | None = None
        self._order_of_export: Callable[[], Order] = lambda: "unknown"
        self._taken: tuple[str, ...] = ()
        self._taken_as = ""

    def orders(self) -> frozenset[Order]:
        """Return which orders of day and month the file's own columns show that write most of their dates so."""
        if not self.records:
            return frozenset()
        own = self._own_evidence()
        return frozenset(order for at, order in own.orders.items() if at in own.habit)

    def read_dates_as(self, order: Callable[[], Order]) -> None:
        """Take an order of day and month, once it is needed, for columns that do not show theirs."""
        self._order_of_export = order

    def correct(self, cells: Mapping[str, Mapping[str, str]]) -> None:
        """Read rows as they were corrected: mark to column to text."""
        if any(mark.startswith(f"{self.spec.role}:") for mark in cells):
            self._corrections = FileCorrections(self._view(), cells)

    def corrected(self) -> frozenset[str]:
        """Return the marks of the corrections that were met."""
        return frozenset(self._corrections.met) if self._corrections else frozenset()

    def rows_at(self, lines: AbstractSet[int]) -> Iterator[SourceRow]:
        """Yield the rows that begin on these lines, as they are read now."""
        view, last = self._view(), max(lines, default=0)
        with closing(self._rows(Tally())) as rows:
            for row in rows:
                if row.line > last:
                    return
                mark = view.mark(row) if row.line in lines else None
                shown = view.show(self._corrections.one(row) if self._corrections else row) if mark else None
                if mark is not None and shown is not None:
                    yield SourceRow(Where(self.file.name, row.line), mark, *shown)

    def named_ids(self) -> str:
        """Return the column that should hold numbers as ids and holds words instead, "" when there is none."""
        at = next((at for at, name in enumerate(self.file.header) if normalise(name) in self._layout.number_ids), None)
        if at is None:
            return ""
        with closing(self._rows(Tally())) as rows:
            cells = [
                row.cells[at].strip() for row in islice(rows, _ID_ROWS) if isinstance(row, Row) and at < len(row.cells)
            ]
        filled = [cell for cell in cells if cell]
        words = sum(any(map(str.isalpha, cell)) for cell in filled)
        return self.file.header[at] if words * 2 > len(filled) else ""

    def _view(self) -> RowView:
        self._look()
        named = any(record.stream == "custom_columns" for record in self.spec.records)
        split = partial(split_line, dialect=self.file.dialect)
        return RowView(self.spec.role, self.file.header, self._secrets, split, named=named)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The columns that hold secrets, by name or by what they hold; complete once the file was read."""
        return (*self._by_name, *self._by_value)

    def read(self, stream: str) -> Iterator[Record | Rejection | Skip]:
        """Yield the file's records of a stream, in the file's order.

        Rows that cannot be read at all belong to the file's first stream.
        """
        self._tally = Tally()
        counters = self._counters[stream] = Counters()
        source = replace(self._look(), counters=counters)
        plans = [compile_record(spec, source) for spec in self.records if spec.stream == stream]
        first = self.records[0].stream == stream
        accept = validator(stream).is_valid
        name, width, count = self.file.name, self._width, 0
        header0 = self.file.header[0].lower()
        sole = plans[0] if len(plans) == 1 and plans[0].when is None and not plans[0].unless_empty else None
        with closing(self._rows(self._tally)) as read:
            for row in self._corrections.apply(read) if self._corrections else read:
                if isinstance(row, BadRow):
                    count += 1
                    if first:
                        where = Where(name, row.line)
                        yield Rejection(stream, None, row.code, row.reason, row.hint, where)
                    continue
                cells = row.cells
                if len(cells) != width or not cells[0].isdecimal() or cells[0] == header0:
                    head = cells[0].strip().lower()
                    looks_odd = len(cells) != width or not head or head == header0 or _TOTALS.match(head)
                    odd = self._odd(row, stream) if looks_odd else None
                    if odd is not None:
                        count += 1
                        if first:
                            yield odd
                        continue
                count += 1
                where = Where(name, row.line)
                for plan in (sole,) if sole is not None else _chosen(plans, cells):
                    yield self._record(plan, cells, where, accept)
        self.rows = count

    def findings(self) -> Iterator[Finding]:
        """Yield what was noticed about the file; complete once its streams were read."""
        name = self.file.name
        if self.rows == 0:
            yield Finding("header_only", f"{name} has a header and no rows.", "warning", self.records[0].stream)
        if self.spec.records and not self.records:
            message = f"{name} was not read: it lacks the column of its id. Export it with that column."
            yield Finding("no_id_column", message, "error", self.spec.records[0].stream)
        if dropped := self.dropped:
            named = [self._shown(each) for each in dropped] if self.records else [_columns_only(len(dropped))]
            yield Finding(
                "secrets_dropped",
                f"{name}: columns with secrets were not read: {', '.join(named)}.",
                stream=self.records[0].stream if self.records else None,
                count=len(dropped),
            )
        for stream, counters in self._counters.items():
            yield from _of_values(name, stream, counters)
        yield from self._mended()
        yield from self._columns_not_read()

    def _mended(self) -> Iterator[Finding]:
        name = self.file.name
        if self._tally.repaired_quotes:
            yield Finding(
                "quotes_repaired",
                f"{name}: rows with quotes inside a text were read by their number of cells.",
                "warning",
                self.records[0].stream,
                self._tally.repaired_quotes,
            )
        if self._tally.stray_characters:
            yield Finding(
                "stray_characters",
                f"{name}: a stray character at the beginning of lines was left out.",
                "warning",
                count=self._tally.stray_characters,
            )
        for code, count, message in (
            ("invisible_characters", self._tally.invisible, "invisible characters, such as zero-width spaces, were"),
            ("control_characters", self._tally.control, "characters that stand for nothing (NUL) were"),
        ):
            if count:
                yield Finding(code, f"{name}: {message} left out.", "info", self.records[0].stream, count)
        if self._taken:
            yield Finding(
                "date_order_taken",
                f"{name}: {_listed([self._shown(each) for each in self._taken])} could be read as day/month and as "
                f"month/day; read as {self._taken_as}, as all other columns of the export that show it. If that is "
                "wrong, say so with --set source.date_order=dmy or --set source.date_order=mdy.",
                "warning",
                self.records[0].stream,
                len(self._taken),
            )
        if self.file.encoded.mixed:
            yield Finding("mixed_encoding", f"{name} is UTF-8 with some Windows-1252; both were read.", "warning")
        names = [normalise(each) for each in self.file.header]
        if twice := sorted({each for each in self.file.header if names.count(normalise(each)) > 1}):
            named = [self._shown(each) for each in twice] if self.records else [_columns_only(len(twice))]
            yield Finding(
                "duplicate_header", f"{name}: columns of one name, the first was read: {', '.join(named)}.", "warning"
            )

    def _shown(self, header: str) -> str:
        """Return how a message calls a column; a header that an open quote made of rows is called by its place."""
        return shown_name(self.file.header.index(header), header)

    def _columns_not_read(self) -> Iterator[Finding]:
        """Yield the columns that no record reads: a warning, but for those that the layout leaves on purpose."""
        if not self.records:
            return
        known = self.spec.require.union(*(map(normalise, columns_of(record)) for record in self.records))
        names = dict.fromkeys(name for name in self.file.header if normalise(name) not in known)
        unread = [name for name in names if name not in self.dropped]
        left = [self._shown(name) for name in unread if normalise(name) in self.spec.ignore]
        unread = [self._shown(name) for name in unread if normalise(name) not in self.spec.ignore]
        file = self.file.name
        if unread:
            message = f"{file}: {_columns(len(unread))} not read: {_listed(unread)}."
            yield Finding("columns_not_read", message, "warning", count=len(unread))
        if left:
            message = f"{file}: {_columns(len(left))} left on purpose: {_listed(left)}."
            yield Finding("columns_left", message, count=len(left))

    def _rows(self, tally: Tally) -> Generator[Row | BadRow]:
        """Yield the rows after the header."""
        stream = self._container.open(self.file.name)
        rows = read_rows(stream, self.file.encoded.encoding, self.file.dialect, self._width, tally)
        if self.file.headed:
            next(rows, None)
        yield from rows

    def _look(self) -> Source:
        """Return the file's columns and what they show; looked at once."""
        if self._source is None:
            headers = dict(enumerate(self.file.header))
            columns = self._columns()
            evidence = self._with_order(self._own_evidence(), headers)
            self._by_value = tuple(
                headers[at] for at in sorted(evidence.secrets) if at in headers and headers[at] not in self._by_name
            )
            self._secrets = evidence.secrets | {at for at, header in headers.items() if is_secret_name(header)}
            readable = {name: at for name, at in columns.items() if at not in evidence.secrets}
            self._source = Source(
                self.file.name, readable, headers, evidence, self._settings, self._layout, self._reference, Counters()
            )
        return self._source

    def _columns(self) -> dict[str, int]:
        columns: dict[str, int] = {}
        for at, header in enumerate(self.file.header):
            if not is_secret_name(header):
                columns.setdefault(normalise(header), at)
        return columns

    def _own_evidence(self) -> Evidence:
        if self._own is None:
            self._own = self._evidence(self._columns())
        return self._own

    def _with_order(self, own: Evidence, headers: Mapping[int, str]) -> Evidence:
        """Return the evidence in which undecided columns have the order of the export's others, if these agree."""
        if not own.ambiguous or self._settings.date_order != "auto":
            return own
        if (order := self._order_of_export()) == "unknown":
            return own
        self._taken = tuple(headers[at] for at in sorted(own.ambiguous))
        self._taken_as = "day/month" if order == "dmy" else "month/day"
        return replace(own, orders={**own.orders, **dict.fromkeys(own.ambiguous, order)})

    def _evidence(self, columns: dict[str, int]) -> Evidence:
        kinds: dict[str, set[int]] = {}
        for spec in self.records:
            for column in (*spec.id[1::2],):
                kinds.setdefault("id", set()).add(columns.get(normalise(column), -1))
            for name, cell in spec.fields.items():
                kind = field_kind(spec.stream, name, cell)
                kinds.setdefault(kind, set()).update(columns.get(normalise(each), -1) for each in cell.columns)
        with closing(self._rows(Tally())) as rows:
            return gather(
                (row.cells for row in rows if isinstance(row, Row)),
                dates=(kinds.get("date", set()) | kinds.get("local-datetime", set())) - {-1},
                decimals=kinds.get("decimal", set()) - {-1},
                exempt=kinds.get("id", set()) | kinds.get("phone", set()),
            )

    def _odd(self, row: Row, stream: str) -> Skip | Rejection | None:
        """Return what a row is that is no record of its file, None for an ordinary one; trims what is superfluous."""
        cells, where = row.cells, Where(self.file.name, row.line)
        filled = [cell for cell in cells if cell.strip()]
        if not filled:
            return Skip(stream, None, "blank_row", where)
        if [normalise(cell) for cell in cells[: self._width]] == [normalise(name) for name in self.file.header]:
            return Skip(stream, None, "repeated_header", where)
        if _TOTALS.match(filled[0].strip().lower()) and len(filled) * 2 <= max(self._width, 2):
            return Skip(stream, None, "totals_line", where)
        if len(cells) > self._width and not any(cell.strip() for cell in cells[self._width :]):
            del cells[self._width :]
        if len(cells) == self._width:
            return None
        return Rejection(
            stream,
            None,
            "ragged_row",
            f"The row has {len(cells)} cells where the header has {self._width}.",
            "Mend the line (often a delimiter in a text without quotes, or a cut line), or export the file again.",
            where,
        )

    def _record(
        self, plan: Plan, cells: list[str], where: Where, accept: Callable[[dict[str, Any]], bool]
    ) -> Record | Rejection | Skip:
        stream = plan.spec.stream
        identity: str | None = None
        try:
            identity = record_id(plan, cells)
            if identity is None:
                return Rejection(
                    stream,
                    None,
                    "missing_id",
                    "The row has no id.",
                    "Give the row an id that stays the same.",
                    where,
                    "id",
                )
            data = record_data(plan, cells, identity)
        except BadCell as bad:
            return Rejection(stream, identity, bad.code, bad.reason, bad.hint, where, bad.column)
        if accept(data):
            if stream == "custom_columns" and is_secret_name(str(data["name"])):
                return Skip(stream, identity, "secret_column", where)
            return Record(stream, identity, data, where)
        name = fault(stream, data)
        return Rejection(
            stream,
            identity,
            "invalid_row",
            "The field is missing or not as the stream's schema has it.",
            "Complete or mend the cell of that field.",
            where,
            name,
        )


def _columns(count: int) -> str:
    return f"{count} column is" if count == 1 else f"{count} columns are"


def _columns_only(count: int) -> str:
    """Return how many columns of a file are meant whose first line may be no header, and is not shown."""
    return f"{count} of its first line"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


_MENDED = {
    "amount_as_text": "amounts with signs of currency, thousands or brackets were read as numbers.",
    "code_as_number": "procedure codes that had become numbers (120.00) were read as codes (D0120).",
    "code_without_letter": "procedure codes without their letter (0120) were read with it (D0120).",
    "padded_text": "names with blanks around them were read without.",
}


def _of_values(file: str, stream: str, counters: Counters) -> Iterator[Finding]:
    for column, count in counters.removed.items():
        message = f'{file}, column "{column}": secrets were removed from values.'
        yield Finding("secret_values_removed", message, "warning", stream, count)
    for column, count in counters.unknown.items():
        message = (
            f'{file}, column "{column}": codes that the codebook lacks were read as unknown or other. Say what they '
            "mean with --set source.codes."
        )
        yield Finding("unknown_codes_kept", message, "warning", stream, count)
    for (code, column), count in counters.mended.items():
        yield Finding(code, f'{file}, column "{column}": {_MENDED[code]}', "info", stream, count)
    for column, count in counters.lost.items():
        message = (
            f'{file}, column "{column}": names that are mostly question marks; an export or a spreadsheet lost their '
            "letters. Export again as UTF-8, without opening the file in between."
        )
        yield Finding("letters_lost", message, "warning", stream, count)
    for column, count in counters.zones.items():
        message = (
            f'{file}, column "{column}": time zones that are no IANA names were not read. Give the practice\'s with '
            "--set time_zone=America/Chicago."
        )
        yield Finding("time_zone_not_known", message, "warning", stream, count)


def _chosen(plans: list[Plan], cells: list[str]) -> Iterator[Plan]:
    """Yield the plans that a row is for."""
    for plan in plans:
        if plan.when is not None and not plan.when(cells):
            continue
        if plan.unless_empty and all(phone(cells[at]) is None for at in plan.unless_empty):  # empty, or a mask
            continue
        yield plan
