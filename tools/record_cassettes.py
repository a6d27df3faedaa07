"""Record the exchanges that the tests in tests/cassettes replay, and prove that they replay.

    python tools/record_cassettes.py                                    # from the embedded sandbox
    python tools/record_cassettes.py --base-url https://COMPANY.pipedrive.com   # PIPEDRIVE_API_TOKEN: an admin's

See docs/cassettes.md for what a recording leaves in an account (nothing) and what it takes out of the files.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
CASSETTES = ROOT / "cassettes"
TOKEN_VARIABLE = "PIPEDRIVE_API_TOKEN"  # noqa: S105 - the name of a variable, not a token
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOTHING_RAN = 5
USAGE = 2


def main(arguments: list[str] | None = None) -> int:
    """Record, then replay what was recorded; return pytest's exit code, or 2 when the arguments cannot be used."""
    options = parse(arguments)
    problem = "" if options.base_url is None else problem_with(options.base_url)
    if problem:
        sys.stderr.write(f"Error: {problem}\n")
        return USAGE
    options.out.mkdir(parents=True, exist_ok=True)
    chosen = {"FLITSTACK_CASSETTES": str(options.out.resolve()), "FLITSTACK_CASSETTES_ONLY": " ".join(options.only)}
    recorded = run_tests({**chosen, "FLITSTACK_RECORD": options.base_url or "sandbox"})
    if recorded == 1:
        sys.stderr.write("A scenario failed while it was recorded; its old cassette is as it was.\n")
    return recorded or run_tests(chosen)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options; `base_url` is None for the sandbox."""
    parser = argparse.ArgumentParser(description="Record the cassettes of tests/cassettes, and replay them.")
    parser.add_argument("--base-url", metavar="URL", help=f"host root of an account; {TOKEN_VARIABLE} holds the token")
    parser.add_argument("--out", type=Path, default=CASSETTES, metavar="FOLDER", help="where to, if not cassettes/")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="cassettes to record, if not all")
    return parser.parse_args(arguments)


def problem_with(base_url: str) -> str:
    """Return why nothing can be recorded from there, "" when it can."""
    parts = urlsplit(base_url)
    if not parts.hostname or parts.path.strip("/") or parts.query:
        return "--base-url is a host root, such as https://company.pipedrive.com."
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        return "--base-url has to be https, or the token could be read on the way."
    if not os.environ.get(TOKEN_VARIABLE):
        return f"set {TOKEN_VARIABLE} to the token of an admin of that account."
    return ""


def run_tests(more: dict[str, str]) -> int:
    """Run the marked tests, one after the other, and return pytest's exit code; recording or not is in `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLITSTACK_", "PYTEST_"))}
    # -P keeps the checkout's folders `core` and `plugins` from being importable.
    command = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "tests/cassettes",
        "-m",
        "cassette",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    env = {**kept, **more}
    code = subprocess.run([*command, "-p", "no:xdist"], cwd=ROOT, env=env, check=False).returncode  # noqa: S603 - ours
    if code == NOTHING_RAN:
        sys.stderr.write("Error: no test is marked with a cassette of that name.\n")
        return USAGE
    return code


if __name__ == "__main__":
    sys.exit(main())
