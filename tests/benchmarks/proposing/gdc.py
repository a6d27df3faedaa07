"""Measures the matcher on GDC: Recall@GT, and how often the truth is among the first five, per source and in all.

    python -m tests.benchmarks.proposing.gdc [--folder FOLDER]

Without a folder: five of the ten studies, names alone, as gdc.yaml holds them. With a copy of the data sets of
VIDA-NYU/data-harmonization-benchmark: whole tables, in FOLDER/source-tables/NAME.csv, FOLDER/target-tables/*.csv and
FOLDER/ground-truth/NAME.csv (columns original_paper_variable_names and GDC_format_variable_names).

Recall@GT as in Koutras et al., "Valentine" (ICDE 2021): of all pairs ranked by score, as many as the truth has are
taken; the share of the truth that is among them. `one to one`: the same when a column and a field count once.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from flitstack.mapping.proposing.scoring import Scorer
from flitstack.protocols import Lexicon, SampledColumn, SampledFile, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One source: how many true pairs, those of them at GT, and one to one; columns with theirs among five; seconds."""

    name: str
    truth: int
    at_truth: int
    one_to_one: int
    in_five: int
    seconds: float


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    folder = parser.parse_args().folder
    found = from_folder(folder) if folder else from_names()
    print("| source | true pairs | Recall@GT | one to one | top five | seconds |\n|---|---|---|---|---|---|")  # noqa: T201 - a command
    for each in [*found, total(found)]:
        print(  # noqa: T201 - a command
            f"| {each.name} | {each.truth} | {each.at_truth / each.truth:.2f} | {each.one_to_one / each.truth:.2f} | "
            f"{each.in_five / each.truth:.2f} | {each.seconds:.2f} |"
        )
    means = [f"{mean(found, part):.2f}" for part in ("at_truth", "one_to_one", "in_five")]
    print(f"| mean over sources | | {' | '.join(means)} | |")  # noqa: T201 - a command


def mean(found: Sequence[Measured], part: str) -> float:
    """Return the mean over the sources of a share of the truth."""
    shares: list[float] = [getattr(each, part) / each.truth for each in found]
    return sum(shares) / len(shares)


def total(found: Sequence[Measured]) -> Measured:
    """Return all sources as one."""
    truth, at_truth, one_to_one, in_five = (
        sum(int(getattr(each, part)) for each in found) for part in ("truth", "at_truth", "one_to_one", "in_five")
    )
    return Measured("all", truth, at_truth, one_to_one, in_five, max(each.seconds for each in found))


def from_names() -> list[Measured]:
    """Return what is measured on the names that are kept here."""
    lines = (HERE / "gdc.txt").read_text(encoding="utf-8").splitlines()
    targets = [Target("gdc", name) for line in lines if not line.startswith("#") for name in line.split(",")]
    scorer = Scorer(targets, Lexicon())
    found = []
    for name, given in yaml.safe_load((HERE / "gdc.yaml").read_text(encoding="utf-8")).items():
        columns = tuple(SampledColumn(str(column)) for column in [*given["truth"], *given["others"]])
        truth = {column: frozenset(map(str.strip, wanted.split(";"))) for column, wanted in given["truth"].items()}
        found.append(measure(scorer, name, SampledFile(f"{name}.csv", columns), truth))
    return found


def from_folder(folder: Path) -> list[Measured]:
    """Return what is measured on whole tables."""
    table = read_table(next((folder / "target-tables").glob("*.csv")))
    targets = [Target("gdc", c.name, {"enum": list(options)} if (options := few(c)) else {}) for c in table.columns]
    scorer = Scorer(targets, Lexicon())
    found = []
    for path in sorted((folder / "ground-truth").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        known = {target.field for target in targets}
        truth = {
            row["original_paper_variable_names"]: wanted
            for row in rows
            if (wanted := known & set(map(str.strip, row["GDC_format_variable_names"].split(";"))))
        }
        found.append(measure(scorer, path.stem, read_table(folder / "source-tables" / path.name), truth))
    return found


def few(column: SampledColumn) -> tuple[str, ...]:
    """Return a column's values where they are a choice of a few words, else nothing."""
    values = sorted(set(column.values))
    return tuple(values) if 1 < len(values) <= 60 and not any(value[:1].isdigit() for value in values) else ()


def read_table(path: Path) -> SampledFile:
    """Return a CSV file's columns with their first cells."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = [row for at, row in enumerate(csv.reader(file)) if at <= ROWS]
    cells = [[row[at] for row in rows if at < len(row) and row[at]] for at in range(len(header))]
    columns = (SampledColumn(name, tuple(values), len(rows)) for name, values in zip(header, cells, strict=True))
    return SampledFile(path.name, tuple(columns))


def measure(scorer: Scorer, name: str, file: SampledFile, truth: Mapping[str, frozenset[str] | set[str]]) -> Measured:
    """Return how well one source is matched; several right fields of one column count once."""
    begun = time.perf_counter()
    scored = scorer.score_file(file)
    seconds = time.perf_counter() - begun
    pairs = [
        (-each.score, column.name, scorer.targets[each.target].field)
        for column, candidates in zip(file.columns, scored, strict=True)
        for each in candidates
    ]
    ranked = sorted(pairs)
    single: list[tuple[float, str, str]] = []
    for pair in ranked:
        if all(pair[1] != other[1] and pair[2] != other[2] for other in single):
            single.append(pair)

    def found(among: Sequence[tuple[float, str, str]]) -> int:
        return len({column for _, column, field in among[: len(truth)] if field in truth.get(column, ())})

    in_five = sum(
        any(scorer.targets[each.target].field in truth[column.name] for each in candidates[:5])
        for column, candidates in zip(file.columns, scored, strict=True)
        if column.name in truth
    )
    return Measured(name, len(truth), found(ranked), found(single), in_five, seconds)


if __name__ == "__main__":
    main()
