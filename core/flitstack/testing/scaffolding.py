"""Writes a new plugin as a package of its own: typed, documented, tested by the kit, ready to be installed."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined

from flitstack import __version__
from flitstack.errors import UsageError
from flitstack.registry import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from flitstack.registry import Registry

KINDS = ("source", "destination", "validator", "transform", "template", "observer")
SUFFIX = ".j2"
LONGEST = 24
OURS = "flitstack"
_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_TAKES = {"validator": ("--source",), "template": ("--source", "--dest")}
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
        return f"{OURS}-{self.name.replace('_', '-')}"

    @property
    def package(self) -> str:
        """Return what it is imported as."""
        return f"{OURS}_{self.name.replace('-', '_')}"


def write_plugin(wanted: Wanted, into: Path) -> Path:
    """Write the package into a new folder and return it; where it cannot be written whole, nothing stays.

    :raises UsageError: the name cannot be one, an option is of another kind, there is something already, what it is
        for is not installed, or the place cannot be written to.
    """
    _check_name(wanted)
    _check_options(wanted)
    names = _names(wanted)
    environment = Environment(
        variable_start_string="@{", variable_end_string="}", block_start_string="@%", block_end_string="%@",
        comment_start_string="@#", comment_end_string="#@", trim_blocks=True, keep_trailing_newline=True,
        undefined=StrictUndefined, autoescape=False,  # noqa: S701 - this is Python, no HTML
    )  # fmt: skip
    files = {_placed(place, names): environment.from_string(text).render(names) for place, text in _files(wanted.kind)}
    folder = into / wanted.distribution
    made: list[Path] = []
    try:
        if folder.exists():
            raise UsageError(
                f"{folder}: there is something already. Choose another name, or another place with --into."
            )
        made = [each for each in (into, *into.parents) if not each.exists()]
        _write(folder, files)
    except OSError as exc:
        _take_back(made)
        why = (exc.strerror or type(exc).__name__).lower()
        raise UsageError(
            f"{folder}: cannot be written ({why}), and nothing stays. Choose another place: --into."
        ) from exc
    except KeyboardInterrupt:
        _take_back(made)
        raise
    return folder


def _write(folder: Path, files: Mapping[Path, str]) -> None:
    """Write the files beside the place that is wanted, then move them there as a whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".flit-new-", dir=folder.parent) as desk:
        begun = Path(desk, folder.name)
        for place, text in files.items():
            target = begun / place
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        begun.rename(folder)


def _take_back(made: Sequence[Path]) -> None:
    """Remove the folders that were made on the way, innermost first; one in which others have put something stays."""
    for each in made:
        with suppress(OSError):
            each.rmdir()


def _check_name(wanted: Wanted) -> None:
    name = wanted.name
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(
            f"{name}: a plugin's name is at most {LONGEST} small letters and digits, begins with a letter, and "
            "may have single - or _ between them."
        )
    if re.match(r"test\b|test_", name):
        raise UsageError(f"{name}: pytest would take what begins with test for tests. Choose another name.")
    if name == OURS:
        raise UsageError(f"{name}: variables that begin with {OURS.upper()}_ are flit's own. Choose another name.")
    with suppress(metadata.PackageNotFoundError):
        found = metadata.distribution(wanted.distribution)
        raise UsageError(f"{name}: {found.name} {found.version} is installed already. Choose another name.")
    if importlib.util.find_spec(wanted.package) is not None:
        raise UsageError(f"{name}: there is a package {wanted.package} here already. Choose another name.")


def _check_options(wanted: Wanted) -> None:
    taken = _TAKES.get(wanted.kind, ())
    for option, value in (("--source", wanted.source), ("--dest", wanted.destination)):
        if value and option not in taken:
            able = " or ".join(f"--kind {kind}" for kind, options in _TAKES.items() if option in options)
            raise UsageError(f"{option} is for {able}; a plugin of --kind {wanted.kind} is for any. Leave it away.")


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
        "title": title, "kind": wanted.kind, "package": wanted.package, "distribution": wanted.distribution,
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


def installing(folder: Path, name: str) -> dict[str, list[str]]:
    """Return the commands that install the package, editable, beside flit, and try it as far as bronze.

    Each by what is wrong when it fails. Asked before anything is written.
    :raises UsageError: there is nothing to install or to test with.
    """
    if importlib.util.find_spec("pytest") is None:
        raise UsageError('--install runs the tests, and they need pytest: pip install "flitstack[testing]".')
    return {
        "could not be installed": [*_installer(), "--quiet", "--no-deps", "--editable", str(folder)],
        "does not pass bronze": [sys.executable, "-m", OURS, "plugins", "test", name, "--level", "bronze"],
    }


def install_plugin(folder: Path, name: str) -> None:
    """Install the package and run the test-kit on it; both say what they do.

    :raises UsageError: it cannot be installed, or a test fails.
    """
    for wrong, command in installing(folder, name).items():
        if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own words
            raise UsageError(
                f"{name} {wrong}; what went wrong stands above. The package stays in {folder}; once that is mended: "
                f"{by_hand(folder, name)}"
            )


def by_hand(folder: Path, name: str) -> str:
    """Return the line that installs and tries a package."""
    return f"pip install -e {shlex.quote(str(folder))} && flit plugins test {name}"


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
