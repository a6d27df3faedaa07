"""What flit offers (hooks, commands, settings, variables, codes), and what of it lacks documentation or a test.

Each `..._gaps` function takes what is offered, the pages and the tests, and returns a sentence per gap; so a test can
plant one and see that it is found.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from flitstack.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
DERIVED = ("hooks.md", "behaviours.md", "contracts.md", "commands.md", "errors.md", "streams.md")
WORD = re.compile(r"\w+")
VARIABLE = re.compile(r"FLITSTACK_[A-Z_]+")


@dataclass(frozen=True, slots=True)
class Texts:
    """What is searched.

    :param pages: the documentation's pages, by name. :param tests: the text of all tests.
    :param words: words of their literals and keywords. :param calls: words that stand beside each other in calls.
    """

    pages: Mapping[str, str]
    tests: str = ""
    words: frozenset[str] = frozenset()
    calls: frozenset[tuple[str, ...]] = frozenset()

    @classmethod
    def read(cls) -> Texts:
        """Read the repository's own; the tests of this folder do not count as tests of what they list."""
        docs = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
        tests = {
            str(path.relative_to(ROOT)): path.read_text("utf-8")
            for path in sorted((ROOT / "tests").rglob("*"))
            if path.suffix in (".py", ".json") and path.name not in ("offered.py", "test_complete.py")
        }
        trees = {name: ast.parse(text) for name, text in tests.items() if name.endswith(".py")}
        words = {word for tree in trees.values() for word in _words(tree)}
        words |= {word for name, text in tests.items() if name.endswith(".json") for word in WORD.findall(text)}
        calls = {call for tree in trees.values() for call in _calls(tree)}
        return cls(docs, "\n".join(tests.values()), frozenset(words), frozenset(calls))

    def by_hand(self) -> str:
        """Return all pages that are not derived from the code, which documents nothing by repeating it."""
        return "\n".join(text for name, text in self.pages.items() if name not in DERIVED)

    def tested(self, pattern: str) -> bool:
        """Return whether any test says something of this pattern."""
        return re.search(pattern, self.tests) is not None


def hook_gaps(hooks: Mapping[str, Callable[..., Any]], texts: Texts) -> list[str]:
    """A hook is documented with its signature, its version and a running example, and named by a test."""
    page = texts.pages["hooks.md"]
    found = []
    for name, hook in hooks.items():
        signature = f"def {name}{inspect.signature(hook)}: ...".replace("'", "")
        section = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        if signature not in section or "Added in " not in section:
            found.append(f"{name}: its signature and version are not on docs/hooks.md")
        if f"def {name}(" not in section.replace(signature, ""):
            found.append(f"{name}: no example on docs/hooks.md implements it")
        if not texts.tested(rf"\b{name}\b"):
            found.append(f"{name}: no test names it")
    return found


def command_gaps(commands: Mapping[str, Iterable[str]], texts: Texts) -> list[str]:
    """A command and each of its options stand on a page written by hand; some test runs it.

    :param commands: `flit rejects export` to its options.
    """
    prose = texts.by_hand()
    found = []
    for words, options in commands.items():
        if f"{words}" not in prose:
            found.append(f"{words}: no page written by hand names it")
        found += [f"{words} {o}: no page written by hand names it" for o in options if o not in prose]
        if tuple(words.split()[1:]) not in texts.calls:
            found.append(f"{words}: no test runs it")
    return found


def _calls(tree: ast.Module) -> Iterator[tuple[str, ...]]:
    """Yield every run of up to three words that stand beside each other in a call, list or text of a module.

    A helper that calls `["map", *words]` puts `map` before what it is called with.
    """
    prefixes = [
        _word(node.elts[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.List) and len(node.elts) == 2 and isinstance(node.elts[1], ast.Starred)
    ]
    for node in ast.walk(tree):
        items: list[str] = []
        if isinstance(node, ast.Call):
            items = [_word(argument) for argument in node.args]
            yield from ((prefix, *items[:size]) for prefix in prefixes if prefix for size in (1, 2))
        elif isinstance(node, ast.List | ast.Tuple):
            items = [_word(element) for element in node.elts]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            items = [] if node.value.count("\n") > 3 else node.value.split()
        for size in (1, 2, 3):
            yield from (tuple(items[at : at + size]) for at in range(len(items) - size + 1))


def _words(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from WORD.findall(node.value)
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def _word(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def setting_gaps(registry: Registry, core: Iterable[str], texts: Texts) -> list[str]:
    """A setting has a description, a row of its own in a table of a page, and a test that uses it."""
    found = [gap for name in core for gap in _setting_gaps("", name, {"description": "core"}, texts)]
    ends = [("source.", name, registry.source(name).settings_schema) for name in registry.sources()]
    ends += [("dest.", name, registry.destination(name).settings_schema) for name in registry.destinations()]
    for prefix, end, settings in ends:
        for name, schema in settings.get("properties", {}).items():
            found += [f"{end}: {gap}" for gap in _setting_gaps(prefix, name, schema, texts)]
    return found


def _setting_gaps(prefix: str, name: str, schema: Mapping[str, Any], texts: Texts) -> Iterator[str]:
    if not schema.get("description"):
        yield f"{prefix}{name}: its schema has no description"
    # A row of a table begins with it, alone or beside others: `| `base_url` |`, `| `tables=["people"]` |`.
    row = rf"^\| (?:`[^`|]+`, )*`(?:{re.escape(prefix)})?{name}\b[^`]*`"
    if not any(
        re.search(row, page, re.MULTILINE) for page_name, page in texts.pages.items() if page_name not in DERIVED
    ):
        yield f"{prefix}{name}: no table of a page has it"
    if not texts.tested(rf"{re.escape(prefix) or '[^.]'}{name}\b=|[\"']{name}[\"']|\b{name}="):
        yield f"{prefix}{name}: no test uses it"


def variable_gaps(shipped: Iterable[str], texts: Texts) -> list[str]:
    """A variable of the environment that shipped code reads stands on the page of settings, and a test sets it."""
    found = []
    for name in sorted(set(shipped)):
        if f"`{name}`" not in texts.pages["settings.md"]:
            found.append(f"{name}: docs/settings.md does not say what it does")
        if not texts.tested(rf"\b{name}\b"):
            found.append(f"{name}: no test sets it")
    return found


def variables_in(sources: Iterable[str]) -> set[str]:
    """Return every FLITSTACK_ variable that modules name."""
    return {name for text in sources for name in VARIABLE.findall(text)}


def code_gaps(codes: Iterable[str], texts: Texts) -> list[str]:
    """A code of a rejection, skip or finding has a row on a page, and a test that meets it."""
    rows = {row for page in texts.pages.values() for row in _first_cells(page)}
    found = []
    for code in sorted(set(codes)):
        if code not in rows:
            found.append(f"{code}: no page has a row for it")
        if code not in texts.words:
            found.append(f"{code}: no test meets it")
    return found


def _first_cells(page: str) -> Iterator[str]:
    for line in re.findall(r"^\| (`[^|]+`) \|", page, re.MULTILINE):
        yield from re.findall(r"`(\w+)`", line)
