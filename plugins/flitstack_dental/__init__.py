"""The dental source of flit: what this package registers; everything else is imported when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.hookspecs import hookimpl
from flitstack.protocols import MappingTemplate, SourcePlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.protocols import MapProposing, SourceReader, Transform, Validator


@hookimpl
def flit_register_sources(register: Callable[[SourcePlugin], None]) -> None:
    """Register the source `dental`."""
    from flitstack_dental.settings import SCHEMA
    from flitstack_dental.validators import SECTIONS

    register(
        SourcePlugin(
            "dental",
            SCHEMA,
            _open,
            required_streams=("patients",),
            demo=_demo,
            demo_variables={"profile": "full"},
            audit_sections=SECTIONS,
            proposing=_proposing,
        )
    )


@hookimpl
def flit_register_validators(register: Callable[[Validator], None]) -> None:
    """Register what a practice's audit looks at beyond core's own checks."""
    from flitstack_dental.validators import VALIDATORS

    for validator in VALIDATORS:
        register(validator)


@hookimpl
def flit_register_mapping_templates(register: Callable[[MappingTemplate], None]) -> None:
    """Register the shipped template for Pipedrive."""
    register(MappingTemplate("dental", "pipedrive", "dental-to-pipedrive.yaml.j2"))


@hookimpl
def flit_register_transforms(register: Callable[[Transform], None]) -> None:
    """Register the dental functions that expressions may use."""
    from flitstack_dental.policies import POLICY_TRANSFORMS
    from flitstack_dental.transforms import TRANSFORMS

    for transform in (*TRANSFORMS, *POLICY_TRANSFORMS):
        register(transform)


def _open(path: str, settings: Mapping[str, Any]) -> SourceReader:
    from flitstack_dental.reader import open_export

    return open_export(path, settings)


def _demo(folder: str) -> str:
    from pathlib import Path

    from flitstack_dental.example import SMALL, write_example

    out = Path(folder, "example-practice")
    write_example(out, SMALL, seed=1)
    return str(out)


def _proposing() -> MapProposing:
    from flitstack_dental.proposing import proposing

    return proposing()
