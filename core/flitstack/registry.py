"""Finds plugins by entry point, leaves out the one that is broken and says why, and hands out what the others gave."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, TypeVar

import pluggy

from flitstack import hookspecs
from flitstack.beside import load_file_plugins
from flitstack.errors import PluginError
from flitstack.protocols import DestinationPlugin, MappingTemplate, Proposer, SourcePlugin, Transform, Validator
from flitstack.registration import REGISTERED_BY, Registered, complaints

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from importlib.metadata import EntryPoint
    from pathlib import Path

GROUP = "flitstack"

Kind = TypeVar("Kind", SourcePlugin, Transform, DestinationPlugin, Validator, MappingTemplate, Proposer)
End = TypeVar("End", SourcePlugin, DestinationPlugin)

_OBSERVED = {
    name: set(inspect.signature(hook).parameters)
    for name, hook in vars(hookspecs).items()
    if name.startswith("flit_") and name not in REGISTERED_BY
}


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that can be used.

    :param distribution, version: what was installed to get it; empty for one handed to `load_plugins` as an object.
    :param hooks: the hooks it implements, sorted.
    :param registered: what it registered, in its order.
    """

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    registered: tuple[Registered, ...]

    @property
    def title(self) -> str:
        """How messages name it: `plugin "acme" (acme-flit 1.0)`."""
        return _title(self.name, self.distribution, self.version)


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plugin that was left out, and the cause in one sentence."""

    name: str
    distribution: str
    version: str
    cause: str

    @property
    def title(self) -> str:
        """How messages name it: `plugin "acme" (acme-flit 1.0)`."""
        return _title(self.name, self.distribution, self.version)


class Observers:
    """Tells plugins what happens; one that fails is named once per hook and never stops the run."""

    def __init__(self, managers: Sequence[tuple[Plugin, pluggy.PluginManager]]) -> None:
        self._managers = managers
        self._warned: set[tuple[str, str]] = set()

    def notify(self, hook: str, **arguments: object) -> list[str]:
        """Call an observer hook of every plugin that has it and return the warnings to print.

        The text of a plugin's exception is left out: it may hold a value of the record.
        :raises TypeError: the hook does not exist or does not take these arguments, which is the caller's bug.
        """
        if _OBSERVED.get(hook) != set(arguments):
            raise TypeError(f"{hook} does not take {', '.join(sorted(arguments))}")
        return [
            warning for plugin, manager in self._managers for warning in self._call(plugin, manager, hook, arguments)
        ]

    def _call(
        self, plugin: Plugin, manager: pluggy.PluginManager, hook: str, arguments: Mapping[str, object]
    ) -> Iterator[str]:
        try:
            _call_hook(manager, hook, arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as exc:  # noqa: BLE001 - a plugin may raise anything
            if (plugin.name, hook) not in self._warned:
                self._warned.add((plugin.name, hook))
                yield f"{plugin.title}: {hook} failed with {type(exc).__name__}. The run goes on without it."


@dataclass(frozen=True, slots=True)
class Registry:
    """What the installed plugins offer.

    :param plugins: those that can be used, in the order of their names.
    :param broken: those that were left out; they stop only the run that needs them.
    """

    plugins: tuple[Plugin, ...]
    broken: tuple[BrokenPlugin, ...]
    observers: Observers = field(default_factory=lambda: Observers(()))

    def sources(self) -> tuple[str, ...]:
        """Return the names of all sources, sorted, each once."""
        return tuple(sorted({source.name for _, source in self._all(SourcePlugin)}))

    def destinations(self) -> tuple[str, ...]:
        """Return the names of all destinations, sorted, each once."""
        return tuple(sorted({destination.name for _, destination in self._all(DestinationPlugin)}))

    def source(self, name: str) -> SourcePlugin:
        """Return the source of this name.

        :raises PluginError: none has it (says the nearest, and which broken plugin may be the cause), or two have.
        """
        return self._one(SourcePlugin, "source", name, self.sources())

    def destination(self, name: str) -> DestinationPlugin:
        """Return the destination of this name.

        :raises PluginError: none has it (says the nearest, and which broken plugin may be the cause), or two have.
        """
        return self._one(DestinationPlugin, "destination", name, self.destinations())

    def template(self, source: str, destination: str) -> MappingTemplate:
        """Return the mapping template for this pair.

        :raises PluginError: no plugin registered one, or two did.
        """
        found = [
            (plugin, template)
            for plugin, template in self._all(MappingTemplate)
            if (template.source, template.destination) == (source, destination)
        ]
        if not found:
            raise PluginError(
                f'No plugin registers a mapping template for source "{source}" and destination "{destination}". '
                f"Give one with --mapping FILE, or install a plugin that has it.{self._suspects()}"
            )
        _refuse_doubles(f'mapping template for "{source}" to "{destination}"', [plugin for plugin, _ in found])
        return found[0][1]

    def transforms(self) -> tuple[Transform, ...]:
        """Return all transforms.

        :raises PluginError: two of one kind share a name.
        """
        found = self._all(Transform)
        names = Counter((transform.kind, transform.name) for _, transform in found)
        for (kind, name), times in names.items():
            if times > 1:
                _refuse_doubles(f'{kind} "{name}"', [p for p, t in found if (t.kind, t.name) == (kind, name)])
        return tuple(transform for _, transform in found)

    def validators(self, source: str) -> tuple[Validator, ...]:
        """Return the validators for the records of a source.

        :raises PluginError: two share a name.
        """
        found = [(plugin, validator) for plugin, validator in self._all(Validator) if validator.source == source]
        for name, times in Counter(validator.name for _, validator in found).items():
            if times > 1:
                _refuse_doubles(f'validator "{name}"', [p for p, v in found if v.name == name])
        return tuple(validator for _, validator in found)

    def proposers(self, source: str) -> tuple[Proposer, ...]:
        """Return the proposers for the exports of a source, in the order of their plugins.

        :raises PluginError: two share a name.
        """
        found = [(plugin, proposer) for plugin, proposer in self._all(Proposer) if proposer.source in ("", source)]
        for name, times in Counter(proposer.name for _, proposer in found).items():
            if times > 1:
                _refuse_doubles(f'proposer "{name}"', [p for p, each in found if each.name == name])
        return tuple(proposer for _, proposer in found)

    def _all(self, kind: type[Kind]) -> list[tuple[Plugin, Kind]]:
        return [(plugin, thing) for plugin in self.plugins for thing in plugin.registered if isinstance(thing, kind)]

    def _one(self, kind: type[End], word: str, name: str, known: Sequence[str]) -> End:
        found = [(plugin, thing) for plugin, thing in self._all(kind) if thing.name == name]
        if not found:
            raise PluginError(f'There is no {word} "{name}".{_nearest(name, known)}{self._suspects(name)}')
        _refuse_doubles(f'{word} "{name}"', [plugin for plugin, _ in found])
        return found[0][1]

    def _suspects(self, name: str | None = None) -> str:
        """Return a sentence per broken plugin that may be why something is missing: the namesake, else all of them."""
        namesakes = [broken for broken in self.broken if broken.name == name]
        return "".join(f" Left out: {broken.title}: {broken.cause}." for broken in namesakes or self.broken)


def load_plugins(
    names: Iterable[str] | None = None, objects: Mapping[str, object] | None = None, *, beside: Path | None = None
) -> Registry:
    """Return the registry of all installed plugins, each loaded by itself: a broken one is left out and named.

    :param names: load only these; None loads all.
    :param objects: further plugins by name, as modules or instances with hooks, for tests and for embedding.
    :param beside: the journal whose folder may hold plugins in files (`flitstack.beside`).
    :raises PluginError: `names` holds one that is not installed, or one in a file fails when it is run.
    :raises ApprovalNeeded: nobody has confirmed one in a file.
    """
    found = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    if names is not None:
        found = _only(found, set(names))
    loaded = [_load(point, found) for point in found]
    loaded += [_admit(name, "", "", plugin) for name, plugin in (objects or {}).items()]
    if beside is not None:
        files = load_file_plugins(beside)
        loaded += [_admit(name, str(module.__file__), "", module) for name, module in files.items()]
    usable = [each for each in loaded if not isinstance(each, BrokenPlugin)]
    return Registry(
        plugins=tuple(plugin for plugin, _ in usable),
        broken=tuple(each for each in loaded if isinstance(each, BrokenPlugin)),
        observers=Observers(usable),
    )


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, or None."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def _only(points: list[EntryPoint], names: set[str]) -> list[EntryPoint]:
    known = [point.name for point in points]
    for name in sorted(names - set(known)):
        raise PluginError(f'There is no plugin "{name}".{_nearest(name, known)}')
    return [point for point in points if point.name in names]


def _load(point: EntryPoint, all_points: Sequence[EntryPoint]) -> tuple[Plugin, pluggy.PluginManager] | BrokenPlugin:
    distribution = point.dist.name if point.dist else ""
    version = point.dist.version if point.dist else ""
    twins = [other.dist.name for other in all_points if other.name == point.name and other != point and other.dist]
    if twins:
        cause = f"the same plugin name is also used by {', '.join(twins)}; uninstall all but one"
        return BrokenPlugin(point.name, distribution, version, cause)
    try:
        with redirect_stdout(sys.stderr):  # stdout is for what a command answers
            plugin = point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # noqa: BLE001 - importing a plugin may raise anything
        return BrokenPlugin(point.name, distribution, version, f"cannot be imported: {_sentence(exc)}")
    return _admit(point.name, distribution, version, plugin)


def _admit(
    name: str, distribution: str, version: str, plugin: object
) -> tuple[Plugin, pluggy.PluginManager] | BrokenPlugin:
    """Return the plugin with what it registers, and a manager that holds it alone so that its faults stay its own."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        with redirect_stdout(sys.stderr):
            manager.register(plugin, name=name)
            manager.check_pending()
            hooks = tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ()))
            registered = tuple(_registrations(manager, hooks))
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # noqa: BLE001 - a plugin may raise anything
        return BrokenPlugin(name, distribution, version, _sentence(exc))
    if not hooks:
        return BrokenPlugin(name, distribution, version, _hookless(plugin))
    return Plugin(name, distribution, version, hooks, registered), manager


