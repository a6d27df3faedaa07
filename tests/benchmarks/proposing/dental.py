"""Measures the matcher on headers of dental systems with a truth made by hand.

    python -m tests.benchmarks.proposing.dental [--cells] [--json] [--wrong]

Headers alone are the hardest case; with --cells they have cells of the example practice.
The Open Dental layout that ships is a further truth.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flitstack.mapping.proposing import Matcher
from flitstack.protocols import Record, SampledColumn, SampledExport, SampledFile
from flitstack_dental.example import SMALL, write_example
from flitstack_dental.lexicon import beside, lexicon
from flitstack_dental.proposing import targets
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
LAYOUT = Path(__file__).parents[3] / "plugins" / "flitstack_dental" / "layouts" / "opendental.yaml"


@dataclass(frozen=True, slots=True)
class Case:
    """One column with its truth and what was proposed; `rank` of the truth among all candidates, 0 for none."""

    split: str
    vendor: str
    file: str
    column: str
    truth: str | None
    proposed: str | None
    confidence: float
    ticked: bool
    rank: int
    lead: float = 0.0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wrong", action="store_true", help="List what was proposed wrongly.")
    parser.add_argument("--cells", action="store_true", help="Give the columns cells of the example practice.")
    options = parser.parse_args()
    given = Cells() if options.cells else None
    begun = time.perf_counter()
    found = cases(given)
    seconds = time.perf_counter() - begun
    figures = {
        split: figures_of([c for c in found if c.split == split]) for split in ("chosen", "opendental", "held_out")
    }
    figures["all"] = figures_of(found)
    print(json.dumps(figures, indent=1) if options.json else _table(figures, found, seconds))  # noqa: T201 - a command
    if options.wrong:
        for c in found:
            if c.proposed != c.truth:
                tick = "[x]" if c.ticked else "[ ]"
                place = f"{c.vendor}.{c.file}.{c.column}"
                sys.stderr.write(f"{tick} {place}: {c.proposed} {c.confidence}, truth {c.truth}\n")


def cases(cells: Cells | None = None) -> list[Case]:
    """Return every column of every vendor, proposed for as `flit map propose` does.

    :param cells: gives each column cells of what it truly is; None leaves the headers alone.
    """
    found: list[Case] = []
    for split, vendor, files in [*_vendors(), _open_dental()]:
        export = SampledExport(
            tuple(
                SampledFile(
                    f"{name}.csv", tuple(_column(column, truth, cells) for column, truth in given["columns"].items())
                )
                for name, given in files.items()
            )
        )
        for proposal in matcher().propose(export):
            name = proposal.file.removesuffix(".csv")
            truth = files[name]["columns"]
            for column in proposal.columns:
                ranked = [c.target for c in (column.chosen, *column.others) if c is not None]
                wanted = truth[column.column]
                found.append(
                    Case(
                        split, vendor, name, column.column, wanted,
                        column.chosen.target if column.chosen else None,
                        column.chosen.confidence if column.chosen else 0.0,
                        column.ticked,
                        ranked.index(wanted) + 1 if wanted in ranked else 0,
                    )
                )  # fmt: skip
    return found


class Cells:
    """Cells for columns: those of the example practice's field that the column truly is."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_example(Path(folder), SMALL, seed=5)
            reader = open_export(folder, {})
            names = [stream.name for stream in reader.streams()]
            self._rows = {name: [row.data for row in reader.read(name) if isinstance(row, Record)] for name in names}
            reader.close()

    def of(self, column: str, truth: str | None) -> tuple[str, ...]:
        """Return the cells of what a column truly is; of one that no field takes, codes, days or nothing."""
        if truth is None:
            kind = zlib.crc32(column.encode()) % 3
            return tuple(
                ("0", "1", "2")[n % 3] if kind == 0 else "" if kind == 1 else f"2024-0{n % 9 + 1}-1{n % 9}"
                for n in range(200)
            )
        stream, _, rest = truth.partition(".")
        field, _, part = rest.partition(" (")
        rows = self._rows.get(stream, [])
        if part and stream in ("contact_points", "addresses"):
            rows = [row for row in rows if row.get("kind") == part.rstrip(")")]
        return tuple(str(row.get(field) or "") for row in rows[:2000])


def _column(name: str, truth: str | None, cells: Cells | None) -> SampledColumn:
    found = cells.of(name, truth) if cells else ()
    return SampledColumn(name, tuple(filter(None, found)), len(found), bool(found))


