"""What the repository's files may not hold, and what its pages promise."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# Written in pieces, so that this file does not hold what it forbids.
MACHINE = [
    "/" + "work/",
    "/" + "root/",
    "/" + "home/[a-z]+/",
    "C:" + r"\\Users",
    "index" + "-url",
    r"https?://[\w.-]*(artifactory|nexus|pypi-mirror|devpi)",
    r"\.(corp|internal)\b",
]
SECRETS = [
    r"-----BEGIN [A-Z ]*PRIVATE" + " KEY-----",
    r"\bghp_[A-Za-z0-9]{30,}",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"\bxox[abp]-[0-9A-Za-z-]{20,}",
    r"(?i)x-api-token['\"]?\s*[:=]\s*\[?['\"]?[0-9a-f]{40}\b",
]
PLATFORMS = re.compile(r"dental|pipedrive|hubspot|salesforce", re.IGNORECASE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")


def hits(texts: dict[str, str], patterns: list[str]) -> list[str]:
    return [
        f"{name} line {number}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if any(re.search(pattern, line) for pattern in patterns)
    ]


def test_no_file_holds_a_path_or_a_host_of_a_machine(texts: dict[str, str]) -> None:
    assert len(texts) > 20
    assert hits(texts, MACHINE) == []


def test_no_file_holds_a_secret(texts: dict[str, str]) -> None:
    assert hits(texts, SECRETS) == []


@pytest.mark.parametrize("line", ["/" + "work/main", "pip --index" + "-url x", "C:" + r"\Users\someone"])
def test_the_search_for_machines_finds_one(line: str) -> None:
    assert hits({"a.txt": line}, MACHINE) == ["a.txt line 1"]


def test_core_names_no_platform(texts: dict[str, str]) -> None:
    core = {name: text for name, text in texts.items() if name.startswith("core/")}

    assert "core/flitstack/registry.py" in core
    assert hits(core, [PLATFORMS.pattern, PLATFORMS.pattern.title(), PLATFORMS.pattern.upper()]) == []


def test_no_module_is_longer_than_five_hundred_lines(texts: dict[str, str]) -> None:
    long = {name: text.count("\n") for name, text in texts.items() if name.endswith(".py") and text.count("\n") > 500}

    assert long == {}


def test_every_module_says_in_its_first_sentence_what_it_is_for(texts: dict[str, str]) -> None:
    silent = [
        name
        for name, text in texts.items()
        if name.endswith(".py") and text.strip() and not text.lstrip().startswith('"""')
    ]

    assert silent == []


def test_every_lint_ignore_carries_its_reason(texts: dict[str, str]) -> None:
    bare = re.compile(r"# noqa(?!: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)* - \S)")

    modules = {
        name: text for name, text in texts.items() if name.endswith(".py") and not name.startswith("tests/house/")
    }
    assert hits(modules, [bare.pattern]) == []


def test_links_between_pages_lead_somewhere(root: Path, texts: dict[str, str]) -> None:
    dead = [
        f"{name}: {target}"
        for name, text in texts.items()
        if name.endswith(".md")
        for target in LINK.findall(text)
        if "://" not in target and not (root / name).parent.joinpath(target).exists()
    ]

    assert dead == []


def test_the_readme_shows_the_test_command_where_ci_takes_it_from(texts: dict[str, str]) -> None:
    found = re.findall(r"<!-- ci: test -->\n```\w*\n(.*?)\n```", texts["README.md"], re.DOTALL)

    assert len(found) == 1
    assert "pytest" in found[0]
    assert "ci: test" in texts[".ci/run"]


def test_the_readme_fits_a_screen_or_two(texts: dict[str, str]) -> None:
    assert texts["README.md"].count("\n") <= 80


def test_the_package_states_its_licence_and_carries_the_text(root: Path, texts: dict[str, str]) -> None:
    project = tomllib.loads(texts["pyproject.toml"])["project"]

    assert project["license"] == "Apache-2.0"
    for name in project["license-files"]:
        assert "Apache License" in (root / name).read_text(encoding="utf-8")


def test_every_dependency_has_its_reason_on_the_page_of_decisions(texts: dict[str, str]) -> None:
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    extras = [name for group in project["optional-dependencies"].values() for name in group]
    names = [re.split(r"[<>=\[]", name)[0] for name in [*project["dependencies"], *extras]]

    page = texts["docs/decisions/0001-dependencies.md"].lower()
    unexplained = [name for name in names if name != "flitstack" and name.lower().removeprefix("types-") not in page]
    assert unexplained == []
