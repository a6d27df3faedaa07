"""Chooses the source and the destination where nobody names one: the only one that can be meant, never a guess."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from flitstack.errors import FlitError, UsageError
from flitstack.settings import parse_sets, read_project_file
from flitstack.stages.setup import destination_settings, source_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flitstack.registry import Registry


def source_of(
    registry: Registry, name: str | None, input_: str | None, sets: Sequence[str], folder: Path, main: str = ""
) -> str:
    """Return the source that is named, else the only one installed, else the only one that can read the export.

    :param input_: None without an export: then it is the only one with main records, which can be counted.
    :param folder: where a flit.toml would stand, beside the journal.
    :param main: the stream of the main records that are counted, "" for any.
    :raises UsageError: several can be meant, or none.
    """
    names: Sequence[str] = registry.sources()
    if main:
        names = _with_main(registry, [name] if name else names, main)
    if name is not None or len(names) == 1:
        return name or names[0]
    if input_ is None:
        able = [each for each in names if registry.source(each).required_streams]
        why: dict[str, str] = {}
    else:
        why = {each: _refusal(registry, each, input_, sets, folder) for each in names}
        able = [each for each, refusal in why.items() if not refusal]
    if len(able) == 1:
        return able[0]
    if why and not able:
        told = "".join(f"\n  {each}: {refusal}" for each, refusal in why.items())
        raise UsageError(f"No source can read it. With --source, say which it should be.{told}")
    raise UsageError(f"Say which: --source {' | '.join(able or names) or 'NAME (no plugin offers one)'}.")


def _with_main(registry: Registry, names: Sequence[str], main: str) -> list[str]:
    """Return the sources whose main records are of a stream.

    :raises UsageError: there is none.
    """
    streams = {name: registry.source(name).required_streams for name in names}
    able = [name for name, required in streams.items() if main in required]
    if not able:
        known = sorted({stream for required in streams.values() for stream in required})
        said = f" What can be counted: {', '.join(f'--{stream}' for stream in known)}." if known else ""
        raise UsageError(f"No such option: --{main}. It is no stream of a source's main records.{said}")
    return able


def _refusal(registry: Registry, name: str, input_: str, sets: Sequence[str], folder: Path) -> str:
    """Return why a source cannot read an export, "" when it can."""
    plugin = registry.source(name)
    try:
        reader = plugin.open(input_, source_settings(plugin, parse_sets(sets), read_project_file(folder)))
        try:
            return "" if reader.streams() else "it finds nothing that it knows."
        finally:
            reader.close()
    except FlitError as exc:
        return str(exc)


def destination_of(registry: Registry, name: str | None, sets: Sequence[str], folder: Path) -> str:
    """Return the destination that is named, else the only one installed, set up here, or fit for the settings given.

    :param folder: where a flit.toml would stand, beside the journal.
    :raises UsageError: several can be meant, or none.
    """
    names = registry.destinations()
    if name is not None or len(names) == 1:
        return name or names[0]
    fit = [each for each in names if _fits(registry, each, sets, folder)]
    for able in (fit, [each for each in fit if _is_set(registry, each)]):
        if len(able) == 1:
            return able[0]
    raise UsageError(f"Say which: --dest {' | '.join(fit or names) or 'NAME (no plugin offers one)'}.")


def _fits(registry: Registry, name: str, sets: Sequence[str], folder: Path) -> bool:
    with suppress(FlitError):
        destination_settings(registry.destination(name), parse_sets(sets), read_project_file(folder))
        return True
    return False


def _is_set(registry: Registry, name: str) -> bool:
    return any(os.environ.get(variable) for variable in registry.destination(name).settings_environment.values())
