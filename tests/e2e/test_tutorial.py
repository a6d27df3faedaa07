"""The tutorial's commands, run in its order as they stand there, end as it says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.conftest import OUTSIDE, keys_of

if TYPE_CHECKING:
    from tests.e2e.conftest import Serve

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"(?:<!-- (?P<remark>.+?) -->\n)?```console\n(?P<commands>.+?)```", re.DOTALL)
FLIT_IS_ON_THE_PATH = 'flit() { "$PYTHON" -m flitstack "$@"; }\n'
EACH_ENDS = 'ends() { code=$?; echo "@ $1 $code"; [ $code = $1 ] || exit 99; }\n'


def _script(page: str, url: str) -> str:
    """Return the page's commands as one script that checks each block's last exit code; the account is ours."""
    script = FLIT_IS_ON_THE_PATH + EACH_ENDS
    for block in BLOCK.finditer(page):
        remark, commands = block["remark"] or "exit 0", block["commands"]
        if remark == "second terminal":
            continue
        *first, last = commands.replace("http://127.0.0.1:8089", url).splitlines()
        kept = [line for line in first if not line.startswith("export PIPEDRIVE_API_TOKEN=")]
        script += "\n".join([*(f"{line}\nends 0" for line in kept), last, f"ends {remark.removeprefix('exit ')}", ""])
    return script


def test_each_command_of_the_tutorial_ends_as_it_says(tmp_path: Path, serve: Serve) -> None:
    import sys

    with serve(tmp_path / "trial.db", "growth") as served:
        script = _script(PAGE.read_text("utf-8"), served.url)
        environment = {**OUTSIDE, **served.environment, "COLUMNS": "80", "PYTHON": sys.executable}
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        held = keys_of(served.sandbox.dump())

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.count("@ 3 3") == script.count("ends 3")
    assert script.count("ends ") > 15
    assert "Done and verified." in done.stdout
    assert '"status": "done"' in done.stdout.splitlines()[-2]
    assert max(held.values()) == 1
    assert held.total() > 300
