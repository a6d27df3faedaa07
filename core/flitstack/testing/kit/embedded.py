"""What a port needs whose account is a plugin's own embedded one: how it begins, is asked and is looked into."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flitstack.testing.simulation.port import Held


class Founded:
    """The state of a new account, made once per process; each simulated account begins with a copy of it.

    :param found: makes the account that keeps its state in the file of this name, and closes it.
    """

    def __init__(self, found: Callable[[str], None]) -> None:
        self._found = found
        self._kept: Path | None = None

    def copy_below(self, folder: Path) -> str:
        """Return the file of a copy, in a new folder below this one."""
        if self._kept is None:
            made = tempfile.TemporaryDirectory(prefix="flit-founded-")
            atexit.register(made.cleanup)
            self._found(str(Path(made.name) / "sandbox.db"))
            self._kept = Path(made.name) / "sandbox.db"
        file = Path(tempfile.mkdtemp(prefix="flit-simulated-", dir=folder)) / "sandbox.db"
        shutil.copyfile(self._kept, file)
        return str(file)


def pictures(state: Mapping[str, Sequence[Any]], lists: Mapping[str, str], look: Any) -> list[Held]:
    """Return what an account holds, in the words of the source.

    :param state: of the account: records by list. :param lists: in which list each kind of record is.
    :param look: has a method for each kind of record, which gives its picture.
    """
    return [getattr(look, kind)(record) for kind, name in lists.items() for record in state[name]]


def record_named(state: Mapping[str, Sequence[Any]], lists: Mapping[str, str], look: Any, kind: str, name: str) -> Any:
    """Return the record that `pictures` shows under this name."""
    return next(record for record in state[lists[kind]] if getattr(look, kind)(record).name == name)
