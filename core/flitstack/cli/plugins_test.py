"""`flit plugins test`: runs the standard tests on a plugin and says which level it reaches."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command("test")
@click.argument("name")
@click.option("--level", default="gold", show_default=True, type=click.Choice(["bronze", "silver", "gold"]),
              help="How far to go.")  # fmt: skip
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Write a page too, or JSON when the name ends in .json.")  # fmt: skip
@click.option("--port", default="", metavar="MODULE:NAME",
              help="A destination's port, where it has no entry point; FILE.py:NAME too.")  # fmt: skip
@click.option("--only", "ids", default="", metavar="ID,ID", help="Only the tests of these ids, such as W3,F3.")
@click.option("--journal", default="flit.db", type=click.Path(path_type=Path, dir_okay=False),
              help="The migration's file, beside which `flit_plugins/` may be.  [default: ./flit.db]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def test(name: str, level: str, report: Path | None, port: str, ids: str, journal: Path, as_json: bool) -> None:
    """Run the standard tests on a plugin that is installed, or a confirmed file beside the journal.

    It says which level the plugin reaches.

    Needs the extra `flitstack[testing]`. Exits with 1 when the level asked for is not reached.

    \b
    Example:
        flit plugins test acme --level silver --report acme.html
    """
    from rich.console import Console

    from flitstack.reports.kit import kit_result, print_kit, write_kit
    from flitstack.testing.kit.running import run_kit

    found = run_kit(name, level, port=port, ids=[one for one in ids.split(",") if one.strip()], beside=journal)  # type: ignore[arg-type]
    result = kit_result(found)
    if report is not None:
        write_kit(result, found, report)
    if as_json:
        click.echo(json.dumps(found))
    else:
        print_kit(result, Console())
        if report is not None:
            click.echo(f"Report: {report}", err=True)
    sys.exit(result.exit_code)
