"""Proposes a map for an export: what core finds, what was confirmed before, what plugins suggest, as one proposal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flitstack.errors import PluginError, UsageError
from flitstack.mapping import find_template, load_template
from flitstack.mapping.proposing import AccountWords, Matcher, Memory, Personal, custom_fields
from flitstack.protocols import Candidate, FileProposal, Proposal, Question
from flitstack.settings import parse_sets, read_project_file
from flitstack.stages.setup import source_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from flitstack.mapping.proposing import KnownAccount
    from flitstack.protocols import (
        ColumnProposal,
        DestinationPlugin,
        MapProposing,
        Proposer,
        SampledColumn,
        SampledExport,
        SourcePlugin,
    )
    from flitstack.registry import Registry

ROWS = 2_000
_ALTERNATIVES = 5
_FIELD = "field"


def proposing_of(source: SourcePlugin) -> MapProposing:
    """Return how a source takes part in `flit map`.

    :raises UsageError: it does not.
    """
    if source.proposing is None:
        raise UsageError(f'The source "{source.name}" does not take part in flit map. Its plugin has no `proposing`.')
    return source.proposing()


def propose_map(
    registry: Registry,
    source: SourcePlugin,
    input_: str,
    settings: Mapping[str, Any],
    memory: Memory | None,
    room: tuple[int, str] | None,
    *,
    plugins: bool = True,
    account: KnownAccount | None = None,
) -> tuple[Proposal, str]:
    """Return the proposal and the text of its draft.

    :param memory: maps confirmed before; None to leave them out.
    :param room: how many custom fields the account's plan leaves, and what says so.
    :param plugins: ask the plugins that propose, too.
    :param account: what the account has, which columns without a field are compared with; None where nobody asked.
    :raises NotAnExportError, SettingsError: the export or a setting cannot be used.
    :raises PluginError: a plugin that proposes failed; named, with the kind of its error.
    """  # fmt: skip
    parts = proposing_of(source)
    export = parts.sample(input_, settings, ROWS)
    proposers = registry.proposers(source.name) if plugins else ()
    files = () if export.layout else _files(proposers, source, parts, export, memory)
    words = AccountWords(account, parts.lexicon()) if account else None
    left = _columns_without(export, files, parts.custom_streams)
    customs = custom_fields(left, room[0] if room else None, words, Personal(export, parts.lexicon(), files))
    proposal = Proposal(source.name, export.layout, files, customs, room)
    return proposal, parts.draft(proposal, export)


def settings_of(source: SourcePlugin, sets: Sequence[str], folder: Path) -> Mapping[str, Any]:
    """Return a source's settings, from --set and the project's file in `folder`."""
    return source_settings(source, parse_sets(sets), read_project_file(folder))


def room_of(registry: Registry, source: str, destination: DestinationPlugin, plan: str) -> tuple[int, str] | None:
    """Return how many custom fields a plan leaves once the map has its own, and that in words; None without a cap.

    What the map's own fields are, its template says where it states ratios; else they count as none.

    :raises UsageError: the destination has no plan of that name.
    """
    plans = {each.name: each for each in destination.plans}
    if plan not in plans:
        raise UsageError(f'There is no plan "{plan}". Known: {", ".join(plans) or "none"}.')
    cap = plans[plan].schema_caps.get(_FIELD)
    if cap is None:
        return None
    try:
        ratios = load_template(find_template(registry.template(source, destination.name).path)).ratios
    except PluginError:  # no template for the pair: nothing is known of its fields
        ratios = None
    taken = ratios.schema.get(_FIELD, 0) if ratios else 0
    return max(0, cap - taken), f"plan {plan}: {cap} custom fields in all, of which the whole map takes {taken}"


def _files(
    proposers: Sequence[Proposer], source: SourcePlugin, parts: MapProposing, export: SampledExport,
    memory: Memory | None,
) -> tuple[FileProposal, ...]:  # fmt: skip
    matcher = Matcher(parts.targets(), parts.lexicon())
    known: dict[str, str] = {}
    if memory is not None:
        memory = Memory(memory.folder, [target.key for target in matcher.targets])
        before = {file.name: memory.stream_of(source.name, file) for file in export.files}
        known = {file: stream for file, stream in before.items() if stream is not None}
    files = matcher.propose(export, known)
    for proposer in proposers:
        files = [
            _suggested(proposer, source.name, matcher, export, proposal) if proposal.stream else proposal
            for proposal in files
        ]
    if memory is not None:
        sampled = {file.name: file for file in export.files}
        files = [memory.apply(source.name, sampled[proposal.file], proposal) for proposal in files]
    return tuple(files)


def _suggested(
    proposer: Proposer, source: str, matcher: Matcher, export: SampledExport, proposal: FileProposal
) -> FileProposal:
    """Return the proposal with what a plugin suggests put first: to be confirmed like any other, never pre-ticked."""
    file = next(each for each in export.files if each.name == proposal.file)
    targets = tuple(target for target in matcher.targets if proposal.stream in target.homes)
    try:
        said = proposer.propose(Question(source, file, proposal.stream, targets))
    except Exception as exc:
        raise PluginError(
            f'proposer "{proposer.name}" failed with {type(exc).__name__}. Without plugins: --no-plugins.'
        ) from exc
    known = {target.key for target in targets}
    fitting = {column: [each for each in candidates if each.target in known] for column, candidates in said.items()}
    taken = {each[0].target for each in fitting.values() if each}
    columns = tuple(_first(column, fitting.get(column.column), taken, proposer.name) for column in proposal.columns)
    return replace(proposal, columns=columns)


def _first(column: ColumnProposal, said: Sequence[Candidate] | None, taken: Iterable[str], name: str) -> ColumnProposal:
    if said:
        best = replace(said[0], confidence=min(max(said[0].confidence, 0.0), 1.0),
                       reasons=(f"proposed by {name}", *said[0].reasons))  # fmt: skip
        before = [each for each in (*said[1:], column.chosen, *column.others) if each and each.target != best.target]
        agreed = column.chosen is not None and column.chosen.target == best.target
        return replace(column, chosen=best, ticked=column.ticked and agreed, others=tuple(before[:_ALTERNATIVES]))
    if column.chosen is not None and column.chosen.target in taken:
        return replace(column, chosen=None, ticked=False, others=(column.chosen, *column.others)[:_ALTERNATIVES])
    return column


def _columns_without(
    export: SampledExport, files: Sequence[FileProposal], streams: frozenset[str]
) -> list[tuple[str, SampledColumn]]:
    """Return the columns of some streams' files that no field takes: what a known layout leaves, or was not placed."""
    if export.layout:
        own = [file for file in export.files if file.stream in streams]
        return [(file.name, column) for file in own for column in file.columns if column.name in file.unread]
    placed = {(file.file, column.column) for file in files for column in file.columns if column.chosen is not None}
    mapped = {file.file for file in files if file.stream in streams}
    return [
        (file.name, column)
        for file in export.files
        if file.name in mapped
        for column in file.columns
        if (file.name, column.name) not in placed
    ]


def as_json(proposal: Proposal) -> dict[str, Any]:
    """Return the proposal as `--json` prints it; no cell of the export is in it but options that recur."""
    return {
        "source": proposal.source,
        "layout": proposal.layout or None,
        "files": [
            {
                "file": file.file, "stream": file.stream or None, "confidence": file.confidence,
                "columns": [
                    {
                        "column": c.column, "fill": round(c.fill, 3), "ticked": c.ticked,
                        "proposal": _candidate(c.chosen), "alternatives": [_candidate(each) for each in c.others],
                    }
                    for c in file.columns
                ],
            }
            for file in proposal.files
        ],
        "custom_fields": [
            {"file": c.file, "column": c.column, "type": c.type, "options": list(c.options), "fill": c.fill,
             "fits": c.fits, "account": c.account or None}
            for c in proposal.customs
        ],
        "room": None if proposal.room is None else {"custom_fields": proposal.room[0], "says": proposal.room[1]},
    }  # fmt: skip


def _candidate(it: Candidate | None) -> dict[str, Any] | None:
    return None if it is None else {"target": it.target, "confidence": it.confidence, "reasons": list(it.reasons)}
