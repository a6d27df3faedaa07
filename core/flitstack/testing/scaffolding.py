"""Writes a new plugin as a package of its own: typed, documented, tested by the kit, ready to be installed."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined

from flitstack import __version__
from flitstack.errors import UsageError
from flitstack.registry import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

    from flitstack.registry import Registry

KINDS = ("source", "destination", "validator", "transform", "template", "observer")
SUFFIX = ".j2"
LONGEST = 24
_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_SUMMARIES = {
    "source": "Reads exports of {title} for flit.",
    "destination": "Writes to {title} for flit.",
    "validator": "Checks for what flit's source {source} reads.",
    "transform": "Functions of {title} for flit's expressions.",
    "template": "A map from {source} to {destination} for flit.",
    "observer": "Counts what happens in a run of flit.",
}
_ABOUT = {
    "source": "Replace `reader.py` and `example.py` by what your platform exports; the suite says what is missing.",
    "destination": "Replace `client.py`, `writer.py` and `behaviours.py` by your platform's; `fake.py` answers in its "
    "place, and `testing.py` lets the test-kit look into it.",
    "validator": "Replace `checks.py` by your own checks.",
    "transform": "Replace `functions.py` by your own functions.",
    "template": "Edit the template beside `__init__.py`; `flit map check FILE` says what is wrong in it.",
    "observer": "Replace what is counted; an observer sees records, and writes down no value.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plugin to be written.

    :param source, destination: what a validator or template is for; "" for the first that is installed.
    """

    name: str
    kind: str
    source: str = ""
    destination: str = ""

    @property
    def distribution(self) -> str:
        """Return what it is installed as."""
        return f"flitstack-{self.name.replace('_', '-')}"


def write_plugin(wanted: Wanted, into: Path) -> Path:
    """Write the package into a new folder and return it.

    :raises UsageError: the name cannot be one, there is something already, or what it is for is not installed.
    """
    if not _NAME.fullmatch(wanted.name) or len(wanted.name) > LONGEST:
        raise UsageError(
            f"{wanted.name}: a plugin's name is at most {LONGEST} small letters and digits, begins with a letter, and "
            "may have single - or _ between them."
        )
    folder = into / wanted.distribution
    if folder.exists():
        raise UsageError(f"{folder}: there is something already. Choose another name, or another place with --into.")
    names = _names(wanted)
    environment = Environment(
        variable_start_string="@{", variable_end_string="}", block_start_string="@%", block_end_string="%@",
        comment_start_string="@#", comment_end_string="#@", trim_blocks=True, keep_trailing_newline=True,
        undefined=StrictUndefined, autoescape=False,  # noqa: S701 - this is Python, no HTML
    )  # fmt: skip
    for place, text in _files(wanted.kind):
        target = folder / _placed(place, names)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(environment.from_string(text).render(names), encoding="utf-8", newline="\n")
    return folder


