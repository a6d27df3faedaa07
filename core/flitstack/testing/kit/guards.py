"""Guards around every test of the kit: nothing leaves for the network, no secret shows, the process stays as it was."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LOOPBACK = ("127.", "::1", "localhost")


class NetworkError(OSError):
    """A test of a plugin tried to reach the network."""


@dataclass(slots=True)
class Guards:
    """What is watched during one test.

    :ivar secrets: texts that must not show anywhere: in output, in logs, in messages, in files. Tests add to them.
    :ivar said: texts that a person would read, such as messages of errors. Tests add to them.
    :ivar folders: whose files are searched for secrets when the test is over.
    :ivar theirs: files and folders in them that are not searched: an embedded account knows its own secrets.
    :ivar reached: addresses that somebody tried to reach.
    """

    secrets: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    theirs: set[Path] = field(default_factory=set)
    reached: list[str] = field(default_factory=list)

    def leaks(self) -> list[str]:
        """Return where a secret shows, without the secret."""
        wanted = [secret for secret in self.secrets if secret]
        found = ["a secret shows in what a person reads"] * any(s in text for s in wanted for text in self.said)
        for path in self._files():
            data = path.read_bytes()
            found += [f"a secret shows in the file {path.name}"] * any(s.encode() in data for s in wanted)
        return found

    def _files(self) -> list[Path]:
        found = [path for folder in self.folders for path in sorted(folder.rglob("*")) if path.is_file()]
        return [path for path in found if not self.theirs & {path, *path.parents}]


class _Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def guarded() -> Iterator[Guards]:
    """Watch what is done inside; who uses it asks `wrongs_of` afterwards.

    :raises AssertionError: at the end, when environment, logging or working folder are not as before, somebody tried
        to reach the network, or a secret shows.
    """
    guards, kept = Guards(), _Kept()
    before = _state()
    root, own = logging.getLogger(), logging.getLogger("asyncio")
    levels = [(root, root.level), (own, own.level)]
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    own.setLevel(logging.WARNING)
    inside = _logging()
    try:
        with _no_network(guards):
            yield guards
    finally:
        changed = [] if _logging() == inside else ["the logging of the process was changed"]
        root.removeHandler(kept)
        for logger, level in levels:
            logger.setLevel(level)
    guards.said += kept.lines
    wrongs = [*changed, *_differences(before, _state()), *guards.leaks()]
    wrongs += [f"it tried to reach {where}" for where in dict.fromkeys(guards.reached)]
    assert not wrongs, "; ".join(wrongs)


@contextmanager
def _no_network(guards: Guards) -> Iterator[None]:
    """Let no connection leave this machine; what tries is noted and refused."""
    connect, connect_ex, lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refuse(host: object) -> None:
        if isinstance(host, tuple):
            host = host[0]
        if isinstance(host, str) and not host.startswith(LOOPBACK) and not host.startswith("/"):
            guards.reached.append(host)
            raise NetworkError(f"{host}: a test of a plugin reaches no network.")

    def connecting(self: socket.socket, address: Any) -> None:
        refuse(address)
        connect(self, address)

    def trying(self: socket.socket, address: Any) -> int:
        refuse(address)
        return connect_ex(self, address)

    def looking_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        refuse(host)
        return lookup(host, *args, **kwargs)

    with (
        patch.object(socket.socket, "connect", connecting),
        patch.object(socket.socket, "connect_ex", trying),
        patch.object(socket, "getaddrinfo", looking_up),
    ):
        yield


def _state() -> Mapping[str, object]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return {"the environment": environment, "the working folder": os.getcwd()}


def _logging() -> tuple[object, ...]:
    root = logging.getLogger()
    # pytest puts handlers of its own in and takes them out again around each phase of a test
    handlers = tuple(handler for handler in root.handlers if not type(handler).__module__.startswith("_pytest"))
    return root.level, handlers, logging.root.manager.disable, logging.lastResort


def _differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [f"{name} was changed" for name in before if before[name] != after[name]]
