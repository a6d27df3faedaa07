"""`flit dental`: what the dental source adds to the command line."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def dental() -> None:
    """Helpers for dental exports.

    Example: flit dental example --patients 200 --out example-practice
    """


@dental.command()
@click.option("--patients", type=click.IntRange(min=1), default=200, show_default=True, help="How many patients.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
def example(patients: int, seed: int, out: Path) -> None:
    """Write an invented practice as an export, with the defects real exports have.

    Example: flit dental example --patients 1000 --seed 7 --out example-practice
    """
    from flitstack_dental.example import write_example

    write_example(out, patients, seed)
    click.echo(str(out))


@dental.command()
def streams() -> None:
    """Print all streams with their fields, as a page in Markdown.

    Example: flit dental streams > docs/streams.md
    """
    from flitstack_dental.stream_page import stream_page

    click.echo(stream_page(), nl=False)
