"""Proposes which file is which stream and which column which field, without network and without a model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flitstack.mapping.proposing.assignment import assign
from flitstack.mapping.proposing.calibration import LEAST, LOWEST, TICK, confidence
from flitstack.mapping.proposing.profiles import profile
from flitstack.mapping.proposing.scoring import Ids, Scored, Scorer, with_references
from flitstack.protocols import Candidate, ColumnProposal, FileProposal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import Lexicon, SampledColumn, SampledExport, SampledFile, Target

_ALTERNATIVES = 5
_LEAST_STREAM = 2.0
_NAMED_FILE = 2.5
_ID = 1.5
_ID_FIELD = "id"
_ENOUGH = 8
_BY_CELLS = 0.5
_SURE_STREAM = 0.55
_PLAIN_STREAM = 5.0
_SAME_STREAM = 0.6
_OWN_ID = 1.5
_STREAMS_SHOWN = 3


class Matcher:
    """Everything that columns of a source's exports may become."""

    def __init__(self, targets: Sequence[Target], lexicon: Lexicon) -> None:
        self.scorer = Scorer(targets, lexicon)
        self.targets = self.scorer.targets
        self.streams = tuple(dict.fromkeys(home for target in targets for home in target.homes))

    def propose(self, export: SampledExport, streams: Mapping[str, str] | None = None) -> list[FileProposal]:
        """Return a proposal for each file.

        :param streams: file to stream, where that is known already; "" stands for none.
        """
        given = streams or {}
        scored = {file.name: self.scorer.score_file(file) for file in export.files}
        ranked = {
            file.name: [(given[file.name], 99.0)] if file.name in given else self._rank(file, scored[file.name])
            for file in export.files
        }
        chosen = _chosen_streams(ranked, {file.name: self._named(file) for file in export.files})
        first = {file.name: self._assign(chosen[file.name], scored[file.name]) for file in export.files}
        ids = self._ids(export, chosen, first)
        return [
            self._file_proposal(
                file,
                chosen[file.name],
                ranked[file.name],
                [
                    with_references(each, column, self.scorer, chosen[file.name], ids)
                    for each, column in zip(scored[file.name], file.columns, strict=True)
                ],
            )
            for file in export.files
        ]

    def _rank(self, file: SampledFile, scored: Sequence[Sequence[Scored]]) -> list[tuple[str, float]]:
        """Return the streams that the file may be, the best first, each with its worth; [] when none is near."""
        if not file.columns:
            return []
        named = self._named(file)
        worths = []
        for stream in self.streams:
            pairs = self._assign(stream, scored)
            of_pairs = [self._at(scored[column], target) for column, target in pairs.items()]
            own = [each for each in of_pairs if self.targets[each.target].stream == stream]
            required = [at for at, t in enumerate(self.targets) if t.stream == stream and t.required and not t.beside]
            met = {each.target for each in own}
            worth = sum(max(0.0, each.score - LOWEST) ** 2 for each in own)
            worth += 0.5 * sum(max(0.0, each.score - LOWEST) ** 2 for each in of_pairs if each not in own)
            worth += _ID * sum(at in met for at in required) / max(1, len(required))
            worth += _NAMED_FILE * named[stream]
            worth += _OWN_ID * self._has_own_id(file, stream, own)
            worths.append((stream, worth))
        worths.sort(key=lambda each: -each[1])
        return [each for each in worths if each[1] >= _LEAST_STREAM]

    def _named(self, file: SampledFile) -> dict[str, float]:
        """Return how well the file's name names each stream, 0 to 1."""
        words = set(self.scorer.vocabulary.words(file.name.rpartition("/")[2].rpartition(".")[0]))
        return {
            stream: max((_overlap(words, name) for name in self.scorer.stream_names[stream]), default=0.0)
            for stream in self.streams
        }

    def _has_own_id(self, file: SampledFile, stream: str, own: Sequence[Scored]) -> bool:
        """Say whether a column without two equal cells is the id word for word, and names the stream: `Member ID`."""
        key = f"{stream}.{_ID_FIELD}"
        sure = any(self.targets[each.target].key == key and each.name >= 1.0 and each.fit > 0 for each in own)
        wanted = {*self.scorer.vocabulary.words(stream), _ID_FIELD}
        return sure and any(set(self.scorer.vocabulary.words(column.name)) == wanted for column in file.columns)

    def _assign(self, stream: str, scored: Sequence[Sequence[Scored]]) -> dict[int, int]:
        worth = {
            (column, each.target): each.score - LOWEST
            for column, candidates in enumerate(scored)
            for each in candidates
            if each.score > LOWEST and stream in self.targets[each.target].homes
        }
        return assign(worth)

    @staticmethod
    def _at(candidates: Sequence[Scored], target: int) -> Scored:
        return next(each for each in candidates if each.target == target)

    def _ids(
        self, export: SampledExport, chosen: Mapping[str, str], pairs: Mapping[str, Mapping[int, int]]
    ) -> dict[str, Ids]:
        """Return per stream the ids of its file, where the file was read whole and only one file is the stream."""
        found: dict[str, Ids] = {}
        for file in export.files:
            stream = chosen[file.name]
            if not stream or list(chosen.values()).count(stream) > 1:
                continue
            key = f"{stream}.{_ID_FIELD}"
            at = next((column for column, t in pairs[file.name].items() if self.targets[t].key == key), None)
            at = self._like_an_id(file, set(pairs[file.name])) if at is None else at
            if at is not None and file.columns[at].whole:
                column = file.columns[at]
                found[stream] = Ids(column.name, frozenset(cell.strip() for cell in column.values))
        return found

    def _like_an_id(self, file: SampledFile, taken: set[int]) -> int | None:
        """Return the first column that by its cells is an id and means nothing else: named as one, or the first."""
        for at, column in enumerate(file.columns):
            unlike = len(set(column.values)) == len(column.values) == column.rows >= _ENOUGH
            if at not in taken and unlike and (at == 0 or _ID_FIELD in self.scorer.vocabulary.words(column.name)):
                found = profile(column)
                if max(found.sentence, found.email, found.date, found.phone) < _BY_CELLS:
                    return at
        return None

    def _file_proposal(
        self, file: SampledFile, stream: str, ranked: Sequence[tuple[str, float]], scored: Sequence[Sequence[Scored]]
    ) -> FileProposal:
        pairs = self._assign(stream, scored) if stream else {}
        columns = tuple(
            self._column_proposal(column, stream, scored[at], pairs.get(at), _rival(scored, at, pairs.get(at)))
            for at, column in enumerate(file.columns)
        )
        columns = self._with_id(file, stream, columns)
        lead = ranked[0][1] / (ranked[0][1] + ranked[1][1]) if len(ranked) > 1 else 1.0
        if lead < _SURE_STREAM:
            columns = tuple(replace(column, ticked=False) for column in columns)
        named = sum(column.chosen is not None for column in columns)
        told = f"{named} of {len(columns)} columns fit" if stream else "no stream is plainly meant"
        reasons = tuple(filter(None, (told if columns else "", file.note)))
        others = tuple((name, round(worth, 2)) for name, worth in ranked if name != stream)[:_STREAMS_SHOWN]
        return FileProposal(file.name, stream, round(lead if stream else 0.0, 2), reasons, columns, others)

    def _with_id(
        self, file: SampledFile, stream: str, columns: tuple[ColumnProposal, ...]
    ) -> tuple[ColumnProposal, ...]:
        """Return the columns; where none is the id, the first that looks like one by its cells is proposed as that."""
        key = f"{stream}.{_ID_FIELD}"
        if key not in {t.key for t in self.targets} or any(c.chosen and c.chosen.target == key for c in columns):
            return columns
        at = self._like_an_id(file, {at for at, column in enumerate(columns) if column.chosen is not None})
        if at is None:
            return columns
        chosen = Candidate(key, _BY_CELLS, ("every row has a cell, and no two are alike",))
        others = tuple(each for each in columns[at].others if each.target != key)
        return (*columns[:at], replace(columns[at], chosen=chosen, others=others), *columns[at + 1 :])

    def _column_proposal(
        self, column: SampledColumn, stream: str, scored: Sequence[Scored], pair: int | None, rival: float
    ) -> ColumnProposal:
        usable = [each for each in scored if stream in self.targets[each.target].homes and each.score > 0]
        best = usable[0] if usable else None
        chosen = self._at(usable, pair) if pair is not None else None
        others = [each for each in usable if each is not chosen]
        rest = [each for each in scored if stream not in self.targets[each.target].homes and each.score > 0]
        shown = [*others, *rest][:_ALTERNATIVES]
        second = others[0].score if others else 0.0
        candidates = tuple(
            self._candidate(each, each.score - (best.score if best else 0.0) - 0.05, column) for each in shown
        )
        if chosen is None:
            return ColumnProposal(column.name, column.fill, None, False, candidates)
        it = self._candidate(chosen, chosen.score - second, column)
        if it.confidence < LEAST:
            return ColumnProposal(column.name, column.fill, None, False, (it, *candidates)[:_ALTERNATIVES])
        sure = chosen.score > max(second, rival) and it.confidence >= TICK and self._is_proved(chosen)
        return ColumnProposal(column.name, column.fill, it, sure, candidates)

    def _is_proved(self, chosen: Scored) -> bool:
        """Say whether the name fits word for word, and the cells show what a name alone could be mistaken about."""
        if chosen.name < 1.0 or chosen.fit < 0:
            return False
        schema = self.targets[chosen.target].schema
        if "x-references" in schema:
            return chosen.proved
        return chosen.fit > 0 or not (schema.get("x-type") or schema.get("enum") or schema.get("format"))

    def _candidate(self, each: Scored, lead: float, column: SampledColumn) -> Candidate:
        target = self.targets[each.target]
        sure = confidence(each.score, lead, bool(column.values))
        return Candidate(target.key, sure, tuple(_reasons(each, target)))


