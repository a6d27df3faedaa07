"""Pipedrive as a destination of flit; here are only the hooks, the rest is imported when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.protocols import AssumedAccount, DestinationPlugin, Writer, WriterContext


@hookimpl
def flit_register_destinations(register: Callable[[DestinationPlugin], None]) -> None:
    """Register Pipedrive."""
    from flitstack.protocols import DestinationPlugin
    from flitstack_pipedrive.behaviours import behaviours
    from flitstack_pipedrive.plans import account_plans
    from flitstack_pipedrive.settings import ENVIRONMENT, SECRETS, SETTINGS_SCHEMA

    register(
        DestinationPlugin(
            name="pipedrive",
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


def _open(settings: Mapping[str, Any], context: WriterContext) -> Writer:
    from flitstack_pipedrive.opening import open_writer

    return open_writer(settings, context)


def _demo(folder: str) -> tuple[Mapping[str, Any], Any]:
    from flitstack_pipedrive.opening import demo

    return demo(folder)


def _assume(settings: Mapping[str, Any]) -> AssumedAccount:
    from flitstack_pipedrive.account import assumed_account

    return assumed_account(settings)