class _NonsenseError(Exception):
    """What a plugin registers cannot be used; the text is the cause to show."""


def _registrations(manager: pluggy.PluginManager, hooks: Sequence[str]) -> Iterator[Registered]:
    for hook in hooks:
        if hook not in REGISTERED_BY:
            continue
        things: list[Registered] = []
        _call_hook(manager, hook, {"register": things.append})
        wrong = [message for thing in things for message in complaints(hook, thing)]
        if wrong:
            raise _NonsenseError("; ".join(wrong))
        yield from things


def _call_hook(manager: pluggy.PluginManager, hook: str, arguments: Mapping[str, object]) -> None:
    """Call a hook; one that returns something (a generator that never ran, a coroutine) is refused."""
    for answer in getattr(manager.hook, hook)(**arguments):
        if inspect.iscoroutine(answer):
            answer.close()
        raise _NonsenseError(
            f"{hook} returned a {type(answer).__name__}; a hook is a plain function that returns nothing"
        )


def _hookless(plugin: object) -> str:
    unmarked = [hook for hook in REGISTERED_BY if callable(getattr(plugin, hook, None))]
    if unmarked:
        return f"{unmarked[0]} is not marked: put @hookimpl (flitstack.hookspecs) above it"
    return "implements no hook of flitstack.hookspecs"


def _refuse_doubles(what: str, plugins: Sequence[Plugin]) -> None:
    if len(plugins) > 1:
        names = " and ".join(dict.fromkeys(plugin.title for plugin in plugins))
        raise PluginError(f"The {what} is registered {len(plugins)} times, by {names}. Uninstall all but one.")


def _nearest(name: str, known: Sequence[str]) -> str:
    meant = nearest_name(name, known)
    if meant:
        return f' Did you mean "{meant}"?'
    return f" Installed: {', '.join(known)}." if known else " None is installed."


def _sentence(exc: BaseException) -> str:
    """Return an exception as one line without a full stop at its end."""
    text = " ".join(str(exc).split())[:300].rstrip(".")
    if isinstance(exc, _NonsenseError):
        return text
    return f"{type(exc).__name__}: {text}" if text else type(exc).__name__


def _title(name: str, distribution: str, version: str) -> str:
    origin = f"{distribution} {version}".strip() or "not installed"
    return f'plugin "{name}" ({origin})'
