"""A folder in which `flit` is called as at a terminal, with an account of its own; what it showed can be kept.

With `FLITSTACK_SCREENSHOTS=docs/images` the pictures of the documentation are taken.
"""

from __future__ import annotations

import io
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner
from tests.browsing import SCREENSHOTS

from flitstack.cli import cli
from flitstack_pipedrive.sandbox.app import Sandbox
from flitstack_pipedrive.sandbox.hand import Hand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest
    from click.testing import Result

ACCOUNT, PLAN, SEATS = "account.db", "ultimate", 5
FONTS = re.compile(r"\s*@font-face \{[^}]*\}")


class Shell:
    """Runs commands in a folder, and keeps what a terminal would have shown.

    :param width: of that terminal, columns.
    """

    def __init__(self, folder: Path, width: int = 110) -> None:
        self._folder = folder
        self._width = width
        self.shown: list[tuple[str, str]] = []

    def flit(self, line: str, hidden: str = "", said: str | None = None) -> Result:
        """Run a command line; `hidden` options are not part of the recording."""
        runner = CliRunner(env={"COLUMNS": str(self._width)})
        result = runner.invoke(cli, [*line.split(), *hidden.split()], input=said)
        self.shown.append((f"flit {line}", result.output.rstrip()))
        return result

    def keep(self, name: str, title: str) -> None:
        """Keep the recording as a picture for the documentation, when pictures are wanted."""
        wanted = os.environ.get(SCREENSHOTS)
        if not wanted:
            return
        from rich.console import Console

        console = Console(record=True, width=self._width, file=io.StringIO(), color_system=None)
        for command, output in self.shown:
            console.print(f"[bold]$ {command}[/bold]", highlight=False)
            console.print(output.replace(f"{self._folder}/", ""), markup=False, highlight=False)
        picture = FONTS.sub("", console.export_svg(title=title, unique_id=name))  # it asks nobody for a font
        (Path(__file__).parents[1] / wanted / f"{name}.svg").write_text(picture, encoding="utf-8")


def shell_in(folder: Path, monkeypatch: pytest.MonkeyPatch, files: Mapping[str, str], width: int = 110) -> Shell:
    """Return a shell in a folder that holds these files, by path, with an account that is empty."""
    for name in [name for name in os.environ if name.startswith(("PIPEDRIVE_", "FLITSTACK_NOW"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIPEDRIVE_BASE_URL", f"sandbox:{folder}/{ACCOUNT}?plan={PLAN}&seats={SEATS}")
    monkeypatch.chdir(folder)
    for path, text in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return Shell(folder, width)


@contextmanager
def at_work() -> Iterator[tuple[Hand, Mapping[str, int]]]:
    """Yield somebody who works in the account of this folder, and the ids of its people by name."""
    with Sandbox(ACCOUNT, plan=PLAN, seats=SEATS) as sandbox:
        people = {doc["name"]: doc["id"] for doc in sandbox.account.store.docs("person")}
        yield Hand(sandbox.account, next(iter(sandbox.account.members.values()))), people
