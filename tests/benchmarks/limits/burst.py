"""Measures how much of the burst limit is used, alone and beside another client, in simulated time.

    python tests/benchmarks/limits/burst.py [--seeds 10] [--writes 2000]

2,000 writes, each way 20 to 80 ms at random, against a server with a true rolling window. Use is the writes between
the first and the last of them over what the limit allows in that time, less what the other client got.
"""

from __future__ import annotations

import argparse
import statistics

import click
from tests.pipedrive.rolling import load, run_virtually

LIMITS = (20, 40, 100, 480)
OTHERS = ("none", "poisson", "uneven")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--writes", type=int, default=2_000)
    given = parser.parse_args()
    click.echo("other     limit   use: median (least to most)     429 per 1,000   two in a row")
    for others in OTHERS:
        for limit in LIMITS:
            uses = [run_virtually(load(limit, seed, others, given.writes)) for seed in range(given.seeds)]
            shares = [use.share for use in uses]
            refused = sum(use.refused for use in uses) * 1_000 / (given.writes * given.seeds)
            click.echo(
                f"{others:8} {limit:6}   {statistics.median(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})"
                f"{refused:22.2f} {sum(use.in_a_row for use in uses):14}"
            )


if __name__ == "__main__":
    main()
