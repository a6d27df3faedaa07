"""Measures the matcher on GDC: Recall@GT, and how often the truth is among the first five, per source and in all.

    python -m tests.benchmarks.proposing.gdc [--folder FOLDER]

Without a folder: nine of the ten studies, names alone, as gdc.yaml holds them. With a copy of the data sets of
VIDA-NYU/data-harmonization-benchmark: whole tables, in FOLDER/source-tables/NAME.csv, FOLDER/target-tables/*.csv and
FOLDER/ground-truth/NAME.csv (columns original_paper_variable_names and GDC_format_variable_names).

Recall@GT as in Koutras et al., "Valentine" (ICDE 2021): of all pairs ranked by score, as many as the truth has are
taken; the share of the truth that is among them. Top five: the share of columns with a truth that have one of their
fields among the first five. `MRR`: the mean of 1 / rank of a column's first right field. `*`: seen while choosing.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import dataclass, replace
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
    """One source.

    :param pairs: true pairs of column and field; `columns` how many columns have one.
    :param at_truth, in_five, mrr: shares, 0 to 1, as the module says.
    :param seen: the matcher was chosen by it.
    """

    name: str
    pairs: int
    columns: int
    at_truth: float
    in_five: float
    mrr: float
    seconds: float
    seen: bool = False


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    folder = parser.parse_args().folder
    found = from_folder(folder) if folder else from_names()
    print("| source | true pairs | Recall@GT | top five | MRR | seconds |\n|---|---|---|---|---|---|")  # noqa: T201 - a command
    for each in found:
        name = f"{each.name}{' *' if each.seen else ''}"
        shares = f"{each.at_truth:.2f} | {each.in_five:.2f} | {each.mrr:.2f} | {each.seconds:.2f}"
        print(f"| {name} | {each.pairs} | {shares} |")  # noqa: T201 - a command
    for name, among in (("mean", found), ("mean of those not seen", [each for each in found if not each.seen])):
        shares = " | ".join(f"{mean(among, part):.2f}" for part in ("at_truth", "in_five", "mrr"))
        print(f"| {name} | {sum(each.pairs for each in among)} | {shares} | |")  # noqa: T201 - a command


def mean(found: Sequence[Measured], part: str) -> float:
    """Return the mean of a share over the sources."""
    shares: list[float] = [getattr(each, part) for each in found]
    return sum(shares) / len(shares)


def from_names() -> list[Measured]:
    """Return what is measured on the names that are kept here."""
    lines = (HERE / "gdc.txt").read_text(encoding="utf-8").splitlines()
    targets = [Target("gdc", name) for line in lines if not line.startswith("#") for name in line.split(",")]
    scorer = Scorer(targets, Lexicon())
    found = []
    for name, given in yaml.safe_load((HERE / "gdc.yaml").read_text(encoding="utf-8")).items():
        columns = tuple(SampledColumn(str(column)) for column in [*given["truth"], *given["others"]])
        truth = {str(column): frozenset(wanted) for column, wanted in given["truth"].items()}
        measured = measure(scorer, name, SampledFile(f"{name}.csv", columns), truth)
        found.append(replace(measured, seen=given["seen"]))
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
        truth: dict[str, set[str]] = {}
        for row in rows:
            if row["GDC_format_variable_names"] in known:
                truth.setdefault(row["original_paper_variable_names"], set()).add(row["GDC_format_variable_names"])
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
    """Return how well one source is matched.

    :param truth: column to its right fields, of which it may have several.
    """
    begun = time.perf_counter()
    scored = scorer.score_file(file)
    seconds = time.perf_counter() - begun
    ranked = {
        column.name: [scorer.targets[each.target].field for each in candidates]
        for column, candidates in zip(file.columns, scored, strict=True)
    }
    pairs = sorted(
        (-each.score, column.name, scorer.targets[each.target].field)
        for column, candidates in zip(file.columns, scored, strict=True)
        for each in candidates
    )
    whole = sum(map(len, truth.values()))
    at_truth = sum(field in truth.get(column, ()) for _, column, field in pairs[:whole])
    ranks = [next((at for at, name in enumerate(ranked[c], 1) if name in truth[c]), 0) for c in truth]
    in_five = sum(0 < rank <= 5 for rank in ranks)
    mrr = sum(1 / rank for rank in ranks if rank)
    return Measured(name, whole, len(truth), at_truth / whole, in_five / len(truth), mrr / len(truth), seconds)


if __name__ == "__main__":
    main()
