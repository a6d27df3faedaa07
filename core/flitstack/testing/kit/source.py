"""The suite of sources: what every reader must do with an example export, and with exports derived from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from jsonschema import Draft202012Validator

from flitstack.protocols import Record, Rejection, SourcePlugin
from flitstack.testing.kit.another_day import another_day
from flitstack.testing.kit.common import PluginSuite
from flitstack.testing.kit.exports import copy_of
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.offers import check_mistyped, named
from flitstack.testing.kit.sample import (
    JUNK,
    X_TYPES,
    Sample,
    bytes_of,
    cell,
    check_hash,
    check_others,
    check_records,
    check_refused,
    cut_short,
    dated,
    ended,
    least_peak,
    multiplied,
    newly_found,
    other_id,
    renamed_columns,
    replace_cell,
    sample_of,
    types_of,
)
from flitstack.testing.kit.suite import does_not_apply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.testing.kit.exports import TextFile

SMALL, LARGE = 1_000_000, 4_000_000
"""Bytes that a file is multiplied to, for the measure of memory."""


class SourceSuite(PluginSuite):
    """Subclass it in two lines: `class TestMine(SourceSuite): plugin = "mine"`.

    `example` may be overridden; what else is needed is derived from it, and `larger` where that is no text.

    :cvar source: which of the plugin's sources, where it registers several.
    :cvar settings: of the source, as `--set source.KEY=VALUE` would give them.
    """

    kind = "source"
    source: ClassVar[str] = ""
    settings: ClassVar[Mapping[str, Any]] = {}

    def example(self, folder: Path) -> str:
        """Return the path of an export to try the reader with: the source's `demo`, unless a subclass has another."""
        plugin = named(self.plugin, SourcePlugin, self.source)
        if plugin.demo is None:
            pytest.fail(f"source {plugin.name} brings no example: register `demo=`, or override `example`.")
        return plugin.demo(str(folder))

    def larger(self, folder: Path, size: int) -> str | None:
        """Return the path of an export of about so many bytes, made in the folder, to measure memory with.

        None, which it gives unless a subclass has another, lets the kit repeat the rows of the example's file of text.
        """
        return None

    @check("C2", "bronze")
    def test_settings_have_a_schema_that_helps(self) -> None:
        """The settings are a valid JSON Schema, defaults fit it, and a mistyped name is refused."""
        plugin = named(self.plugin, SourcePlugin, self.source)
        schema: Any = plugin.settings_schema
        Draft202012Validator.check_schema(schema)
        for name, setting in schema.get("properties", {}).items():
            wrong = "default" in setting and not Draft202012Validator(setting).is_valid(setting["default"])
            assert not wrong, f"{name}: the default does not fit"
        check_mistyped(schema, "source", "zq_mistyped", "zq_mistyped")

    @check("C7", "bronze")
    def test_every_setting_is_described(self) -> None:
        """Each setting says what it is for."""
        settings = named(self.plugin, SourcePlugin, self.source).settings_schema.get("properties", {})
        silent = [name for name, setting in settings.items() if not setting.get("description")]
        assert not silent, f"no description: {', '.join(silent)}"

    @check("S1", "bronze")
    def test_s1_finds_the_streams_of_an_export_and_names_its_files(self) -> None:
        """Streams are known ones, each once; the inventory lists files as they are; closing twice does no harm."""
        sample = sample_of(type(self))
        reader = sample.plugin.open(sample.path, sample.settings)
        known = [stream.name for stream in reader.known_streams()]
        found = [stream.name for stream in reader.streams()]
        reader.close()
        reader.close()

        assert found, "the example holds no stream"
        assert len(set(found)) == len(found), "a stream is there twice"
        assert set(found) <= set(known), "streams() gives one that known_streams() does not know"
        assert set(sample.plugin.required_streams) <= set(known), "a required stream is none of the known ones"
        assert sample.reading.files, "the inventory is empty"
        for file in sample.reading.files:
            check_hash(Path(sample.path), file.name, file.sha256)

    @check("S1", "bronze")
    def test_s1_refuses_what_is_no_export(self, tmp_path: Path) -> None:
        """What is no export is refused with one message that names the path; never with a traceback."""
        sample = sample_of(type(self))
        for what, content in JUNK.items():
            place = tmp_path / what.replace(" ", "-")
            if content is None:
                place.mkdir()
            else:
                place = place.with_suffix(Path(sample.path).suffix)
                place.write_bytes(content)
            check_refused(sample, str(place), what)
        check_refused(sample, str(tmp_path / "not-there"), "missing path")

    @check("S4", "bronze")
    def test_s4_two_readings_are_equal(self) -> None:
        """Two readers give the same rows in the same order, and one reader asked twice as well."""
        sample = sample_of(type(self))
        reader = sample.plugin.open(sample.path, sample.settings)
        try:
            twice = [[tuple(reader.read(s.name)) for s in reader.streams()] for _ in range(2)]
        finally:
            reader.close()

        assert sample.read(sample.path) == sample.reading, "a second reader gives something else"
        assert twice[0] == twice[1], "the same reader gives something else the second time"

    @check("S5", "bronze")
    def test_s5_records_are_as_their_schema_says(self) -> None:
        """Each record is valid against its stream's schema, and no field is missing from the schema."""
        sample = sample_of(type(self))
        known = {stream.name for stream in sample.reading.streams}
        for stream in sample.reading.streams:
            Draft202012Validator.check_schema(dict(stream.schema))
            properties = stream.schema.get("properties", {})
            for name, schema in properties.items():
                place = f"{stream.name}.{name}"
                assert schema.get("x-type") in X_TYPES | {None}, f"{place}: x-type is one of {sorted(X_TYPES)}"
                assert schema.get("x-references") is None or schema.get("x-as"), f"{place}: x-references needs x-as"
            check_records(stream.name, stream.schema, sample.reading.of(stream.name))
        assert known, "no stream was read"

    @check("S6", "bronze")
    def test_s6_keys_are_there_and_unique(self) -> None:
        """A record's id is a text, not empty, its own (a row may be there twice); each row names a listed file."""
        sample = sample_of(type(self))
        reading = sample.reading
        files = (*(file.name for file in reading.files), *_names(Path(sample.path)))
        for stream in (each.name for each in reading.streams):
            ids = [row.id for row in reading.of(stream) if isinstance(row, Record)]
            assert all(isinstance(each, str) and each for each in ids), f"{stream}: an id is no text, or empty"
            assert len(ids) - len(set(ids)) <= len(ids) // 10, f"{stream}: so many share an id that it is no key"
            for row in reading.of(stream):
                assert row.stream == stream, f"{stream}: a row says that it is of {row.stream}"
                assert row.where is None or row.where.line >= 1, f"{stream}: lines count from 1"
                assert row.where is None or row.where.file.startswith(files), (
                    f"{stream}: a row's file is not in the export"
                )

    @check("S2", "silver")
    def test_s2_other_encodings_and_line_ends_read_the_same(self, tmp_path: Path) -> None:
        """A BOM, CRLF, UTF-16, a missing last line end, another delimiter: read the same, or refused in words."""
        sample, file = self._text()
        text = file.text().removeprefix("\ufeff")
        variants: dict[str, str | bytes] = {
            "a BOM": "\ufeff" + text,
            "CRLF": text.replace("\r\n", "\n").replace("\n", "\r\n"),
            "UTF-16": text.encode("utf-16"),
            "no last line end": text.rstrip("\r\n"),
        }
        if file.delimiter and '"' not in text:
            other = ";" if file.delimiter == "," else ","
            if other not in text:
                variants["another delimiter"] = text.replace(file.delimiter, other)
        before = str(sample.reading.records(file.stream)).replace("\\r\\n", "\\n")
        for number, (what, content) in enumerate(variants.items()):
            after = sample.read(file.put(tmp_path / str(number), content), file.stream)
            same = str(after.records(file.stream)).replace("\\r\\n", "\\n") == before
            assert after.refused or same, f"{what}: other records, and nobody was told"
            if what in ("a BOM", "CRLF", "no last line end"):
                assert not after.refused, f"{what}: refused, though every spreadsheet writes it: {after.refused}"

    @check("S2", "silver")
    def test_s2_a_line_break_within_quotes_is_part_of_the_value(self, tmp_path: Path) -> None:
        """A quoted cell may hold a line break; the rows after it are still themselves."""
        sample, file = self._text()
        if not file.delimiter:
            does_not_apply("the file is no table with a delimiter")
        line, record = next(iter(file.plain.items()))
        place = cell(file, line, record, lambda schema: "string" in types_of(schema) and "x-type" not in schema)
        if place is None:
            does_not_apply("no plain text stands in a cell as it is read")
        name, text = place
        broken = replace_cell(file, line, text, f'"{text}\nsecond line"')
        after = sample.read(file.put(tmp_path / "out", file.text({line: broken})), file.stream)

        assert not after.refused, after.refused
        check_others(sample, after, file.stream, {record.id})
        now = after.records(file.stream).get(record.id)
        if now is not None:
            assert str(now[name]).split() == [*text.split(), "second", "line"], f"{name}: the value was cut"

    @check("S3", "silver")
    def test_s3_a_row_keeps_its_id_wherever_it_stands(self, tmp_path: Path) -> None:
        """A row's id does not depend on the rows around it."""
        sample, file = self._text()
        first, last = min(file.plain), max(file.plain)
        swapped = {first: ended(file.lines[last - 1]), last: ended(file.lines[first - 1])}
        after = sample.read(file.put(tmp_path / "out", file.text(swapped)), file.stream)

        assert not after.refused, after.refused
        assert after.records(file.stream) == sample.reading.records(file.stream), (
            "rows changed their ids with their place"
        )

    @check("S7", "gold")
    def test_s7_memory_does_not_grow_with_the_export(self, tmp_path: Path) -> None:
        """Reading an export four times as long takes no more memory."""
        sample = sample_of(type(self))
        small, large = (self._long(sample, tmp_path / str(size), size) for size in (SMALL, LARGE))
        longer = bytes_of(large) - bytes_of(small)
        assert longer >= LARGE // 2, (
            f"`larger` gave {bytes_of(small):,} bytes where {SMALL:,} were asked for, and {bytes_of(large):,} where "
            f"{LARGE:,} were: what it writes must grow with what is asked for"
        )
        names = [sample.text.stream] if sample.text else [stream.name for stream in sample.reading.streams]
        before = least_peak(sample, small, names, tries=2)
        grown = least_peak(sample, large, names, tries=3, enough=before + longer / 4) - before

        assert grown < longer / 4, (
            f"{longer:,} bytes more of export took {grown:,} bytes of memory, where less than a quarter of it is let "
            f"pass; read() of {', '.join(names)} yields row by row and keeps none"
        )

    @check("S8", "silver")
    def test_s8_a_malformed_row_is_named_by_its_line_and_the_others_survive(self, tmp_path: Path) -> None:
        """A row of noise is one rejection or skip with its line, without its text; the others are as before."""
        sample, file = self._text()
        line, record = list(file.plain.items())[len(file.plain) // 2]
        noise = "}{ q7canaryq7 }{" + (file.delimiter + "q7canaryq7") * 60 + "\n"
        after = sample.read(file.put(tmp_path / "out", file.text({line: noise})), file.stream)

        assert not after.refused, f"one malformed row stops the whole export: {after.refused}"
        check_others(sample, after, file.stream, {record.id})
        there = [row for row in after.of(file.stream) if row.where is not None and row.where.line == line]
        if not there:  # where several streams come of a file, noise is of none of them, and told once
            everything = sample.read(file.put(tmp_path / "whole", file.text({line: noise})))
            there = file.rows_at(everything, line)
        assert there, f"the malformed row in line {line} vanished without a word"
        assert not isinstance(there[0], Record), f"the malformed row in line {line} was taken for a record"
        said = [row.message() for row in there if isinstance(row, Rejection)]
        said += [finding.message for finding in after.findings]
        assert "q7canaryq7" not in " ".join(said), "a message holds a value of the row"

    @check("S9", "silver")
    def test_s9_only_what_changed_between_two_exports_differs(self, tmp_path: Path) -> None:
        """A row taken away, one added and one changed differ; every other record is as it was."""
        sample, file = self._text()
        lines = list(file.plain)
        gone, model = file.plain[lines[0]], file.plain[lines[-1]]
        added = ended(file.lines[lines[-1] - 1])
        text = file.text({lines[0]: None}).rstrip("\r\n") + "\n" + added.replace(model.id, other_id(file, model.id))
        after = sample.read(file.put(tmp_path / "out", text), file.stream)

        assert not after.refused, after.refused
        check_others(sample, after, file.stream, {gone.id})
        assert gone.id not in after.records(file.stream), "a row that is gone is still read"
        new = set(after.records(file.stream)) - set(sample.reading.records(file.stream))
        assert len(after.of(file.stream)) == len(sample.reading.of(file.stream)), "one gone and one new: as many rows"
        assert len(new) <= 1, "one new row gave several records"

    @check("S9", "silver")
    def test_s9_a_renamed_column_is_not_read_as_empty(self, tmp_path: Path) -> None:
        """A column that has another name than yesterday is told of: refused, rejected or found; never just empty."""
        sample, file = self._text()
        if not file.delimiter and not file.is_json:
            does_not_apply("the file is no table with a delimiter, and no lines of JSON")
        before = sample.reading
        for number, (name, content) in enumerate(renamed_columns(file)):
            after = sample.read(file.put(tmp_path / str(number), content), "" if file.is_json else file.stream)
            if after.refused or after.records(file.stream) == before.records(file.stream):
                continue  # refused, or a column that nobody reads, or one that is known by its values
            told = [r for rows in (after.rows or {}).values() for r in rows if not isinstance(r, Record)]
            assert told or newly_found(after, before), (
                f"column {number + 1} ({name}) was renamed, its values are gone, and nobody was told"
            )

    @check("S10", "silver")
    def test_s10_a_date_is_never_guessed(self, tmp_path: Path) -> None:
        """A date that cannot be read is told of; day and month are settled by a file's other rows or not at all."""
        sample, file = self._text()
        found = dated(file)
        if found is None:
            does_not_apply("no date stands in the file as it is read")
        line, name, text = found

        def reads(other: str) -> bool:
            content = file.text({line: replace_cell(file, line, text, other)})
            only = "" if file.is_json else file.stream
            after = sample.read(file.put(tmp_path / other.replace("/", "-"), content), only)
            assert not after.refused, f"one unreadable date stops the whole export: {after.refused}"
            check_others(sample, after, file.stream, {file.plain[line].id})
            there = file.rows_at(after, line)
            assert there or newly_found(after, sample.reading), f"{name}: a row with a bad date vanished without a word"
            value = after.records(file.stream).get(file.plain[line].id, {name: "rejected"}).get(name)
            assert value is not None or newly_found(after, sample.reading), f"{name}: a bad date vanished, unsaid"
            assert value != other, f"{name}: text that is no ISO date was taken for one"
            return value not in (None, "rejected")

        assert not reads("not a date"), f"{name}: a text was read as a date"
        if reads("13/02/2024") and reads("02/13/2024"):
            assert not reads("03/04/2024"), f"{name}: 03/04 is April or March; it was guessed"

    @check("S10", "silver")
    def test_s10_the_exports_own_time_is_not_the_readers(self, tmp_path: Path) -> None:
        """What an export says of its own time is the same on another day, in another zone, with other file times."""
        sample = sample_of(type(self))
        before = sample.reading.as_of
        copied = copy_of(sample.path, tmp_path / "out", touched=True)
        with another_day():
            after = sample.read(copied)

        assert not after.refused, f"on another day the same export is refused: {after.refused}"
        assert after.as_of == before, (
            f"as_of() is {before}, and {after.as_of} when the same export is read on another day, in another time zone "
            "and with other file times; take it from a setting, a manifest or the newest date in the records, or give "
            "None: it is never the reader's day and never a file's time"
        )

    @check("S11", "silver")
    def test_s11_a_file_that_was_cut_off_is_noticed(self, tmp_path: Path) -> None:
        """A file that ends in the middle of a row does not pass for a whole one."""
        sample, file = self._text()
        if max(file.plain) != len(file.lines) or not (file.delimiter or file.is_json):
            does_not_apply("the file does not end with a row of cells, and not with a line of JSON")
        whole = file.plain[len(file.lines)].id
        for number, content in enumerate(cut_short(file)):
            after = sample.read(file.put(tmp_path / str(number), content), "" if file.is_json else file.stream)
            if after.refused:
                continue
            check_others(sample, after, file.stream, {whole})
            there = file.rows_at(after, len(file.lines))
            told = [row for row in there if not isinstance(row, Record)] or newly_found(after, sample.reading)
            assert told, "the last row lost its end, and nobody was told"

    def _long(self, sample: Sample, folder: Path, size: int) -> str:
        folder.mkdir()
        own = self.larger(folder, size)
        if own is not None:
            return own
        if sample.text is None:
            does_not_apply("no file of the example is text whose rows could be repeated: override `larger`")
        return sample.text.put(folder / "out", multiplied(sample.text, size))

    def _text(self) -> tuple[Sample, TextFile]:
        sample = sample_of(type(self))
        if sample.text is None:
            does_not_apply("no file of the example is text with a record on a line of its own")
        return sample, sample.text


def _names(root: Path) -> list[str]:
    """Return the names of the files of an export, as readers may call them."""
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()] if root.is_dir() else [root.name]
