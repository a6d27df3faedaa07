"""HubSpot as a destination of flit; here are only the hooks, the rest is imported when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.protocols import (
        AssumedAccount,
        DestinationPlugin,
        MappingTemplate,
        Transform,
        Writer,
        WriterContext,
    )


@hookimpl
def flit_register_destinations(register: Callable[[DestinationPlugin], None]) -> None:
    """Register HubSpot."""
    from flitstack.protocols import DestinationPlugin
    from flitstack_hubspot.behaviours import behaviours
    from flitstack_hubspot.plans import account_plans
    from flitstack_hubspot.settings import ENVIRONMENT, SECRETS, SETTINGS_SCHEMA

    register(
        DestinationPlugin(
            name="hubspot",
            settings_schema=SETTINGS_SCHEMA,
            settings_environment=ENVIRONMENT,
            secrets=SECRETS,
            behaviours=behaviours(),
            open=_open,
            demo=_demo,
            plans=account_plans(),
            assume=_assume,
        )
    )


@hookimpl
def flit_register_mapping_templates(register: Callable[[MappingTemplate], None]) -> None:
    """Register the shipped template for practices."""
    from flitstack.protocols import MappingTemplate

    register(MappingTemplate("dental", "hubspot", "dental-to-hubspot.yaml.j2"))


@hookimpl
def flit_register_transforms(register: Callable[[Transform], None]) -> None:
    """Register what a mapping to HubSpot has to ask."""
    from flitstack.protocols import Transform
    from flitstack_hubspot.addresses import takes_email

    register(Transform("takes_email", takes_email))


def _open(settings: Mapping[str, Any], context: WriterContext) -> Writer:
    from flitstack_hubspot.opening import open_writer

    return open_writer(settings, context)


def _demo(folder: str) -> tuple[Mapping[str, Any], Any]:
    from flitstack_hubspot.opening import demo

    return demo(folder)


def _assume(settings: Mapping[str, Any]) -> AssumedAccount:
    from flitstack_hubspot.plans import assumed_account

    return assumed_account(settings)
