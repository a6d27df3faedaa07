"""Which source and which destination are meant when nobody names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import UsageError
from flitstack.registry import load_plugins
from flitstack.stages.choosing import destination_of, source_of
from flitstack_dental.example import write_example

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.registry import Registry


@pytest.fixture(scope="module")
def registry() -> Registry:
    """All that is installed."""
    return load_plugins()


def test_the_source_is_the_one_that_can_read_the_export(registry: Registry, tmp_path: Path) -> None:
    write_example(tmp_path / "export", 5, seed=1)

    assert source_of(registry, None, str(tmp_path / "export"), (), tmp_path) == "dental"


def test_an_export_that_none_can_read_is_refused_with_what_each_says_of_it(registry: Registry, tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("no export\n", encoding="utf-8")

    with pytest.raises(UsageError) as refused:
        source_of(registry, None, str(other), (), tmp_path)

    assert "dental" in str(refused.value)
    assert "letter.txt" in str(refused.value)


def test_who_is_named_is_meant_even_where_it_is_not_installed(registry: Registry, tmp_path: Path) -> None:
    assert source_of(registry, "another", None, (), tmp_path) == "another"
    assert destination_of(registry, "another", (), tmp_path) == "another"


def test_the_destination_is_the_one_that_the_environment_is_set_for(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "0" * 40)

    assert destination_of(registry, None, (), tmp_path) == "pipedrive"


def test_the_destination_is_the_one_that_the_settings_fit(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIPEDRIVE_API_TOKEN", raising=False)

    assert destination_of(registry, None, ("dest.plan=growth", "dest.seats=3"), tmp_path) == "pipedrive"
