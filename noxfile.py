"""Runs the gates: `nox` runs all of them, `nox -s lint` one.

Every session but `wheel` runs in the environment nox was started from, which `pip install -e ".[dev]"` has filled;
`wheel` makes a clean one, because what it proves is that nothing but the wheel is needed.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.stop_on_first_error = False
nox.options.sessions = ["lint", "types", "imports", "tests", "docs", "wheel"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style and common mistakes."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """Which room may import which."""
    session.run("lint-imports", "--no-logo", silent=True)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, against the checkout."""
    session.run("pytest", "-q", "-n", "auto", "--dist", "worksteal", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fifty thousand requests made of the official tables, other ones each time; a minute, so not among the gates."""
    seed = os.environ.get("FLITSTACK_FUZZ_SEED") or uuid.uuid4().hex[:8]
    env = {"FLITSTACK_FUZZ": "50000", "FLITSTACK_FUZZ_SEED": seed}
    session.run("pytest", "-q", "tests/pipedrive_sandbox/test_fuzz.py", *session.posargs, env=env)


@nox.session
def simulate(session: nox.Session) -> None:
    """Ten thousand simulated migrations into memory, two thousand into the sandbox, and every broken engine caught."""
    seeds = session.posargs or ["--seeds", "0:10000"]
    port = ["--port", "flitstack_pipedrive.testing:PORT", "--seeds", "0:2000"]
    session.run("python", "-m", "flitstack.testing.simulation", *seeds)
    session.run("python", "-m", "flitstack.testing.simulation", *port)
    session.run("python", "tests/simulation/variants.py")


@nox.session
def kills(session: nox.Session) -> None:
    """Two hundred real SIGKILLs over HTTP, answers lost and refused after the commit, journals deleted."""
    env = {"FLITSTACK_KILLS": "200", "FLITSTACK_LOSSY": "500", "FLITSTACK_LONG": "1", "FLITSTACK_LOST_SEEDS": "400"}
    rooms = ["kills", "lossy", "wire", "lost_journal"]
    session.run("pytest", "-q", "-n", "auto", "-rP", *(f"tests/faults/test_{room}.py" for room in rooms), env=env)


@nox.session
def undo(session: nox.Session) -> None:
    """A hundred SIGKILLs of undos, a practice of 1,000 there and back, random accounts and stories; half an hour."""
    env = {
        "FLITSTACK_UNDO_KILLS": "100",
        "FLITSTACK_UNDO_DEATHS": "1",
        "FLITSTACK_UNDO_CASES": "2000",
        "FLITSTACK_STORIES": "2000",
        "FLITSTACK_PATIENTS": "1000",
    }
    rooms = ["faults/test_undo.py", "faults/test_undo_kills.py", "truth", "e2e/test_there_and_back.py"]
    session.run("pytest", "-q", "-n", "auto", "-rP", *(f"tests/{room}" for room in rooms), *session.posargs, env=env)


@nox.session
def long(session: nox.Session) -> None:
    """The real export again, without each of its tables in turn; minutes, so not among the gates."""
    env = {"FLITSTACK_LONG": "1"}
    session.run(
        "pytest",
        "-q",
        "-n",
        "auto",
        "tests/e2e/test_real_export.py",
        "tests/e2e/test_estimate.py",
        "tests/pipedrive/test_probes_killed.py",
        *session.posargs,
        env=env,
    )


@nox.session
def mistakes(session: nox.Session) -> None:
    """Twenty mistakes in the map, each under a chosen sample and one by chance: what the report finds; minutes."""
    sizes = session.posargs or ["--patients", "150", "--size", "60", "--jobs", "4"]
    session.run("python", "tests/benchmarks/sample/seeded.py", *sizes)


@nox.session
def three_way(session: nox.Session) -> None:
    """Random edits in the account and in later exports against the three-way truth: two thousand stories."""
    env = {"FLITSTACK_TRUTH_CASES": "2000"}
    session.run("pytest", "-q", "-n", "0", "tests/delta/test_three_way.py", *session.posargs, env=env)


@nox.session
def kit(session: nox.Session) -> None:
    """Our own plugins through the test-kit, each fault at every write, and all mutants; some ten minutes."""
    env = {"FLITSTACK_KIT_PLACES": "1000", "FLITSTACK_KIT_SEEDS": "200", "FLITSTACK_KIT_MUTANTS": "1"}
    session.run("pytest", "-q", "-n", "auto", "tests/kit", *session.posargs, env=env)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, with a broken link as an error."""
    # Never with --quiet: it silences the warnings that --strict counts, and the build passes.
    session.run("mkdocs", "build", "--strict", "--site-dir", str(Path("site").absolute()))


@nox.session(venv_backend="venv")
def wheel(session: nox.Session) -> None:
    """The tests that installing could break, against the built wheel in a clean environment."""
    with tempfile.TemporaryDirectory() as out:
        session.install("--quiet", "build")
        session.run("python", "-m", "build", "--wheel", "--outdir", out, silent=True)
        built = next(Path(out).glob("*.whl"))
        session.install("--quiet", f"{built}[test]")
    session.run("flit", "plugins", "list", silent=True)
    # What needs a browser, Node or reference data does not depend on how flit was installed; `tests` has run it.
    env = {"FLITSTACK_WITHOUT_BROWSER": "1", "FLITSTACK_WITHOUT_NODE": "1", "FLITSTACK_EXPORTS": ""}
    # What is made of the code alone does not depend on it either: these rooms read the package's data and its entry
    # points, and run it as its users do.
    rooms = ("cli", "dental", "docs", "e2e", "hubspot", "registry", "scaffold", "sqlite", "templates")
    left = [f"--deselect=tests/e2e/{name}" for name in ("test_there_and_back.py", "test_rollback.py")]
    tests = [f"tests/{room}" for room in rooms]
    session.run(
        "pytest",
        "-q",
        "-n",
        "auto",
        "--dist",
        "worksteal",
        "--import-mode=importlib",
        *left,
        *tests,
        *session.posargs,
        env=env,
    )
