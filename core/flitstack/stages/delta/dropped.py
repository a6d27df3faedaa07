"""Exports that are dropped into a folder: which are there, and which have come to rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.stages.publishing import REPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SETTLED_S = 10.0  # without a change of size or time for so long, an export is whole
UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp")
OWN = ("flit.toml", REPORTS)


@dataclass(frozen=True, slots=True)
class Dropped:
    """An export in the folder: a folder of its own, or a zip file.

    :param mark: changes with any of its files; newest: when the newest of them was changed, for the order.
    """

    path: Path
    mark: str
    newest: int


@dataclass(slots=True)
class Folder:
    """Looks at a folder time and again.

    :param own: the journal, which may lie in it.
    """

    path: Path
    own: Path
    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)

    def whole(self, picked: Mapping[str, str], now_s: float) -> list[Dropped]:
        """Return what has come to rest and was not picked up yet, the oldest first.

        :param picked: name to the mark it had when it was picked up. :param now_s: on a clock that never runs back.
        """
        found: list[Dropped] = []
        names: set[str] = set()
        for path in self._entries():
            names.add(path.name)
            dropped = _look(path)
            if dropped is None or picked.get(path.name) == dropped.mark:
                continue
            mark, since = self._seen.get(path.name, ("", now_s))
            if mark != dropped.mark:
                self._seen[path.name] = (dropped.mark, now_s)
            elif now_s - since >= SETTLED_S:
                found.append(dropped)
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}
        return sorted(found, key=lambda one: (one.newest, one.path.name))

    def _entries(self) -> Iterator[Path]:
        for path in sorted(self.path.iterdir()):
            ours = path.name.startswith(self.own.name) and path.parent.resolve() == self.own.parent.resolve()
            if not ours and path.name not in OWN and not is_unfinished(path.name):
                yield path


def is_unfinished(name: str) -> bool:
    """Tell whether a name is hidden, or one that programs give to what they have not finished."""
    return name.startswith((".", "~")) or name.endswith("~") or name.lower().endswith(UNFINISHED)


def _look(path: Path) -> Dropped | None:
    """Return what is there; None while it is empty, or holds a file that is still being written."""
    try:
        files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
        stats = [(str(one.relative_to(path.parent)), one.stat()) for one in files]
    except OSError:  # it is just being moved
        return None
    if any(one.name != path.name and one.name.lower().endswith(UNFINISHED) for one in files):
        return None
    if not any(stat.st_size for _, stat in stats):
        return None
    mark = "\n".join(f"{name}:{stat.st_size}:{stat.st_mtime_ns}" for name, stat in stats)
    return Dropped(path, mark, max(stat.st_mtime_ns for _, stat in stats))


def mark_of(path: Path) -> str:
    """Return what changes with any file of an export; "" when there is none."""
    dropped = _look(path)
    return dropped.mark if dropped is not None else ""
