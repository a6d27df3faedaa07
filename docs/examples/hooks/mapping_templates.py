"""Registers the mapping template for a pair: the file beside this module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flitstack.hookspecs import hookimpl
from flitstack.protocols import MappingTemplate

if TYPE_CHECKING:
    from collections.abc import Callable


@hookimpl
def flit_register_mapping_templates(register: Callable[[MappingTemplate], None]) -> None:
    """Register the template by its path; a plain name is looked for among the shipped ones."""
    register(MappingTemplate("guests", "cards", str(Path(__file__).with_name("guests-to-cards.yaml.j2"))))
