"""What writing may set off in an account: told to an admin, without what a webhook's address may give away."""

from __future__ import annotations

from flitstack_pipedrive.watching import AUTOMATIONS, watchers


def test_an_active_webhook_is_named_by_its_host_alone() -> None:
    hook = {
        "id": 7,
        "is_active": 1,
        "event_object": "person",
        "event_action": "*",
        "subscription_url": "https://someone:secret@hooks.example/path?token=secret",
    }

    (line, _) = watchers([hook])

    assert line == "webhook 7 to hooks.example, on person, * (* stands for all)"


def test_one_that_is_switched_off_is_not_told_and_automations_always_are() -> None:
    assert watchers([{"id": 8, "is_active": 0}]) == [AUTOMATIONS]
    assert watchers([{}])[0] == "webhook None to an unknown host, on *, * (* stands for all)"