def _chosen_streams(
    ranked: Mapping[str, Sequence[tuple[str, float]]], named: Mapping[str, Mapping[str, float]]
) -> dict[str, str]:
    """Return each file's stream, "" where none is near, several are about as near, or another file is it far more.

    :param named: per file how well its name names each stream; where it does so word for word, that is clear.
    """
    best = {
        file: worths[0]
        for file, worths in ranked.items()
        if worths and (_is_clear(worths) or named[file].get(worths[0][0], 0.0) >= 1.0)
    }
    most: dict[str, float] = {}
    for stream, worth in best.values():
        most[stream] = max(worth, most.get(stream, 0.0))
    return {
        file: best[file][0] if file in best and best[file][1] >= _SAME_STREAM * most[best[file][0]] else ""
        for file in ranked
    }


def _is_clear(worths: Sequence[tuple[str, float]]) -> bool:
    first = worths[0][1]
    lead = first / (first + worths[1][1]) if len(worths) > 1 else 1.0
    return first >= _PLAIN_STREAM or lead >= _SURE_STREAM


def _rival(scored: Sequence[Sequence[Scored]], at: int, target: int | None) -> float:
    """Return how well the best other column of the file fits the same target."""
    others = (each.score for row, candidates in enumerate(scored) if row != at for each in candidates
              if each.target == target)  # fmt: skip
    return max(others, default=0.0)


def _overlap(words: set[str], name: Sequence[str]) -> float:
    """Return how well a file's name names a stream, 0 to 1."""
    wanted = set(name)
    return 2 * len(words & wanted) / (len(words) + len(wanted)) if words else 0.0


def _reasons(each: Scored, target: Target) -> list[str]:
    if each.said:
        found = [each.said]
    elif each.name >= 1.0:
        found = ["the header says so word for word"]
    elif each.name >= 0.6:
        found = ["the header says nearly that"]
    elif each.name >= 0.35:
        found = ["the header shares words with it"]
    else:
        found = ["the header is a little like it"]
    if each.why:
        found.append(each.why)
    if each.points is not None:
        share = f"{each.points:.0%} of the cells are ids of {target.schema['x-references']}"
        found.append(share)
    return found
