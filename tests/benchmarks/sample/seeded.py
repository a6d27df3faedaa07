"""Migrates samples under seeded mistakes and counts which the report flags, and for which it shows a telling row.

    python tests/benchmarks/sample/seeded.py --patients 1000 --size 200 --jobs 4

prints one line per mistake and the totals, for the chosen sample and for one by chance of equal size. A row tells when
the report shows, for the field of the mistake, a record whose value is not what the shipped map makes of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flitstack.clock import VirtualClock
from flitstack.journal import Journal
from flitstack.mapping import find_template
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions, SampleOptions
from flitstack.stages.publishing import Publishing
from flitstack.stages.run import run_migration
from flitstack.testing.migration import Words

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.benchmarks.sample.mistakes import MISTAKES, Mistake

if TYPE_CHECKING:
    from flitstack.stages.sample.taken import TakenSample

TEMPLATE = "dental-to-pipedrive"
START = datetime(2026, 7, 1, 8, tzinfo=UTC)
PLAIN = Mistake("none", "patients", "name", ())


@dataclass(frozen=True, slots=True)
class Judged:
    """What the report of one sample shows of a mistake.

    :param flagged: on a field of the mistake. :param flags: all, as `entry.field code`.
    :param by_sample: flagged by the sample alone, without a look at the whole export.
    """

    name: str
    random: bool
    flagged: bool
    by_sample: bool
    telling: bool
    flags: tuple[str, ...]


def take_sample(folder: Path, export: Path, mistake: Mistake, size: int, *, random: bool) -> tuple[TakenSample, Path]:
    """Migrate a sample into an account of its own; return it and its journal."""
    folder.mkdir(parents=True)
    mapping = folder / f"{TEMPLATE}.yaml.j2"
    mapping.write_text(mistake.apply(find_template(TEMPLATE).read_text("utf-8")), "utf-8")
    taken: list[TakenSample] = []

    def publish(one: TakenSample, to: Path) -> str:
        taken.append(one)
        return ""

    settings = (
        f"dest.base_url=sandbox:{folder / 'account.db'}?plan=ultimate&seats=5",
        "dest.list_lag_s=0",
        "profile=full",
    )
    options = RunOptions(
        "dental", "pipedrive", folder / "flit.db", str(export), str(mapping), settings, Passing(unseen="benchmark"),
        sample=SampleOptions(size, random, alone=True), publishing=Publishing(sample=publish),
    )  # fmt: skip
    asyncio.run(run_migration(options, Words(), StopFlag(), clock=VirtualClock(START)))
    return taken[0], folder / "flit.db"


def right_values(journal: Path) -> dict[tuple[str, str], str]:
    """Return (entry and key, field or link) to what the shipped map makes."""
    found: dict[tuple[str, str], str] = {}
    with Journal(journal) as opened:
        for row in opened.records.desired():
            for name, value in row.fields.items():
                found[f"{row.entry} {row.key}#{row.part}".rstrip("#"), name] = json.dumps(value, sort_keys=True)
            for name, link in row.links.items():
                found[f"{row.entry} {row.key}#{row.part}".rstrip("#"), name] = link.key
    return found


def judge(
    mistake: Mistake, taken: TakenSample, journal: Path, right: dict[tuple[str, str], str], usual: set[str]
) -> Judged:
    """Return what the report shows of a mistake; `usual` are flags that the shipped map has too."""
    flags = [flag for flag in taken.diff.flags if f"{flag.entry}.{flag.field} {flag.code}" not in usual]
    fields = {mistake.field, *mistake.also}
    mine = [flag for flag in flags if flag.entry == mistake.entry and flag.field in fields]
    made = right_values(journal)
    shown = [
        (f"{mistake.entry} {line.key}", each.field)
        for each in taken.diff.fields
        if each.entry == mistake.entry and each.field in fields
        for line in each.lines
    ]
    telling = any(place in made and made[place] != right.get(place) for place in shown)
    if mistake.name == "patients made one":
        telling = telling or any(flag.code == "made_one" and flag.keys for flag in mine)
    named = tuple(f"{flag.entry}.{flag.field} {flag.code}{'*' if flag.whole_export else ''}" for flag in flags)
    by_sample = any(not flag.whole_export for flag in mine)
    return Judged(mistake.name, taken.sample.random, bool(mine), by_sample, telling, named)


def _one(work: Path, export: Path, mistake: Mistake, size: int, random: bool, plain: Path, usual: set[str]) -> Judged:
    folder = work / f"{mistake.name.replace(' ', '-')}-{'random' if random else 'chosen'}"
    taken, journal = take_sample(folder, export, mistake, size, random=random)
    return judge(mistake, taken, journal, right_values(plain), usual)


def _say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Run it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--patients", type=int, default=1000)
    asked.add_argument("--size", type=int, default=200)
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--only", default="")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        export = work / "export"
        command = [sys.executable, "-m", "flitstack", "dental", "example", "--seed", "3"]
        subprocess.run([*command, "--patients", str(given.patients), "--out", str(export)], check=True, stdout=-3)
        usual: dict[bool, set[str]] = {}
        for random in (False, True):
            plain, journal = take_sample(work / f"plain-{random}", export, PLAIN, given.size, random=random)
            usual[random] = {f"{flag.entry}.{flag.field} {flag.code}" for flag in plain.diff.flags}
            sample = plain.sample
            _say(f"{'by chance' if random else 'chosen'}: {sample.size} of {sample.of}, {sample.covered} of "
                  f"{sample.values} values, {sample.fitting} found no room, {sample.open_links} open links; "
                  f"without a mistake flagged: {sorted(usual[random]) or 'nothing'}")  # fmt: skip
        mistakes = [each for each in MISTAKES if given.only in each.name]
        with ProcessPoolExecutor(given.jobs) as pool:
            jobs = [
                pool.submit(_one, work, export, mistake, given.size, random, journal, usual[random])
                for mistake in mistakes
                for random in (False, True)
            ]
            judged: list[Judged] = []
            for job in jobs:
                found = job.result()
                judged.append(found)
                how = "by chance" if found.random else "chosen   "
                _say(f"{found.name:30} {how} flagged {found.flagged:d} by sample {found.by_sample:d} "
                      f"row {found.telling:d}"
                      f"  {', '.join(found.flags)[:300]}")  # fmt: skip
        for random in (False, True):
            mine = [each for each in judged if each.random is random]
            _say(f"{'by chance' if random else 'chosen'}: {sum(e.flagged for e in mine)} of {len(mine)} flagged, "
                  f"{sum(e.by_sample for e in mine)} by the sample alone, "
                f"{sum(e.telling for e in mine)} with a telling row")  # fmt: skip


if __name__ == "__main__":
    main()