def _files(kind: str) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield place and text of every file of the scaffold for a kind."""
    root = resources.files("flitstack.testing").joinpath("scaffold")
    for part in ("common", kind):
        yield from _walk(root.joinpath(part), PurePosixPath())


def _walk(folder: Traversable, place: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for each in sorted(folder.iterdir(), key=lambda one: one.name):
        if each.is_dir():
            yield from _walk(each, place / each.name)
        elif each.name.endswith(SUFFIX):
            yield place / each.name.removesuffix(SUFFIX), each.read_text("utf-8")


def _placed(place: PurePosixPath, names: Mapping[str, Any]) -> Path:
    renamed = {
        "package": names["package"],
        "gitignore": ".gitignore",
        "template.yaml.j2": f"{names['source']}-to-{names['destination']}.yaml.j2",
    }
    return Path(*(renamed.get(part, part) for part in place.parts))


def _names(wanted: Wanted) -> dict[str, Any]:
    """Return what the files of the scaffold may say."""
    word = wanted.name.replace("-", "_")
    title = "".join(part.capitalize() for part in word.split("_"))
    names: dict[str, Any] = {
        "name": wanted.name, "word": word, "upper": word.upper(), "host": wanted.name.replace("_", "-"),
        "title": title, "kind": wanted.kind, "package": f"flitstack_{word}", "distribution": wanted.distribution,
        "source": wanted.source, "destination": wanted.destination, **_versions(),
    }  # fmt: skip
    if wanted.kind in ("validator", "template"):
        names |= _of_installed(wanted)
    return names | {
        "summary": _SUMMARIES[wanted.kind].format(**names),
        "about": _ABOUT[wanted.kind],
    }


def _versions() -> dict[str, str]:
    major, minor = __version__.split(".")[:2]
    return {"at_least": f"{major}.{minor}.0.dev0", "below": f"{major}.{int(minor) + 1}"}


def _of_installed(wanted: Wanted) -> dict[str, Any]:
    """Return what a validator or template says of the source it is for, and of the destination."""
    registry = load_plugins()
    source = wanted.source or next((n for n in registry.sources() if registry.source(n).demo is not None), "")
    if not source:
        raise UsageError("No source with an example is installed. Install one, and name it with --source.")
    names: dict[str, Any] = {"source": registry.source(source).name}
    if wanted.kind == "template":
        destination = wanted.destination or next(iter(registry.destinations()), "")
        if not destination:
            raise UsageError("No destination is installed. Install one, and name it with --dest.")
        names |= {"destination": registry.destination(destination).name}
        names |= _first_stream(registry, source) | _first_object(registry, destination)
    return names


def _first_stream(registry: Registry, name: str) -> dict[str, str]:
    """Return a stream of the source to begin with, and a text of it."""

    source = registry.source(name)
    if source.demo is None:
        raise UsageError(f"The source {name} brings no example, so its streams are not known. Name another: --source.")
    with tempfile.TemporaryDirectory(prefix="flit-new-") as folder:
        properties: Mapping[str, Any] = source.settings_schema.get("properties", {})
        defaults = {setting: each["default"] for setting, each in properties.items() if "default" in each}
        reader = source.open(source.demo(folder), defaults)
        streams = sorted(reader.streams(), key=lambda one: one.name not in source.required_streams)
        reader.close()
    fields = streams[0].schema.get("properties", {})
    texts = [n for n, each in fields.items() if "string" in str(each.get("type")) and "x-type" not in each]
    names = [n for n in texts if "name" in n] or texts or list(fields)
    return {"stream": streams[0].name, "field": names[0]}


def _first_object(registry: Registry, name: str) -> dict[str, str]:
    """Return an object of the destination to begin with, and the schema items that it needs."""
    behaviours = registry.destination(name).behaviours
    able = [o for o, each in behaviours.objects.items() if o not in behaviours.schema_objects and not each.parents]
    object_ = able[0]
    place, _, key = behaviours.objects[object_].key_in.partition(":")
    item = f"  - {{object: field, of: {object_}, name: {key}, type: text, key: true, priority: 0}}"
    wanted = place == "field" and "field" in behaviours.schema_objects
    return {"object": object_, "target": "name", "schema": item if wanted else "  []"}


def install_plugin(folder: Path, name: str) -> None:
    """Install the package, editable, beside flit, and run the test-kit on it as far as bronze; both say what they do.

    :raises UsageError: it cannot be installed, or a test fails.
    """
    if importlib.util.find_spec("pytest") is None:
        raise UsageError('The tests need pytest: pip install "flitstack[testing]".')
    steps = {
        "could not be installed": [*_installer(), "--quiet", "--no-deps", "--editable", str(folder)],
        "does not pass bronze": [sys.executable, "-m", "flitstack", "plugins", "test", name, "--level", "bronze"],
    }
    for wrong, command in steps.items():
        if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own words
            raise UsageError(f"{name} {wrong}; what went wrong stands above.")


def _installer() -> list[str]:
    """Return the command that installs into this environment; what is to build it is here, so nothing is fetched."""
    here = all(importlib.util.find_spec(each) is not None for each in ("hatchling", "editables"))
    built = ["--no-build-isolation"] if here else []
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *built]
    uv = shutil.which("uv")
    if uv is None:
        raise UsageError("Neither pip nor uv is here. Install the package as you install others.")
    return [uv, "pip", "install", "--python", sys.executable, *built]
