"""The test-kit's suite for destinations, and what is particular to this one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import pytest
from flitstack.clock import VirtualClock
from flitstack.errors import AuthError
from flitstack.testing import DestinationSuite

from flitstack_rolo.client import Client
from flitstack_rolo.fake import FakeRolo

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class TestRolo(DestinationSuite):
    plugin = "rolo"


def test_a_wrong_token_is_an_error_of_signing_in() -> None:
    account = FakeRolo(lambda: NOW)
    client = Client("http://localhost", "wrong", VirtualClock(NOW), httpx.MockTransport(account.answer))

    with pytest.raises(AuthError, match="401"):
        asyncio.run(client.read("/me"))
