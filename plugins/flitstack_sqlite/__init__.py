"""The SQLite source of flit: what this package registers; everything else is imported when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.hookspecs import hookimpl
from flitstack.protocols import MappingTemplate, SourcePlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.protocols import SourceReader


@hookimpl
def flit_register_sources(register: Callable[[SourcePlugin], None]) -> None:
    """Register the source `sqlite`."""
    from flitstack_sqlite.settings import SCHEMA

    register(SourcePlugin("sqlite", SCHEMA, _open, demo=_demo))


@hookimpl
def flit_register_mapping_templates(register: Callable[[MappingTemplate], None]) -> None:
    """Register the shipped template for Pipedrive."""
    register(MappingTemplate("sqlite", "pipedrive", "sqlite-to-pipedrive.yaml.j2"))


def _open(path: str, settings: Mapping[str, Any]) -> SourceReader:
    from flitstack_sqlite.reader import open_database

    return open_database(path, settings)


def _demo(folder: str) -> str:
    from pathlib import Path

    from flitstack_sqlite.example import write_example

    return str(write_example(Path(folder) / "example.sqlite"))