@cache
def matcher() -> Matcher:
    """Return the dental matcher."""
    return Matcher(targets(), lexicon())


def _vendors() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for vendor, given in yaml.safe_load((HERE / "vendors.yaml").read_text(encoding="utf-8")).items():
        files = {name: file for name, file in given.items() if name not in ("split", "source")}
        yield given["split"], vendor, files


def _open_dental() -> tuple[str, str, dict[str, Any]]:
    """Return Open Dental's tables with the shipped layout as truth; columns it leaves on purpose are null."""
    raw = yaml.safe_load(LAYOUT.read_text(encoding="utf-8"))
    files: dict[str, Any] = {}
    for role, spec in raw["files"].items():
        records = (spec or {}).get("records", [])
        if not records:
            continue
        columns: dict[str, str | None] = {str(name): None for name in spec.get("ignore", [])}
        stream = records[0]["stream"]
        if any(record["stream"] == stream for record in records[1:]) or "when" in records[0]:
            continue
        for record in records:
            columns |= dict(_truth(record, stream, columns))
        files[role] = {"stream": stream, "columns": columns}
    return "opendental", "opendental", files


def _truth(record: dict[str, Any], stream: str, taken: dict[str, Any]) -> Iterator[tuple[str, str]]:
    part = ""
    if record["stream"] != stream:
        parts = [b["part"] for b in beside() if b["stream"] == record["stream"] and b["of"] == stream
                 and b.get("set", {}).items() <= record.get("set", {}).items()]  # fmt: skip
        if not parts:
            return
        part = f" ({parts[0]})"
    elif "{" not in record["id"]:
        yield record["id"], f"{stream}.id"
    for field, cell in record.get("fields", {}).items():
        column = cell if isinstance(cell, str) else cell.get("column")
        is_own = not (part and field in ("patient_id", "updated_at")) and not field.startswith("original_")
        if column and is_own and field != "family_id" and not taken.get(column):
            yield column, f"{record['stream']}.{field}{part}"


def figures_of(found: Sequence[Case]) -> dict[str, Any]:
    """Return recall of the first and of the first six, precision of what is proposed and of what is pre-ticked."""
    with_truth = [c for c in found if c.truth is not None]
    proposed = [c for c in found if c.proposed is not None]
    ticked = [c for c in found if c.ticked]

    def share(part: int, whole: int) -> float:
        return round(part / whole, 3) if whole else 0.0

    return {
        "columns": len(found),
        "with_a_truth": len(with_truth),
        "recall": share(sum(c.proposed == c.truth for c in with_truth), len(with_truth)),
        "top_five": share(sum(0 < c.rank <= 5 for c in with_truth), len(with_truth)),
        "precision": share(sum(c.proposed == c.truth for c in proposed), len(proposed)),
        "left_rightly": share(sum(c.proposed is None for c in found if c.truth is None), len(found) - len(with_truth)),
        "ticked": share(len(ticked), len(found)),
        "ticked_precision": share(sum(c.proposed == c.truth for c in ticked), len(ticked)),
    }


def reliability(found: Sequence[Case]) -> list[tuple[str, int, float, float]]:
    """Return per tenth of confidence: how many, mean confidence, share right."""
    rows = []
    for low in (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95):
        high = {0.8: 0.9, 0.9: 0.95, 0.95: 1.01}.get(low, low + 0.2)
        among = [c for c in found if c.proposed and low <= c.confidence < high]
        if among:
            rows.append(
                (f"{low:.2f} to {min(high, 1):.2f}", len(among), sum(c.confidence for c in among) / len(among),
                 sum(c.proposed == c.truth for c in among) / len(among))
            )  # fmt: skip
    return rows


def _table(figures: dict[str, dict[str, Any]], found: Sequence[Case], seconds: float) -> str:
    names = list(next(iter(figures.values())))
    lines = ["| set | " + " | ".join(names) + " |", "|" + "---|" * (len(names) + 1)]
    lines += [
        f"| {split} | " + " | ".join(str(value) for value in row.values()) + " |" for split, row in figures.items()
    ]
    lines += ["", "| confidence | columns | mean | right |", "|---|---|---|---|"]
    lines += [f"| {name} | {n} | {mean:.2f} | {right:.2f} |" for name, n, mean, right in reliability(found)]
    return "\n".join([*lines, "", f"{seconds:.2f} s in all"])


if __name__ == "__main__":
    main()
