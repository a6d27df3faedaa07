"""Plugins beside a journal: files in `flit_plugins/` that a person has read and confirmed, for what is used once.

Such a file runs with all that its user may do, so none is run before somebody put their name to exactly what it says:
the confirmation holds the file's hash, and a file that changed waits for a new one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import stat
import sys
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from shlex import quote
from typing import TYPE_CHECKING

from flitstack.errors import ApprovalNeeded, ConfigurationError, PluginError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import ModuleType

FOLDER = "flit_plugins"
CONFIRMED = "confirmed.json"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who put their name to a file, when (ISO 8601), and the hash of what it said."""

    sha256: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class FilePlugin:
    """A plugin in one file.

    :param name: the file's, without its ending.
    :param confirmation: the last one, None when there never was any.
    """

    name: str
    path: Path
    source: bytes
    confirmation: Confirmation | None

    @property
    def sha256(self) -> str:
        """Return the hash of what the file says now."""
        return hashlib.sha256(self.source).hexdigest()

    @property
    def confirmed(self) -> bool:
        """Tell whether somebody confirmed what it says now."""
        return self.confirmation is not None and self.confirmation.sha256 == self.sha256

    @property
    def state(self) -> str:
        """Return in words whether it may run."""
        if self.confirmation is None:
            return "nobody has confirmed it yet"
        since = f"confirmed by {self.confirmation.by} on {self.confirmation.at[:10]}"
        return since if self.confirmed else f"changed since it was {since}"


def find_file_plugins(journal: Path) -> list[FilePlugin]:
    """Return the plugins beside a journal, by name; no line of them is run.

    :raises ConfigurationError: somebody else could change what would be run, or a file cannot be read.
    """
    folder = journal.absolute().parent / FOLDER
    if not folder.is_dir():
        return []
    _require_own(folder)
    known = _confirmations(folder)
    found: list[FilePlugin] = []
    for path in sorted(folder.glob("*.py")):
        _require_own(path)
        if not path.stem.isidentifier():
            raise ConfigurationError(f"{path}: a plugin's file is named like a Python module: letters, digits, `_`.")
        found.append(FilePlugin(path.stem, path, _read(path), known.get(path.name)))
    return found


def confirm_file_plugin(journal: Path, name: str, by: str, at: str) -> FilePlugin:
    """Put a person's name to a plugin's file as it is now, and return it.

    :raises UsageError: there is no such file.
    """
    found = {plugin.name: plugin for plugin in find_file_plugins(journal)}
    if name not in found:
        raise _missing(journal, name, found.values())
    plugin = found[name]
    known = _confirmations(plugin.path.parent)
    known[plugin.path.name] = Confirmation(plugin.sha256, by, at)
    text = json.dumps({file: asdict(each) for file, each in sorted(known.items())}, indent=2)
    place = plugin.path.with_name(CONFIRMED)
    draft = place.with_suffix(".new")
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(place)
    return FilePlugin(plugin.name, plugin.path, plugin.source, known[plugin.path.name])


def load_file_plugin(journal: Path, name: str) -> ModuleType:
    """Run one confirmed plugin beside a journal, whatever else is there, and return its module.

    :raises UsageError: there is no such file.
    :raises ApprovalNeeded: it is not confirmed as it is now.
    :raises PluginError: it fails when it is run.
    """
    plugins = find_file_plugins(journal)
    found = next((plugin for plugin in plugins if plugin.name == name), None)
    if found is None:
        raise _missing(journal, name, plugins)
    _require_confirmed([found], journal)
    return _run(found)


def load_file_plugins(journal: Path) -> dict[str, ModuleType]:
    """Run the confirmed plugins beside a journal and return their modules by name.

    :raises ApprovalNeeded: one is not confirmed as it is now.
    :raises PluginError: one fails when it is run.
    """
    plugins = find_file_plugins(journal)
    _require_confirmed(plugins, journal)
    return {plugin.name: _run(plugin) for plugin in plugins}


def _require_confirmed(plugins: Sequence[FilePlugin], journal: Path) -> None:
    """:raises ApprovalNeeded: one is not confirmed as it is now."""
    if waiting := [plugin for plugin in plugins if not plugin.confirmed]:
        told = "\n".join(f"  {plugin.path}: {plugin.state} (sha256 {plugin.sha256[:16]})." for plugin in waiting)
        place = quote(str(journal))
        commands = "\n".join(f"  flit plugins confirm {each.name} --by NAME --journal {place}" for each in waiting)
        raise ApprovalNeeded(
            f"Plugins in files are programs, and run with all that you may do:\n{told}\nNothing was run. Read them, "
            f"and move away what you do not want. To use them, then run the same command again:\n{commands}"
        )


def _missing(journal: Path, name: str, plugins: Iterable[FilePlugin]) -> UsageError:
    there = ", ".join(plugin.name for plugin in plugins) or "no plugin"
    return UsageError(f"{journal.absolute().parent / FOLDER}: there is no {name}.py. There: {there}.")


def _run(plugin: FilePlugin) -> ModuleType:
    """Run exactly the bytes that were looked at, whatever is in the file by now."""
    name = f"{FOLDER}_{plugin.name}"
    spec = importlib.util.spec_from_loader(name, loader=None, origin=str(plugin.path))
    assert spec is not None  # noqa: S101 - a spec without a loader can always be made
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(plugin.path)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        with redirect_stdout(sys.stderr):  # stdout is for what a command answers
            exec(compile(plugin.source, str(plugin.path), "exec"), module.__dict__)  # noqa: S102 - what it is for
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # a plugin may raise anything
        sys.modules.pop(name, None)
        raise PluginError(f"{plugin.path}: the plugin cannot be run: {type(exc).__name__}: {exc}.") from exc
    return module


def _require_own(path: Path) -> None:
    """:raises ConfigurationError: it is a link, or another user may write to it."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise ConfigurationError(f"{path}: a link. Put the file itself here, so that nothing else is run in its place.")
    if not (stat.S_ISREG(found.st_mode) or path.name == FOLDER):  # a pipe would be read for ever
        raise ConfigurationError(f"{path}: no file, and named like a plugin. Move it away.")
    if not hasattr(os, "geteuid"):
        return
    if found.st_uid not in (os.geteuid(), 0) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigurationError(f"{path}: another user may change what would be run. chmod go-w it, and own it.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"{path}: the file cannot be read. Check its permissions.") from exc


def _confirmations(folder: Path) -> dict[str, Confirmation]:
    place = folder / CONFIRMED
    if not place.exists():
        return {}
    _require_own(place)
    try:
        known = {file: Confirmation(**fields) for file, fields in json.loads(_read(place)).items()}
        if not all(isinstance(text, str) for one in known.values() for text in asdict(one).values()):
            raise ValueError("no text")
        return known
    except (ValueError, TypeError, AttributeError) as exc:
        raise ConfigurationError(f"{place}: not as flit wrote it. Delete it, and confirm the plugins anew.") from exc
