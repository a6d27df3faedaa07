"""Measures how much of the burst limit is used, alone and beside another client, in simulated time.

    python tests/benchmarks/limits/burst.py [--seeds 10] [--first 300] [--writes 2000]

2,000 writes, each way 20 to 80 ms at random, or 1 to 5 ms, against a server with a true rolling window. Use is the
writes between the first and the last of them over what the limit allows in that time, less what the other client got.
"""

from __future__ import annotations

import argparse
import statistics

import click
from tests.pipedrive.rolling import NEAR_S, WAY_S, load, run_virtually

LIMITS = (20, 40, 100, 120, 480)
OTHERS = ("none", "poisson", "uneven", "slots")
WAYS_S = {"20-80 ms": WAY_S, "1-5 ms": NEAR_S}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=300)
    parser.add_argument("--writes", type=int, default=2_000)
    given = parser.parse_args()
    click.echo("way       other     limit   use: median (least to most)     429 per 1,000   two in a row")
    seeds = range(given.first, given.first + given.seeds)
    for way, way_s in WAYS_S.items():
        for others in OTHERS:
            for limit in LIMITS:
                uses = [run_virtually(load(limit, seed, others, given.writes, way_s=way_s)) for seed in seeds]
                shares = [use.share for use in uses]
                refused = sum(use.refused for use in uses) * 1_000 / (given.writes * given.seeds)
                click.echo(
                    f"{way:9} {others:8} {limit:6}   {statistics.median(shares):.3f} "
                    f"({min(shares):.3f} to {max(shares):.3f}){refused:22.2f} {sum(use.in_a_row for use in uses):14}"
                )


if __name__ == "__main__":
    main()
